/* JSON Web Keys of keys, and their thumbprints (RFC 7638). */
#include "skin.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

const char jwk_write_key_doc[] =
    "to_jwk($self, /, private=False)\n"
    "--\n"
    "\n"
    "Return the key as a dict of its JWK, with `alg`, and `kid` if it has\n"
    "one.\n"
    "\n"
    "Raises:\n"
    "    InvalidKeyError: The private half is asked for and there is none,\n"
    "        or it is not asked for and the key is a shared secret.";

const char jwk_thumbprint_doc[] =
    "thumbprint($self, /)\n"
    "--\n"
    "\n"
    "Return the SHA-256 thumbprint of the key's public half (RFC 7638), or\n"
    "of a shared secret, as base64url.";

static PyObject *
encode(const unsigned char *bytes, size_t len)
{
    PyObject *text =
        PyUnicode_New((Py_ssize_t)b64url_encoded(len), len == 0 ? 0 : 127);
    if (text != NULL) {
        b64url_encode(bytes, len, (char *)PyUnicode_1BYTE_DATA(text));
    }
    return text;
}

/* Sets a member and takes over its value. */
static bool
set(PyObject *jwk, const char *name, PyObject *value)
{
    bool ok = value != NULL && PyDict_SetItemString(jwk, name, value) == 0;
    Py_XDECREF(value);
    return ok;
}

static bool
set_text(PyObject *jwk, const char *name, const char *text)
{
    return set(jwk, name, PyUnicode_FromString(text));
}

/* A number of the key; one that is not there is left out. */
static bool
set_number(PyObject *jwk, const char *name, const KeyObject *key,
           const char *param, size_t width)
{
    unsigned char bytes[SIGNATURE_MAX];
    size_t len = pkey_number(key->pkey.evp, param, width, bytes);
    bool ok = len == 0 || set(jwk, name, encode(bytes, len));
    OPENSSL_cleanse(bytes, sizeof bytes);
    return ok;
}

static bool
set_raw(PyObject *jwk, const char *name, const KeyObject *key, bool is_private)
{
    unsigned char bytes[SIGNATURE_MAX];
    size_t len = pkey_raw(key->pkey.evp, is_private, bytes);
    bool ok = set(jwk, name, encode(bytes, len));
    OPENSSL_cleanse(bytes, sizeof bytes);
    return ok;
}

static bool
set_rsa(PyObject *jwk, const KeyObject *key, bool is_private)
{
    static const struct {
        const char *name, *param;
    } all[] = {
        {"n", OSSL_PKEY_PARAM_RSA_N},
        {"e", OSSL_PKEY_PARAM_RSA_E},
        {"d", OSSL_PKEY_PARAM_RSA_D},
        {"p", OSSL_PKEY_PARAM_RSA_FACTOR1},
        {"q", OSSL_PKEY_PARAM_RSA_FACTOR2},
        {"dp", OSSL_PKEY_PARAM_RSA_EXPONENT1},
        {"dq", OSSL_PKEY_PARAM_RSA_EXPONENT2},
        {"qi", OSSL_PKEY_PARAM_RSA_COEFFICIENT1},
    };
    bool ok = set_text(jwk, "kty", "RSA");
    for (int i = 0; ok && i < (is_private ? 8 : 2); i++) {
        ok = set_number(jwk, all[i].name, key, all[i].param, 0);
    }
    return ok;
}

static bool
set_curve(PyObject *jwk, const KeyObject *key, bool is_private)
{
    const curve *on = key->pkey.curve;
    bool ok = set_text(jwk, "kty", on->kind == KIND_EC ? "EC" : "OKP")
              && set_text(jwk, "crv", on->name);
    if (on->kind == KIND_ED) {
        return ok && set_raw(jwk, "x", key, false)
               && (!is_private || set_raw(jwk, "d", key, true));
    }
    return ok && set_number(jwk, "x", key, OSSL_PKEY_PARAM_EC_PUB_X, on->bytes)
           && set_number(jwk, "y", key, OSSL_PKEY_PARAM_EC_PUB_Y, on->bytes)
           && (!is_private
               || set_number(jwk, "d", key, OSSL_PKEY_PARAM_PRIV_KEY,
                             on->bytes));
}

