/* Keys from JSON Web Keys (RFC 7517, RFC 7518 6, RFC 8037). */
#include "skin.h"

#include "key/jwk.h"

const char fb_jwk_read_key_doc[] =
    "from_jwk($type, /, jwk, algorithm=None, *, lenient=False)\n"
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
    "    lenient: Takes what other writers leave in a public key and what\n"
    "        cannot confuse which key is meant: members that are null or\n"
    "        empty, leading zero octets, padded or standard base64.\n"
    "\n"
    "Raises:\n"
    "    InvalidKeyError: The JWK breaks a rule; the message names the rule,\n"
    "        and `member` the member.";

/* --- what a refusal is about --------------------------------------------- */

static const char *
member_of(const jwk *from, status failed)
{
    switch (failed) {
    case STATUS_JWK_MEMBER:
    case STATUS_KEY_USE:
    case STATUS_KEY_PAIR:
        return from->at;
    case STATUS_JWK_KTY:
        return "kty";
    case STATUS_JWK_ALG:
    case STATUS_KEY_UNSUITED:
        return "alg";
    case STATUS_KEY_CURVE:
        return "crv";
    case STATUS_KEY_POINT:
        return "x";
    case STATUS_KEY_RSA_SIZE:
    case STATUS_KEY_RSA_ROCA:
        return "n";
    case STATUS_KEY_RSA_EXPONENT:
        return "e";
    case STATUS_KEY_EMPTY:
    case STATUS_KEY_SHORT:
    case STATUS_KEY_IS_PEM:
    case STATUS_KEY_IS_SSH:
    case STATUS_KEY_IS_JWK:
    case STATUS_KEY_IS_DER:
        return "k";
    default:
        return NULL;
    }
}

static PyObject *
refuse(const core_state *state, const jwk *from, status failed)
{
    return fb_raise_member(state, failed, member_of(from, failed));
}

/* --- reading, one function a kty ----------------------------------------- */

static PyObject *
from_oct(core_state *state, jwk *from, key_traits *traits)
{
    jwk_bytes secret;
    PyObject *key = NULL;
    status result = fb_jwk_part(from, "k", 0, &secret);
    if (traits->alg == NULL) {
        traits->alg = fb_alg_find("HS256", 5);
    }
    if (result == STATUS_OK && secret.len == 0) {
        result = STATUS_JWK_MEMBER;
    }
    if (result == STATUS_OK && traits->alg->kind != KIND_HMAC) {
        result = STATUS_KEY_UNSUITED;
    }
    if (result == STATUS_OK) {
        result =
            fb_secret_check(fb_jwk_part_span(&secret), traits->alg, false);
    }
    if (result == STATUS_OK) {
        key = fb_key_from_bytes(state, fb_jwk_part_span(&secret), traits);
    } else {
        refuse(state, from, result);
    }
    fb_jwk_part_clear(&secret);
    return key;
}

/* RFC 7517 4.3: a public key that may do other things only verifies nothing;
 * that a private one may not sign is told when it shall. */
CHECKED static status
check_traits(jwk *from, bool is_private, const key_traits *traits)
{
    if (traits->alg != NULL && traits->alg->kind == KIND_HMAC) {
        return STATUS_KEY_UNSUITED;
    }
    if (!is_private && !traits->may_verify) {
        from->at = "key_ops";
        return STATUS_KEY_USE;
    }
    return STATUS_OK;
}

/* Takes over what was read, if the result says that it was. */
static PyObject *
from_read(core_state *state, jwk *from, status result, EVP_PKEY *evp,
          bool is_private, key_traits *traits)
{
    pkey made;
    if (result == STATUS_OK) {
        result = check_traits(from, is_private, traits);
    }
    if (result != STATUS_OK) {
        EVP_PKEY_free(evp);
        return refuse(state, from, result);
    }
    from->at = "d";
    result = fb_key_prepare(state, evp, traits, &made);
    return result == STATUS_OK ? fb_key_from_pkey(state, &made, traits)
                               : refuse(state, from, result);
}

static PyObject *
from_rsa(core_state *state, jwk *from, key_traits *traits)
{
    EVP_PKEY *evp = NULL;
    bool is_private = false;
    status result = fb_jwk_rsa(from, &evp, &is_private);
    return from_read(state, from, result, evp, is_private, traits);
}

/* The private half makes its own public one, which must be the JWK's. */
CHECKED static status
check_edwards_pair(EVP_PKEY *evp, const jwk_bytes *x)
{
    unsigned char made[EDWARDS_MAX];
    size_t len;
    status result = fb_pkey_raw(evp, false, made, &len);
    if (result != STATUS_OK) {
        return result;
    }
    return len == x->len && memcmp(made, x->bytes, len) == 0 ? STATUS_OK
                                                             : STATUS_KEY_PAIR;
}

/* RFC 7518 6.2.1, RFC 8037 2: of a point both coordinates, of an Edwards key
 * its octets. */
CHECKED static status
read_curve_parts(jwk *from, const curve *on, jwk_bytes *x, jwk_bytes *y,
                 jwk_bytes *d)
{
    bool is_ec = on->kind == KIND_EC;
    status (*read)(jwk *, const char *, size_t, jwk_bytes *) =
        is_ec ? fb_jwk_number : fb_jwk_part;
    status result = read(from, "x", on->bytes, x);
    if (result == STATUS_OK && x->len == 0) {
        return STATUS_JWK_MEMBER;
    }
    if (result == STATUS_OK && is_ec) {
        result = read(from, "y", on->bytes, y);
        if (result == STATUS_OK && y->len == 0) {
            return STATUS_JWK_MEMBER;
        }
    }
    return result == STATUS_OK ? read(from, "d", on->bytes, d) : result;
}

