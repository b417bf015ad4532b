/* Signatures over compact tokens (RFC 7515 5). */
#include "module.h"

#include <openssl/crypto.h>
#include <string.h>

bool
token_text(const core_state *state, PyObject *value, span *text)
{
    if (PyUnicode_Check(value)) {
        if (!PyUnicode_IS_ASCII(value)) {
            status_raise(state, STATUS_TOKEN_BASE64);
            return false;
        }
        *text =
            (span){PyUnicode_DATA(value), (size_t)PyUnicode_GET_LENGTH(value)};
        return true;
    }
    if (PyBytes_Check(value)) {
        *text =
            (span){PyBytes_AS_STRING(value), (size_t)PyBytes_GET_SIZE(value)};
        return true;
    }
    PyErr_Format(PyExc_TypeError, "a token must be str or bytes, not %.100s",
                 Py_TYPE(value)->tp_name);
    return false;
}

static bool
is_named(const KeyObject *key, const header *head)
{
    return head->kid != NULL && key->kid != NULL
           && (head->kid == key->kid
               || PyUnicode_Compare(head->kid, key->kid) == 0);
}

/* A kid that both sides name must agree; one that only one side names says
 * nothing. */
static bool
is_admitted(const KeyObject *key, const header *head)
{
    return key->alg == head->alg
           && (head->kid == NULL || key->kid == NULL || is_named(key, head));
}

/* Why the header admits none of the keys. */
static status
why_none(PyObject *keys, const header *head)
{
    bool has_alg = false, has_kid = false;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(keys); i++) {
        const KeyObject *key = (KeyObject *)PyTuple_GET_ITEM(keys, i);
        has_alg = has_alg || key->alg == head->alg;
        has_kid = has_kid || is_named(key, head);
    }
    return has_alg && !has_kid ? STATUS_KID_UNKNOWN : STATUS_ALG_NOT_KEYS;
}

typedef struct {
    unsigned char bytes[SIGNATURE_MAX];
    size_t len;
} signature;

static status
read_signature(span text, signature *out)
{
    if (text.len > b64url_encoded(SIGNATURE_MAX)) {
        return b64url_check(text.p, text.len) ? STATUS_SIGNATURE_WRONG
                                              : STATUS_TOKEN_BASE64;
    }
    out->len = b64url_decoded(text.len);
    return b64url_decode(text.p, text.len, out->bytes) ? STATUS_OK
                                                       : STATUS_TOKEN_BASE64;
}

/* RFC 7518 3.2: compared in constant time. */
static status
verify_hmac(const KeyObject *key, span message, const unsigned char *claimed)
{
    unsigned char mac[MAC_MAX];
    if (!hmac_sign(&key->hmac, message.p, message.len, mac)) {
        return STATUS_CRYPTO_FAILED;
    }
    return CRYPTO_memcmp(mac, claimed, key->signature) == 0
               ? STATUS_OK
               : STATUS_SIGNATURE_WRONG;
}

static status
verify_with(const KeyObject *key, span message, const signature *claimed)
{
    if (claimed->len != key->signature) {
        return STATUS_SIGNATURE_WRONG;
    }
    return key->alg->kind == KIND_HMAC
               ? verify_hmac(key, message, claimed->bytes)
               : pkey_verify(&key->pkey, message, claimed->bytes);
}

status
signature_verify(PyObject *keys, const header *head, const token *parts)
{
    signature claimed;
    status shape = read_signature(parts->signature, &claimed);
    bool is_tried = false;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(keys); i++) {
        const KeyObject *key = (KeyObject *)PyTuple_GET_ITEM(keys, i);
        if (is_admitted(key, head)) {
            status result =
                shape != STATUS_OK
                    ? shape
                    : verify_with(key, parts->signing_input, &claimed);
            if (result != STATUS_SIGNATURE_WRONG) {
                return result;
            }
            is_tried = true;
        }
    }
    return is_tried ? STATUS_SIGNATURE_WRONG : why_none(keys, head);
}

