/* Keys from JSON Web Keys (RFC 7517, RFC 7518 6, RFC 8037). */
#include "skin.h"

#include "key/jwk.h"

const char jwk_read_key_doc[] =
    "from_jwk($type, /, jwk, algorithm=None)\n"
    "--\n"
    "\n"
    "Read a key of a JWK: a mapping, or the text of one (str or bytes).\n"
    "\n"
    "`use`, `key_ops` and `alg` are obeyed, members have exactly the length\n"
    "that their type asks for, and private members must match the public\n"
    "ones.\n"
    "\n"
    "Args:\n"
    "    jwk: Of kty oct, RSA, EC or OKP.\n"
    "    algorithm: By default the JWK's `alg`, then that of the curve,\n"
    "        RS256 or HS256.\n"
    "\n"
    "Raises:\n"
    "    InvalidKeyError: The JWK breaks a rule; the message names the rule.";

/* --- reading, one function a kty ----------------------------------------- */

static PyObject *
from_oct(core_state *state, PyObject *jwk, key_traits *traits)
{
    jwk_bytes secret;
    PyObject *key = NULL;
    status result = jwk_part(jwk, "k", 0, &secret);
    if (traits->alg == NULL) {
        traits->alg = alg_find("HS256", 5);
    }
    if (result == STATUS_OK && secret.len == 0) {
        result = STATUS_JWK_MEMBER;
    }
    if (result == STATUS_OK && traits->alg->kind != KIND_HMAC) {
        result = STATUS_KEY_UNSUITED;
    }
    if (result == STATUS_OK) {
        result = secret_check(jwk_part_span(&secret), traits->alg, false);
    }
    if (result == STATUS_OK) {
        key = key_from_bytes(state, jwk_part_span(&secret), traits);
    } else {
        raise_status(state, result);
    }
    jwk_part_clear(&secret);
    return key;
}

/* A public key need not be allowed to sign: RFC 7517 4.3. */
static PyObject *
from_read(core_state *state, status result, EVP_PKEY *evp, bool is_private,
          key_traits *traits)
{
    if (result == STATUS_OK && traits->alg != NULL
        && traits->alg->kind == KIND_HMAC) {
        result = STATUS_KEY_UNSUITED;
    }
    if (result == STATUS_OK && !is_private && !traits->may_verify) {
        result = STATUS_KEY_USE;
    }
    if (result != STATUS_OK) {
        EVP_PKEY_free(evp);
        return raise_status(state, result);
    }
    return key_from_evp(state, evp, traits);
}

static PyObject *
from_rsa(core_state *state, PyObject *jwk, key_traits *traits)
{
    EVP_PKEY *evp = NULL;
    bool is_private = false;
    status result = jwk_rsa(jwk, &evp, &is_private);
    return from_read(state, result, evp, is_private, traits);
}

/* The private half makes its own public one, which must be the JWK's. */
CHECKED static status
check_edwards_pair(EVP_PKEY *evp, const jwk_bytes *x)
{
    unsigned char made[SIGNATURE_MAX];
    size_t len = pkey_raw(evp, false, made);
    return len == x->len && memcmp(made, x->bytes, len) == 0 ? STATUS_OK
                                                             : STATUS_KEY_PAIR;
}

CHECKED static status
read_curve_key(PyObject *jwk, const curve *on, EVP_PKEY **evp,
               bool *is_private)
{
    jwk_bytes x = {0}, y = {0}, d = {0};
    bool is_ec = on->kind == KIND_EC;
    status result = jwk_part(jwk, "x", on->bytes, &x);
    if (result == STATUS_OK && is_ec) {
        result = jwk_part(jwk, "y", on->bytes, &y);
    }
    if (result == STATUS_OK) {
        result = jwk_part(jwk, "d", on->bytes, &d);
    }
    if (result == STATUS_OK && (x.len == 0 || (is_ec && y.len == 0))) {
        result = STATUS_JWK_MEMBER;
    }
    if (result == STATUS_OK) {
        Py_BEGIN_ALLOW_THREADS;
        result = pkey_from_curve(on, jwk_part_span(&x), jwk_part_span(&y),
                                 jwk_part_span(&d), evp);
        Py_END_ALLOW_THREADS;
    }
    *is_private = d.len > 0;
    if (result == STATUS_OK && !is_ec && *is_private) {
        result = check_edwards_pair(*evp, &x);
    }
    jwk_part_clear(&x);
    jwk_part_clear(&y);
    jwk_part_clear(&d);
    return result;
}

static PyObject *
from_curve(core_state *state, PyObject *jwk, alg_kind kind, key_traits *traits)
{
    span name;
    EVP_PKEY *evp = NULL;
    bool is_private = false;
    status result = jwk_text(jwk, "crv", &name);
    const curve *on = result == STATUS_OK && name.p != NULL
                          ? alg_find_curve(name.p, name.len)
                          : NULL;
    if (on == NULL || on->kind != kind || !jwk_text_is(name, on->name)) {
        return raise_status(
            state, result == STATUS_NO_MEMORY ? result : STATUS_KEY_CURVE);
    }
    result = read_curve_key(jwk, on, &evp, &is_private);
    return from_read(state, result, evp, is_private, traits);
}

static PyObject *
from_members(core_state *state, PyObject *jwk, key_traits *traits)
{
    span kty;
    status result = jwk_text(jwk, "kty", &kty);
    if (result == STATUS_OK && kty.p == NULL) {
        result = STATUS_JWK_KTY;
    }
    if (result == STATUS_OK) {
        result = jwk_traits(jwk, traits);
    }
    if (result != STATUS_OK) {
        return raise_status(state, result);
    }
    return jwk_text_is(kty, "oct")   ? from_oct(state, jwk, traits)
           : jwk_text_is(kty, "RSA") ? from_rsa(state, jwk, traits)
           : jwk_text_is(kty, "EC")  ? from_curve(state, jwk, KIND_EC, traits)
           : jwk_text_is(kty, "OKP") ? from_curve(state, jwk, KIND_ED, traits)
                                     : raise_status(state, STATUS_JWK_KTY);
}

PyObject *
jwk_read_key(PyObject *type, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"jwk", "algorithm", NULL};
    core_state *state = PyType_GetModuleState((PyTypeObject *)type);
    PyObject *value, *name = Py_None;
    key_traits traits = {0};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|O:from_jwk", keywords,
                                     &value, &name)
        || !key_algorithm(state, name, &traits.alg)) {
        return NULL;
    }
    PyObject *members = jwk_members(state, value);
    PyObject *key =
        members == NULL ? NULL : from_members(state, members, &traits);
    Py_XDECREF(traits.kid);
    Py_XDECREF(members);
    return key;
}
