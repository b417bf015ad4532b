/* JSON Web Keys of keys, and their thumbprints (RFC 7638). */
#include "skin.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

const char fb_jwk_write_key_doc[] =
    "to_jwk($self, /, private=False)\n"
    "--\n"
    "\n"
    "Return the key as a dict of its JWK (RFC 7517 4).\n"
    "\n"
    "It has `alg`, and `kid` if the key has one.\n"
    "\n"
    "Args:\n"
    "    private: Whether the private half, or the shared secret, is in it.\n"
    "\n"
    "Raises:\n"
    "    InvalidKeyError: The private half is asked for and there is none,\n"
    "        or it is not asked for and the key is a shared secret.";

const char fb_jwk_thumbprint_doc[] =
    "thumbprint($self, /)\n"
    "--\n"
    "\n"
    "Return the key's SHA-256 thumbprint as base64url (RFC 7638).\n"
    "\n"
    "It is that of the public half, or of the shared secret.";

static PyObject *
encode(const unsigned char *bytes, size_t len)
{
    PyObject *text =
        PyUnicode_New((Py_ssize_t)fb_b64url_encoded(len), len == 0 ? 0 : 127);
    if (text != NULL) {
        fb_b64url_encode(bytes, len, (char *)PyUnicode_1BYTE_DATA(text));
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

/* Where a member comes from, and whether it may be absent. */
typedef struct {
    const char *name, *param;
    size_t width;
    bool may_miss;
} source;

static bool
set_number(const core_state *state, PyObject *jwk, const KeyObject *key,
           source from)
{
    unsigned char bytes[SIGNATURE_MAX];
    size_t len;
    status result =
        fb_pkey_number(key->pkey.evp, from.param, from.width, bytes, &len);
    if (result == STATUS_OK && len == 0 && !from.may_miss) {
        result = STATUS_CRYPTO_FAILED;
    }
    bool ok = result == STATUS_OK
              && (len == 0 || set(jwk, from.name, encode(bytes, len)));
    if (result != STATUS_OK) {
        fb_raise_status(state, result);
    }
    OPENSSL_cleanse(bytes, sizeof bytes);
    return ok;
}

static bool
set_raw(const core_state *state, PyObject *jwk, const char *name,
        const KeyObject *key, bool is_private)
{
    unsigned char bytes[EDWARDS_MAX];
    size_t len;
    status result = fb_pkey_raw(key->pkey.evp, is_private, bytes, &len);
    if (result == STATUS_OK && len == 0) {
        result = STATUS_CRYPTO_FAILED;
    }
    bool ok = result == STATUS_OK && set(jwk, name, encode(bytes, len));
    if (result != STATUS_OK) {
        fb_raise_status(state, result);
    }
    OPENSSL_cleanse(bytes, sizeof bytes);
    return ok;
}

/* Of a key that was made of n, e and d alone the others are absent, all. */
static bool
set_rsa(const core_state *state, PyObject *jwk, const KeyObject *key,
        bool is_private)
{
    static const source all[] = {
        {"n", OSSL_PKEY_PARAM_RSA_N, 0, false},
        {"e", OSSL_PKEY_PARAM_RSA_E, 0, false},
        {"d", OSSL_PKEY_PARAM_RSA_D, 0, false},
        {"p", OSSL_PKEY_PARAM_RSA_FACTOR1, 0, true},
        {"q", OSSL_PKEY_PARAM_RSA_FACTOR2, 0, true},
        {"dp", OSSL_PKEY_PARAM_RSA_EXPONENT1, 0, true},
        {"dq", OSSL_PKEY_PARAM_RSA_EXPONENT2, 0, true},
        {"qi", OSSL_PKEY_PARAM_RSA_COEFFICIENT1, 0, true},
    };
    bool ok = set_text(jwk, "kty", "RSA");
    for (int i = 0; ok && i < (is_private ? 8 : 2); i++) {
        ok = set_number(state, jwk, key, all[i]);
    }
    return ok;
}

static bool
set_curve(const core_state *state, PyObject *jwk, const KeyObject *key,
          bool is_private)
{
    const curve *on = key->pkey.curve;
    const source x = {"x", OSSL_PKEY_PARAM_EC_PUB_X, on->bytes, false},
                 y = {"y", OSSL_PKEY_PARAM_EC_PUB_Y, on->bytes, false},
                 d = {"d", OSSL_PKEY_PARAM_PRIV_KEY, on->bytes, false};
    bool ok = set_text(jwk, "kty", on->kind == KIND_EC ? "EC" : "OKP")
              && set_text(jwk, "crv", on->name);
    if (on->kind == KIND_ED) {
        return ok && set_raw(state, jwk, "x", key, false)
               && (!is_private || set_raw(state, jwk, "d", key, true));
    }
    return ok && set_number(state, jwk, key, x)
           && set_number(state, jwk, key, y)
           && (!is_private || set_number(state, jwk, key, d));
}

static bool
set_material(const core_state *state, PyObject *jwk, const KeyObject *key,
             bool is_private)
{
    if (key->alg->kind == KIND_HMAC) {
        return set_text(jwk, "kty", "oct")
               && set(jwk, "k", encode(key->secret, key->secret_len));
    }
    return key->pkey.curve == NULL ? set_rsa(state, jwk, key, is_private)
                                   : set_curve(state, jwk, key, is_private);
}

static PyObject *
write_key(PyObject *self, PyObject *args, PyObject *kwargs)
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
        return fb_raise_status(state, STATUS_KEY_NO_PUBLIC);
    }
    if (!is_secret && is_private && key->pkey.signer == NULL) {
        return fb_raise_status(state, STATUS_KEY_NOT_PRIVATE);
    }
    PyObject *jwk = PyDict_New();
    bool ok =
        jwk != NULL && set_material(state, jwk, key, is_private != 0)
        && (key->pkey.family != NULL || set_text(jwk, "alg", key->alg->name))
        && (key->kid == NULL || set(jwk, "kid", Py_NewRef(key->kid)));
    if (!ok) {
        Py_CLEAR(jwk);
    }
    return jwk;
}