static bool
set_material(PyObject *jwk, const KeyObject *key, bool is_private)
{
    if (key->alg->kind == KIND_HMAC) {
        return set_text(jwk, "kty", "oct")
               && set(jwk, "k", encode(key->secret, key->secret_len));
    }
    return key->pkey.curve == NULL ? set_rsa(jwk, key, is_private)
                                   : set_curve(jwk, key, is_private);
}

PyObject *
jwk_write_key(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"private", NULL};
    const KeyObject *key = (KeyObject *)self;
    core_state *state = PyType_GetModuleState(Py_TYPE(self));
    int is_private = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|p:to_jwk", keywords,
                                     &is_private)) {
        return NULL;
    }
    bool is_secret = key->alg->kind == KIND_HMAC;
    if (is_secret && !is_private) {
        return raise_status(state, STATUS_KEY_NO_PUBLIC);
    }
    if (!is_secret && is_private && key->pkey.signer == NULL) {
        return raise_status(state, STATUS_KEY_NOT_PRIVATE);
    }
    PyObject *jwk = PyDict_New();
    bool ok = jwk != NULL && set_material(jwk, key, is_private != 0)
              && set_text(jwk, "alg", key->alg->name)
              && (key->kid == NULL || set(jwk, "kid", Py_NewRef(key->kid)));
    if (!ok) {
        Py_CLEAR(jwk);
    }
    return jwk;
}

/* RFC 7638 3.2, RFC 8037 2: the required members, sorted, nothing else. */
static PyObject *
thumbprint_text(PyObject *jwk, const KeyObject *key)
{
    PyObject *x = PyDict_GetItemString(jwk, "x");
    if (key->alg->kind == KIND_HMAC) {
        return PyUnicode_FromFormat("{\"k\":\"%U\",\"kty\":\"oct\"}",
                                    PyDict_GetItemString(jwk, "k"));
    }
    if (key->pkey.curve == NULL) {
        return PyUnicode_FromFormat(
            "{\"e\":\"%U\",\"kty\":\"RSA\",\"n\":\"%U\"}",
            PyDict_GetItemString(jwk, "e"), PyDict_GetItemString(jwk, "n"));
    }
    return key->pkey.curve->kind == KIND_ED
               ? PyUnicode_FromFormat(
                   "{\"crv\":\"%s\",\"kty\":\"OKP\",\"x\":\"%U\"}",
                   key->pkey.curve->name, x)
               : PyUnicode_FromFormat(
                   "{\"crv\":\"%s\",\"kty\":\"EC\",\"x\":\"%U\","
                   "\"y\":\"%U\"}",
                   key->pkey.curve->name, x, PyDict_GetItemString(jwk, "y"));
}

PyObject *
jwk_thumbprint(PyObject *self, PyObject *Py_UNUSED(unused))
{
    const KeyObject *key = (KeyObject *)self;
    core_state *state = PyType_GetModuleState(Py_TYPE(self));
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    PyObject *jwk = PyDict_New();
    PyObject *text = jwk != NULL && set_material(jwk, key, false)
                         ? thumbprint_text(jwk, key)
                         : NULL;
    PyObject *made = NULL;
    if (text != NULL) {
        int ok = EVP_Digest(PyUnicode_DATA(text),
                            (size_t)PyUnicode_GET_LENGTH(text), digest, &len,
                            state->digests.md[DIGEST_SHA256], NULL);
        made = ok ? encode(digest, len)
                  : raise_status(state, STATUS_CRYPTO_FAILED);
    }
    Py_XDECREF(text);
    Py_XDECREF(jwk);
    return made;
}
