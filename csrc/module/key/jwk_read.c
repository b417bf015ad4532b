/* Keys from JSON Web Keys (RFC 7517, RFC 7518 6, RFC 8037). */
#include "skin.h"

#include <openssl/crypto.h>

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

/* --- members ------------------------------------------------------------- */

typedef struct {
    unsigned char *bytes; /* cleansed by part_clear */
    size_t len;
} part;

static void
part_clear(part *one)
{
    OPENSSL_clear_free(one->bytes, one->len);
    *one = (part){0};
}

static span
part_span(const part *one)
{
    return (span){(const char *)one->bytes, one->len};
}

/* A base64url member (RFC 7518 2); width 0 takes any length but 0. */
CHECKED static status
part_of(PyObject *jwk, const char *name, size_t width, part *out)
{
    span text;
    status result = jwk_text(jwk, name, &text);
    *out = (part){0};
    if (result != STATUS_OK || text.p == NULL) {
        return result;
    }
    size_t len = b64url_decoded(text.len);
    if (len == 0 || len > 2 * SIGNATURE_MAX || (width != 0 && len != width)) {
        return STATUS_JWK_MEMBER;
    }
    out->bytes = OPENSSL_malloc(len);
    out->len = len;
    if (out->bytes == NULL) {
        return STATUS_NO_MEMORY;
    }
    return b64url_decode(text.p, text.len, out->bytes) ? STATUS_OK
                                                       : STATUS_JWK_MEMBER;
}

/* --- reading, one function a kty ----------------------------------------- */

static PyObject *
from_oct(core_state *state, PyObject *jwk, key_traits *traits)
{
    part secret;
    PyObject *key = NULL;
    status result = part_of(jwk, "k", 0, &secret);
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
        result = secret_check(part_span(&secret), traits->alg, false);
    }
    if (result == STATUS_OK) {
        key = key_from_bytes(state, part_span(&secret), traits);
    } else {
        raise_status(state, result);
    }
    part_clear(&secret);
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

/* RFC 7518 6.3.2.2: all of p, q, dp, dq and qi, or none; no `oth`. */
CHECKED static status
check_rsa_parts(PyObject *jwk, const part *parts)
{
    int given = 0;
    for (int i = 3; i < 8; i++) {
        given += parts[i].len > 0;
    }
    for (int i = 0; i < 8; i++) {
        if (parts[i].len > 0 && parts[i].bytes[0] == 0) {
            return STATUS_JWK_MEMBER; /* 2: as few octets as it needs */
        }
    }
    return parts[0].len > 0 && parts[1].len > 0
                   && (given == 0 || (given == 5 && parts[2].len > 0))
                   && PyDict_GetItemString(jwk, "oth") == NULL
               ? STATUS_OK
               : STATUS_JWK_MEMBER;
}

static PyObject *
from_rsa(core_state *state, PyObject *jwk, key_traits *traits)
{
    static const char *const members[8] = {"n", "e",  "d",  "p",
                                           "q", "dp", "dq", "qi"};
    part parts[8] = {{0}};
    EVP_PKEY *evp = NULL;
    status result = STATUS_OK;
    for (int i = 0; i < 8 && result == STATUS_OK; i++) {
        result = part_of(jwk, members[i], 0, &parts[i]);
    }
    if (result == STATUS_OK) {
        result = check_rsa_parts(jwk, parts);
    }
    if (result == STATUS_OK) {
        span all[8];
        for (int i = 0; i < 8; i++) {
            all[i] = part_span(&parts[i]);
        }
        result = pkey_from_rsa(&(rsa_parts){all[0], all[1], all[2], all[3],
                                            all[4], all[5], all[6], all[7]},
                               &evp);
    }
    bool is_private = parts[2].len > 0;
    for (int i = 0; i < 8; i++) {
        part_clear(&parts[i]);
    }
    return from_read(state, result, evp, is_private, traits);
}

/* The private half makes its own public one, which must be the JWK's. */
CHECKED static status
check_edwards_pair(EVP_PKEY *evp, const part *x)
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
    part x = {0}, y = {0}, d = {0};
    bool is_ec = on->kind == KIND_EC;
    status result = part_of(jwk, "x", on->bytes, &x);
    if (result == STATUS_OK && is_ec) {
        result = part_of(jwk, "y", on->bytes, &y);
    }
    if (result == STATUS_OK) {
        result = part_of(jwk, "d", on->bytes, &d);
    }
    if (result == STATUS_OK && (x.len == 0 || (is_ec && y.len == 0))) {
        result = STATUS_JWK_MEMBER;
    }
    if (result == STATUS_OK) {
        result = pkey_from_curve(on, part_span(&x), part_span(&y),
                                 part_span(&d), evp);
    }
    *is_private = d.len > 0;
    if (result == STATUS_OK && !is_ec && *is_private) {
        result = check_edwards_pair(*evp, &x);
    }
    part_clear(&x);
    part_clear(&y);
    part_clear(&d);
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
        return raise_status(state, STATUS_KEY_CURVE);
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

/* A dict of our own: the caller's mapping may change, and need not be a dict.
 * */
static PyObject *
members_of(const core_state *state, PyObject *value)
{
    known_members known;
    PyObject *members;
    if (PyUnicode_Check(value) || PyBytes_Check(value)) {
        span text;
        members = pytext_utf8(state, "jwk", value, STATUS_KEY_UNICODE, &text)
                      ? json_read_object(state, text, &known)
                      : NULL;
    } else {
        members = PyDict_New();
        if (members != NULL && PyDict_Update(members, value) < 0) {
            Py_CLEAR(members);
        }
    }
    if (members == NULL && !PyErr_ExceptionMatches(PyExc_MemoryError)) {
        PyErr_Clear();
        raise_status(state, STATUS_JWK_JSON);
    }
    return members;
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
    PyObject *members = members_of(state, value);
    PyObject *key =
        members == NULL ? NULL : from_members(state, members, &traits);
    Py_XDECREF(members);
    return key;
}