PyObject *
fb_jwk_write_key(PyObject *self, PyObject *args, PyObject *kwargs)
{
    return fb_option_hold(write_key, self, args, kwargs);
}

/* --- thumbprints --------------------------------------------------------- */

/* RFC 7638 3.2, RFC 8037 2: the required members, sorted, nothing else. */
static const char *const *
required_members(const KeyObject *key)
{
    static const char *const rsa[] = {"e", "kty", "n", NULL};
    static const char *const okp[] = {"crv", "kty", "x", NULL};
    static const char *const ec[] = {"crv", "kty", "x", "y", NULL};
    return key->pkey.curve == NULL            ? rsa
           : key->pkey.curve->kind == KIND_ED ? okp
                                              : ec;
}

static bool
put_required(json_out *text, PyObject *jwk, const KeyObject *key)
{
    bool ok = fb_json_put(text, "{", 1);
    for (const char *const *name = required_members(key); ok && *name != NULL;
         name++) {
        PyObject *own = PyUnicode_FromString(*name);
        PyObject *value =
            own == NULL ? NULL : PyDict_GetItemWithError(jwk, own);
        ok = value != NULL && fb_json_put_name(text, own)
             && fb_json_put_string(text, value, ',');
        Py_XDECREF(own);
    }
    return ok && fb_json_close(text, '}');
}

static bool
update(EVP_MD_CTX *to, const char *text, size_t len)
{
    return EVP_DigestUpdate(to, text, len) == 1;
}

static bool
update_public(EVP_MD_CTX *to, const core_state *state, const KeyObject *key)
{
    json_out text;
    PyObject *jwk = PyDict_New();
    fb_json_out_begin(&text);
    bool ok = jwk != NULL && set_material(state, jwk, key, false)
              && put_required(&text, jwk, key)
              && update(to, text.bytes, text.len);
    fb_json_out_end(&text);
    Py_XDECREF(jwk);
    return ok;
}

/* The `k` of a secret passes through one block, which is wiped: a str would
 * leave it behind. Base64 of multiples of 3 bytes can be joined. */
static bool
update_secret(EVP_MD_CTX *to, const KeyObject *key)
{
    static const char start[] = "{\"k\":\"", end[] = "\",\"kty\":\"oct\"}";
    enum { PIECE = 3 * 256 };
    char text[PIECE / 3 * 4];
    bool ok = update(to, start, sizeof start - 1);
    for (size_t at = 0, len; ok && at < key->secret_len; at += len) {
        len = key->secret_len - at < PIECE ? key->secret_len - at : PIECE;
        char *after = fb_b64url_encode(key->secret + at, len, text);
        ok = update(to, text, (size_t)(after - text));
    }
    OPENSSL_cleanse(text, sizeof text);
    return ok && update(to, end, sizeof end - 1);
}

PyObject *
fb_jwk_thumbprint(PyObject *self, PyObject *Py_UNUSED(unused))
{
    const KeyObject *key = (KeyObject *)self;
    core_state *state = PyType_GetModuleState(Py_TYPE(self));
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    fb_failure_forget();
    EVP_MD_CTX *to = EVP_MD_CTX_new();
    bool ok = to != NULL
              && EVP_DigestInit_ex(to, state->digests.md[DIGEST_SHA256], NULL)
              && (key->alg->kind == KIND_HMAC ? update_secret(to, key)
                                              : update_public(to, state, key))
              && EVP_DigestFinal_ex(to, digest, &len);
    EVP_MD_CTX_free(to);
    if (!ok && !PyErr_Occurred()) {
        fb_raise_status(state, fb_failure_of(STATUS_CRYPTO_FAILED));
    }
    return ok ? encode(digest, len) : NULL;
}