CHECKED static status
read_curve_key(jwk *from, const curve *on, EVP_PKEY **evp, bool *is_private)
{
    jwk_bytes x = {0}, y = {0}, d = {0};
    status result = read_curve_parts(from, on, &x, &y, &d);
    if (result == STATUS_OK) {
        Py_BEGIN_ALLOW_THREADS;
        result =
            fb_pkey_from_curve(on, fb_jwk_part_span(&x), fb_jwk_part_span(&y),
                               fb_jwk_part_span(&d), evp);
        Py_END_ALLOW_THREADS;
    }
    *is_private = d.len > 0;
    if (result == STATUS_OK && on->kind == KIND_ED && *is_private) {
        result = check_edwards_pair(*evp, &x);
    }
    fb_jwk_part_clear(&x);
    fb_jwk_part_clear(&y);
    fb_jwk_part_clear(&d);
    return result;
}

static PyObject *
from_curve(core_state *state, jwk *from, alg_kind kind, key_traits *traits)
{
    span name;
    EVP_PKEY *evp = NULL;
    bool is_private = false;
    status result = fb_jwk_text(from, "crv", &name);
    const curve *on = result == STATUS_OK && name.p != NULL
                          ? fb_alg_find_curve(name.p, name.len)
                          : NULL;
    if (on == NULL || on->kind != kind || !fb_jwk_text_is(name, on->name)) {
        return refuse(state, from,
                      result == STATUS_NO_MEMORY ? result : STATUS_KEY_CURVE);
    }
    result = read_curve_key(from, on, &evp, &is_private);
    return from_read(state, from, result, evp, is_private, traits);
}

static PyObject *
from_members(core_state *state, jwk *from, key_traits *traits)
{
    span kty;
    status result = fb_jwk_text(from, "kty", &kty);
    if (result == STATUS_OK && kty.p == NULL) {
        result = STATUS_JWK_KTY;
    }
    if (result == STATUS_OK) {
        result = fb_jwk_traits(from, traits);
    }
    if (result != STATUS_OK) {
        return refuse(state, from, result);
    }
    return fb_jwk_text_is(kty, "oct")   ? from_oct(state, from, traits)
           : fb_jwk_text_is(kty, "RSA") ? from_rsa(state, from, traits)
           : fb_jwk_text_is(kty, "EC")
               ? from_curve(state, from, KIND_EC, traits)
           : fb_jwk_text_is(kty, "OKP")
               ? from_curve(state, from, KIND_ED, traits)
               : refuse(state, from, STATUS_JWK_KTY);
}

static PyObject *
key_of(core_state *state, PyObject *value, bool is_lenient, key_traits *traits)
{
    PyObject *kept = PyList_New(0);
    if (kept == NULL) {
        return NULL;
    }
    jwk from = {fb_jwk_members(state, value, kept), NULL, is_lenient};
    PyObject *key =
        from.members == NULL ? NULL : from_members(state, &from, traits);
    Py_XDECREF(traits->kid);
    Py_XDECREF(from.members);
    fb_secret_text_wipe(kept);
    Py_DECREF(kept);
    return key;
}

static PyObject *
read_key(PyObject *type, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"jwk", "algorithm", "lenient", NULL};
    core_state *state = PyType_GetModuleState((PyTypeObject *)type);
    PyObject *value, *name = Py_None;
    int is_lenient = 0;
    key_traits traits = {0};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|O$p:from_jwk", keywords,
                                     &value, &name, &is_lenient)
        || !fb_key_algorithm(state, name, &traits.alg)) {
        return NULL;
    }
    return key_of(state, value, is_lenient != 0, &traits);
}

PyObject *
fb_jwk_read_key(PyObject *type, PyObject *args, PyObject *kwargs)
{
    return fb_option_hold(read_key, type, args, kwargs);
}

/* --- entries of sets ----------------------------------------------------- */

PyDoc_STRVAR(set_key_doc,
"jwk_set_key($module, jwk, lenient, /)\n"
"--\n"
"\n"
"Read the key of an entry of a JWK Set; see fastbearer.KeySet.from_jwks.\n"
"\n"
"One that names no algorithm serves those of its family (RFC 7517 4.4).\n"
"\n"
"Raises:\n"
"    InvalidKeyError: The entry breaks a rule; the message names the rule,\n"
"        and `member` the member.");

static PyObject *
jwk_set_key(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    key_traits traits = {.is_open = true};
    if (count != 2) {
        PyErr_SetString(PyExc_TypeError,
                        "jwk_set_key() takes a JWK and whether to be lenient");
        return NULL;
    }
    /* The text of a JWK is none of a set's entries (RFC 7517 5.1). */
    if (PyUnicode_Check(args[0]) || PyBytes_Check(args[0])) {
        return fb_raise_status(state_of(module), STATUS_JWK_JSON);
    }
    return key_of(state_of(module), args[0], args[1] == Py_True, &traits);
}

PyMethodDef fb_jwk_methods[] = {
    {"jwk_set_key", (PyCFunction)(void (*)(void))jwk_set_key, METH_FASTCALL,
     set_key_doc},
    {NULL, NULL, 0, NULL},
};
