/* Key: one algorithm and its prepared key material. */
#include "module.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/rand.h>

PyDoc_STRVAR(key_doc,
"A key that knows its one algorithm and was checked and prepared once.\n"
"\n"
"Immutable, and safe to share between threads. Made by `from_secret` and\n"
"`generate`; neither repr() nor an error shows key material.");

/* --- ready headers ---------------------------------------------------------- */

static PyObject *
encode_header(PyObject *json)
{
    Py_ssize_t len;
    const char *text = PyUnicode_AsUTF8AndSize(json, &len);
    if (text == NULL) {
        return NULL;
    }
    PyObject *encoded = PyBytes_FromStringAndSize(
        NULL, (Py_ssize_t)b64url_encoded((size_t)len));
    if (encoded != NULL) {
        b64url_encode((const unsigned char *)text, (size_t)len,
                      PyBytes_AS_STRING(encoded));
    }
    return encoded;
}

/* `,"kid":"..."`, or an empty string for a key without one. */
static PyObject *
kid_member(PyObject *kid)
{
    json_out text;
    PyObject *member = NULL;
    json_out_begin(&text);
    if (kid == NULL
        || (json_put(&text, ",\"kid\":", 7) && json_write(&text, kid, 1))) {
        member = PyUnicode_DecodeUTF8(text.bytes, (Py_ssize_t)text.len, NULL);
    }
    json_out_end(&text);
    return member;
}

/* Ours, PyJWT's and python-jose's; npm's jose's; joserfc's. */
static const char *const header_forms[HEADER_COUNT] = {
    [HEADER_JWT] = "{\"alg\":\"%s\"%U,\"typ\":\"JWT\"}",
    [HEADER_JWS] = "{\"alg\":\"%s\"%U}",
    [HEADER_TURNED] = "{\"typ\":\"JWT\",\"alg\":\"%s\"%U}",
};

static bool
make_headers(KeyObject *key)
{
    PyObject *kid = kid_member(key->kid);
    bool ok = kid != NULL;
    for (int i = 0; ok && i < HEADER_COUNT; i++) {
        PyObject *json =
            PyUnicode_FromFormat(header_forms[i], key->alg->name, kid);
        key->headers[i] = json == NULL ? NULL : encode_header(json);
        Py_XDECREF(json);
        ok = key->headers[i] != NULL;
    }
    Py_XDECREF(kid);
    return ok;
}

/* --- construction ------------------------------------------------------------- */

static PyObject *
key_new(core_state *state, const alg *algorithm, span secret, PyObject *kid)
{
    PyTypeObject *type = state->key_type;
    KeyObject *key = (KeyObject *)type->tp_alloc(type, 0);
    if (key == NULL) {
        return NULL;
    }
    key->alg = algorithm;
    key->kid = kid == Py_None ? NULL : Py_NewRef(kid);
    if (!hmac_key_init(&key->hmac, &state->digests, algorithm->digest,
                       (const unsigned char *)secret.p, secret.len)) {
        status_raise(state, STATUS_CRYPTO_FAILED);
        Py_CLEAR(key);
    } else if (!make_headers(key)) {
        Py_CLEAR(key);
    }
    return (PyObject *)key;
}

static bool
check_kid(PyObject *kid)
{
    if (kid == Py_None || PyUnicode_Check(kid)) {
        return true;
    }
    PyErr_SetString(PyExc_TypeError, "kid must be a string or None");
    return false;
}

static bool
secret_text(const core_state *state, PyObject *secret, span *text)
{
    Py_ssize_t len;
    if (PyBytes_Check(secret)) {
        *text = (span){PyBytes_AS_STRING(secret),
                       (size_t)PyBytes_GET_SIZE(secret)};
        return true;
    }
    if (!PyUnicode_Check(secret)) {
        PyErr_SetString(PyExc_TypeError, "secret must be str or bytes");
        return false;
    }
    text->p = PyUnicode_AsUTF8AndSize(secret, &len);
    text->len = (size_t)len;
    if (text->p == NULL && PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) {
        PyErr_Clear(); /* it holds the secret */
        status_raise(state, STATUS_KEY_UNICODE);
    }
    return text->p != NULL;
}

PyDoc_STRVAR(from_secret_doc,
"from_secret($type, /, secret, algorithm='HS256', *, kid=None,\n"
"            allow_short_secret=False)\n"
"--\n"
"\n"
"Make an HMAC key (RFC 7518 3.2) of a shared secret.\n"
"\n"
"Args:\n"
"    secret: A str is taken as UTF-8, bytes as they are; at least as long as\n"
"        the hash: 32, 48 or 64 bytes.\n"
"    algorithm: HS256, HS384 or HS512.\n"
"    kid: The key's id (RFC 7515 4.1.4).\n"
"    allow_short_secret: Takes a shorter secret, but never an empty one.\n"
"\n"
"Raises:\n"
"    InvalidKeyError: The secret is too short or blank, or is an asymmetric\n"
"        key (PEM, DER, JWK, SSH), which is no secret at all (RFC 8725 3.1).");

