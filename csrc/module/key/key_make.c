/* New keys: of shared secrets, and of random numbers. */
#include "skin.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/rand.h>

const char fb_key_from_secret_doc[] =
    "from_secret($type, /, secret, algorithm='HS256', *, kid=None,\n"
    "            allow_short_secret=False)\n"
    "--\n"
    "\n"
    "Make an HMAC key (RFC 7518 3.2) of a shared secret.\n"
    "\n"
    "Args:\n"
    "    secret: A str is taken as UTF-8, bytes as they are; at least as\n"
    "        long as the hash: 32, 48 or 64 bytes.\n"
    "    algorithm: HS256, HS384 or HS512.\n"
    "    kid: The key's id (RFC 7515 4.1.4).\n"
    "    allow_short_secret: Takes a shorter secret, but never an empty one.\n"
    "\n"
    "Raises:\n"
    "    InvalidKeyError: The secret is too short or blank, or is an\n"
    "        asymmetric key (PEM, DER, JWK, SSH), which is no secret at all\n"
    "        (RFC 8725 3.1).";

static PyObject *
from_secret(PyObject *type, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"secret", "algorithm", "kid",
                               "allow_short_secret", NULL};
    core_state *state = PyType_GetModuleState((PyTypeObject *)type);
    PyObject *secret, *name = NULL, *kid = Py_None;
    int allow_short = 0;
    span text;
    key_traits traits = {.may_sign = true, .may_verify = true};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|O$Op:from_secret",
                                     keywords, &secret, &name, &kid,
                                     &allow_short)
        || !fb_key_kid(state, kid)
        || !fb_pytext_utf8(state, "secret", secret, STATUS_KEY_UNICODE, &text)
        || (name != NULL && !fb_key_algorithm(state, name, &traits.alg))) {
        return NULL;
    }
    if (traits.alg == NULL) {
        traits.alg = fb_alg_find("HS256", 5);
    }
    if (traits.alg->kind != KIND_HMAC) {
        return fb_raise_status(state, STATUS_KEY_ALGORITHM);
    }
    traits.kid = kid;
    status result = fb_secret_check(text, traits.alg, allow_short != 0);
    return result == STATUS_OK ? fb_key_from_bytes(state, text, &traits)
                               : fb_raise_status(state, result);
}

PyObject *
fb_key_from_secret(PyObject *type, PyObject *args, PyObject *kwargs)
{
    return fb_option_hold(from_secret, type, args, kwargs);
}

const char fb_key_generate_doc[] =
    "generate($type, /, algorithm, *, kid=None)\n"
    "--\n"
    "\n"
    "Make a fresh random key.\n"
    "\n"
    "An HMAC key has as many bytes as its hash, an RSA key 2048 bits; EdDSA\n"
    "is Ed25519.\n"
    "\n"
    "Args:\n"
    "    algorithm: Such as \"HS256\", \"RS256\", \"ES256\" or \"EdDSA\".\n"
    "    kid: The key's id (RFC 7515 4.1.4).\n"
    "\n"
    "Raises:\n"
    "    InvalidKeyError: The algorithm is unknown.";

static PyObject *
generate_secret(core_state *state, const key_traits *traits)
{
    unsigned char secret[MAC_MAX];
    fb_failure_forget();
    if (RAND_priv_bytes(secret, (int)traits->alg->signature) != 1) {
        return fb_raise_status(state, fb_failure_of(STATUS_CRYPTO_FAILED));
    }
    span text = {(const char *)secret, traits->alg->signature};
    PyObject *key = fb_key_from_bytes(state, text, traits);
    OPENSSL_cleanse(secret, sizeof secret);
    return key;
}

static PyObject *
generate(PyObject *type, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"algorithm", "kid", NULL};
    core_state *state = PyType_GetModuleState((PyTypeObject *)type);
    PyObject *name, *kid = Py_None;
    EVP_PKEY *evp = NULL;
    key_traits traits = {.may_sign = true, .may_verify = true};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "U|$O:generate", keywords,
                                     &name, &kid)
        || !fb_key_kid(state, kid)
        || !fb_key_algorithm(state, name, &traits.alg)) {
        return NULL;
    }
    traits.kid = kid;
    if (traits.alg->kind == KIND_HMAC) {
        return generate_secret(state, &traits);
    }
    status result;
    Py_BEGIN_ALLOW_THREADS; /* RSA takes a tenth of a second */
    result = fb_pkey_generate(traits.alg, &evp);
    Py_END_ALLOW_THREADS;
    return result == STATUS_OK ? fb_key_from_evp(state, evp, &traits)
                               : fb_raise_status(state, result);
}

PyObject *
fb_key_generate(PyObject *type, PyObject *args, PyObject *kwargs)
{
    return fb_option_hold(generate, type, args, kwargs);
}