static status
sign_with(const KeyObject *key, span message, unsigned char *made)
{
    if (key->alg->kind == KIND_HMAC) {
        return hmac_sign(&key->hmac, message.p, message.len, made)
                   ? STATUS_OK
                   : STATUS_CRYPTO_FAILED;
    }
    return pkey_sign(&key->pkey, message, made);
}

PyObject *
signature_sign(const core_state *state, const KeyObject *key,
               PyObject *encoded_header, span payload)
{
    unsigned char made_signature[SIGNATURE_MAX];
    size_t header_len = (size_t)PyBytes_GET_SIZE(encoded_header);
    size_t input_len = header_len + 1 + b64url_encoded(payload.len);
    size_t len = input_len + 1 + b64url_encoded(key->signature);
    PyObject *made = PyUnicode_New((Py_ssize_t)len, 127);
    if (made == NULL) {
        return NULL;
    }
    char *start = (char *)PyUnicode_1BYTE_DATA(made);
    memcpy(start, PyBytes_AS_STRING(encoded_header), header_len);
    start[header_len] = '.';
    b64url_encode((const unsigned char *)payload.p, payload.len,
                  start + header_len + 1);
    status result = sign_with(key, (span){start, input_len}, made_signature);
    if (result != STATUS_OK) {
        Py_DECREF(made);
        return status_raise(state, result);
    }
    start[input_len] = '.';
    b64url_encode(made_signature, key->signature, start + input_len + 1);
    return made;
}

/* --- bare signatures, for who puts tokens together differently --------------------- */

PyDoc_STRVAR(raw_sign_doc,
"raw_sign($module, message, key, /)\n"
"--\n"
"\n"
"Return the signature of any bytes.");

static PyObject *
raw_sign(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    core_state *state = state_of(module);
    unsigned char made[SIGNATURE_MAX];
    if (count != 2 || !PyBytes_Check(args[0])
        || !Py_IS_TYPE(args[1], state->key_type)) {
        PyErr_SetString(PyExc_TypeError, "raw_sign() takes bytes and a Key");
        return NULL;
    }
    const KeyObject *key = (KeyObject *)args[1];
    if (!key_can_sign(state, key)) {
        return NULL;
    }
    span message = {PyBytes_AS_STRING(args[0]),
                    (size_t)PyBytes_GET_SIZE(args[0])};
    status result = sign_with(key, message, made);
    return result == STATUS_OK ? PyBytes_FromStringAndSize(
               (char *)made, (Py_ssize_t)key->signature)
                               : status_raise(state, result);
}

PyDoc_STRVAR(raw_verify_doc,
"raw_verify($module, message, signature, key, /)\n"
"--\n"
"\n"
"Return whether the signature is right.");

static PyObject *
raw_verify(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    core_state *state = state_of(module);
    if (count != 3 || !PyBytes_Check(args[0]) || !PyBytes_Check(args[1])
        || !Py_IS_TYPE(args[2], state->key_type)) {
        PyErr_SetString(PyExc_TypeError,
                        "raw_verify() takes bytes, bytes and a Key");
        return NULL;
    }
    span message = {PyBytes_AS_STRING(args[0]),
                    (size_t)PyBytes_GET_SIZE(args[0])};
    signature claimed;
    claimed.len = (size_t)PyBytes_GET_SIZE(args[1]);
    if (claimed.len > SIGNATURE_MAX) {
        Py_RETURN_FALSE;
    }
    memcpy(claimed.bytes, PyBytes_AS_STRING(args[1]), claimed.len);
    status result = verify_with((KeyObject *)args[2], message, &claimed);
    if (result == STATUS_OK) {
        Py_RETURN_TRUE;
    }
    if (result == STATUS_SIGNATURE_WRONG) {
        Py_RETURN_FALSE;
    }
    return status_raise(state, result);
}

PyMethodDef signature_methods[] = {
    {"raw_sign", (PyCFunction)(void (*)(void))raw_sign, METH_FASTCALL,
     raw_sign_doc},
    {"raw_verify", (PyCFunction)(void (*)(void))raw_verify, METH_FASTCALL,
     raw_verify_doc},
    {NULL, NULL, 0, NULL},
};