static PyObject *
key_from_secret(PyObject *type, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"secret", "algorithm", "kid",
                               "allow_short_secret", NULL};
    core_state *state = PyType_GetModuleState((PyTypeObject *)type);
    PyObject *secret, *kid = Py_None;
    const char *name = "HS256";
    Py_ssize_t name_len = 5;
    int allow_short = 0;
    span text;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|s#$Op:from_secret",
                                     keywords, &secret, &name, &name_len, &kid,
                                     &allow_short)
        || !check_kid(kid) || !secret_text(state, secret, &text)) {
        return NULL;
    }
    const alg *algorithm = alg_find(name, (size_t)name_len);
    if (algorithm == NULL || algorithm->kind != KIND_HMAC) {
        return status_raise(state, STATUS_KEY_ALGORITHM);
    }
    status result = secret_check(text, algorithm, allow_short != 0);
    return result == STATUS_OK ? key_new(state, algorithm, text, kid)
                               : status_raise(state, result);
}

PyDoc_STRVAR(generate_doc,
"generate($type, /, algorithm, *, kid=None)\n"
"--\n"
"\n"
"Make a fresh random key, of as many bytes as the algorithm's hash has.\n"
"\n"
"Raises:\n"
"    InvalidKeyError: The algorithm is not one of HS256, HS384 and HS512.");

static PyObject *
key_generate(PyObject *type, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"algorithm", "kid", NULL};
    core_state *state = PyType_GetModuleState((PyTypeObject *)type);
    PyObject *kid = Py_None;
    const char *name;
    Py_ssize_t name_len;
    unsigned char secret[SIGNATURE_MAX];
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "s#|$O:generate", keywords,
                                     &name, &name_len, &kid)
        || !check_kid(kid)) {
        return NULL;
    }
    const alg *algorithm = alg_find(name, (size_t)name_len);
    if (algorithm == NULL) {
        return status_raise(state, STATUS_KEY_ALGORITHM);
    }
    if (RAND_priv_bytes(secret, (int)algorithm->signature) != 1) {
        ERR_clear_error();
        return status_raise(state, STATUS_CRYPTO_FAILED);
    }
    span text = {(const char *)secret, algorithm->signature};
    PyObject *key = key_new(state, algorithm, text, kid);
    OPENSSL_cleanse(secret, sizeof secret);
    return key;
}

PyObject *
keys_of(const core_state *state, PyObject *value)
{
    PyObject *keys = Py_IS_TYPE(value, state->key_type)
                         ? PyTuple_Pack(1, value)
                         : PySequence_Tuple(value);
    if (keys == NULL) {
        return NULL;
    }
    if (PyTuple_GET_SIZE(keys) == 0) {
        PyErr_SetString(state->configuration_error, "no key was given");
        Py_CLEAR(keys);
    }
    for (Py_ssize_t i = 0; keys != NULL && i < PyTuple_GET_SIZE(keys); i++) {
        if (!Py_IS_TYPE(PyTuple_GET_ITEM(keys, i), state->key_type)) {
            PyErr_SetString(PyExc_TypeError, "a Key or a KeySet is needed");
            Py_CLEAR(keys);
        }
    }
    return keys;
}

/* --- the type -------------------------------------------------------------------- */

static void
key_dealloc(PyObject *self)
{
    KeyObject *key = (KeyObject *)self;
    PyTypeObject *type = Py_TYPE(self);
    hmac_key_clear(&key->hmac);
    Py_XDECREF(key->kid);
    for (int i = 0; i < HEADER_COUNT; i++) {
        Py_XDECREF(key->headers[i]);
    }
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *
key_repr(PyObject *self)
{
    KeyObject *key = (KeyObject *)self;
    return key->kid == NULL ? PyUnicode_FromFormat("<Key %s>", key->alg->name)
                            : PyUnicode_FromFormat("<Key %s kid=%R>",
                                                   key->alg->name, key->kid);
}

static PyObject *
key_get_algorithm(PyObject *self, void *Py_UNUSED(closure))
{
    return PyUnicode_FromString(((KeyObject *)self)->alg->name);
}

static PyObject *
key_get_kid(PyObject *self, void *Py_UNUSED(closure))
{
    PyObject *kid = ((KeyObject *)self)->kid;
    return Py_NewRef(kid == NULL ? Py_None : kid);
}

/* A shared secret can sign, so whoever holds it holds the private part. */
static PyObject *
key_get_is_private(PyObject *Py_UNUSED(self), void *Py_UNUSED(closure))
{
    return Py_NewRef(Py_True);
}

static PyMethodDef key_methods[] = {
    {"from_secret", (PyCFunction)(void (*)(void))key_from_secret,
     METH_CLASS | METH_VARARGS | METH_KEYWORDS, from_secret_doc},
    {"generate", (PyCFunction)(void (*)(void))key_generate,
     METH_CLASS | METH_VARARGS | METH_KEYWORDS, generate_doc},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef key_properties[] = {
    {"algorithm", key_get_algorithm, NULL,
     "The one algorithm of the key, as in a header: HS256, HS384, HS512.",
     NULL},
    {"kid", key_get_kid, NULL, "The key's id, or None.", NULL},
    {"is_private", key_get_is_private, NULL,
     "Whether the key can sign; a shared secret always can.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot key_slots[] = {
    {Py_tp_doc, (void *)key_doc},   {Py_tp_dealloc, key_dealloc},
    {Py_tp_repr, key_repr},         {Py_tp_methods, key_methods},
    {Py_tp_getset, key_properties}, {0, NULL},
};

PyType_Spec key_spec = {
    .name = "fastbearer.Key",
    .basicsize = sizeof(KeyObject),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE
             | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = key_slots,
};
