/* Signatures over compact tokens (RFC 7515 5). */
#include "skin.h"

#include <string.h>

#include "token/token.h"

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
    return (key->alg == head->alg || fb_key_serves(key, head->alg))
           && (head->kid == NULL || key->kid == NULL || is_named(key, head));
}

/* Why the header admits none of the keys. */
CHECKED static status
why_none(PyObject *keys, const header *head)
{
    bool has_alg = false, has_kid = false;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(keys); i++) {
        const KeyObject *key = (KeyObject *)PyTuple_GET_ITEM(keys, i);
        has_alg = has_alg || fb_key_serves(key, head->alg);
        has_kid = has_kid || is_named(key, head);
    }
    return has_alg && !has_kid ? STATUS_KID_UNKNOWN : STATUS_ALG_NOT_KEYS;
}

CHECKED static status
read_signature(span text, unsigned char *bytes, size_t *len)
{
    if (text.len > fb_b64url_encoded(SIGNATURE_MAX)) {
        return fb_b64url_check(text.p, text.len) ? STATUS_SIGNATURE_WRONG
                                                 : STATUS_TOKEN_BASE64;
    }
    *len = fb_b64url_decoded(text.len);
    return fb_b64url_decode(text.p, text.len, bytes) ? STATUS_OK
                                                     : STATUS_TOKEN_BASE64;
}

status
fb_signature_matches(const KeyObject *key, const alg *with, span message,
                     span claimed)
{
    const unsigned char *bytes = (const unsigned char *)claimed.p;
    if (claimed.len != key->signature) {
        return STATUS_SIGNATURE_WRONG;
    }
    if (key->alg->kind == KIND_HMAC) {
        return fb_hmac_verify(&key->hmac, message, bytes);
    }
    const pkey *one = fb_pkey_for(&key->pkey, with);
    return one == NULL ? STATUS_SIGNATURE_WRONG
                       : fb_pkey_verify(one, message, bytes);
}

/* What fb_signature_matches spends on it. */
static unsigned
work_of(const KeyObject *key, span claimed)
{
    return key->alg->kind == KIND_HMAC || claimed.len != key->signature
               ? 0
               : key->pkey.work;
}

/* The first key is tried whatever it costs. */
status
fb_signature_verify(PyObject *keys, const header *head, const token *parts)
{
    unsigned char bytes[SIGNATURE_MAX];
    size_t len = 0;
    status shape = read_signature(parts->signature, bytes, &len);
    span claimed = {(char *)bytes, len};
    unsigned tried = 0, spent = 0;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(keys); i++) {
        const KeyObject *key = (KeyObject *)PyTuple_GET_ITEM(keys, i);
        if (is_admitted(key, head)) {
            unsigned work = work_of(key, claimed);
            if (tried == KEY_TRIES_MAX
                || (spent > 0 && spent + work > KEY_WORK_MAX)) {
                return STATUS_KID_NEEDED;
            }
            status result =
                shape != STATUS_OK
                    ? shape
                    : fb_signature_matches(key, head->alg,
                                           parts->signing_input, claimed);
            if (result != STATUS_SIGNATURE_WRONG) {
                return result;
            }
            tried++;
            spent += work;
        }
    }
    return tried > 0 ? STATUS_SIGNATURE_WRONG : why_none(keys, head);
}

status
fb_signature_make(const KeyObject *key, span message, unsigned char *made)
{
    if (key->alg->kind == KIND_HMAC) {
        return fb_hmac_sign(&key->hmac, message.p, message.len, made);
    }
    return fb_pkey_sign(&key->pkey, message, made);
}

PyObject *
fb_signature_sign(const core_state *state, const KeyObject *key,
                  PyObject *encoded_header, span payload)
{
    unsigned char made_signature[SIGNATURE_MAX];
    size_t header_len = (size_t)PyBytes_GET_SIZE(encoded_header);
    size_t input_len = header_len + 1 + fb_b64url_encoded(payload.len);
    size_t len = input_len + 1 + fb_b64url_encoded(key->signature);
    PyObject *made = PyUnicode_New((Py_ssize_t)len, 127);
    if (made == NULL) {
        return NULL;
    }
    char *start = (char *)PyUnicode_1BYTE_DATA(made);
    memcpy(start, PyBytes_AS_STRING(encoded_header), header_len);
    start[header_len] = '.';
    fb_b64url_encode((const unsigned char *)payload.p, payload.len,
                     start + header_len + 1);
    status result =
        fb_signature_make(key, (span){start, input_len}, made_signature);
    if (result != STATUS_OK) {
        Py_DECREF(made);
        return fb_raise_status(state, result);
    }
    start[input_len] = '.';
    fb_b64url_encode(made_signature, key->signature, start + input_len + 1);
    return made;
}
