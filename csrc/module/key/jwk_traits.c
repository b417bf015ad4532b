/* What a JWK says of its use: RFC 7517 4.2 to 4.5. */
#include "skin.h"

#include "key/jwk.h"

static bool
is_twice(PyObject *ops, Py_ssize_t at)
{
    PyObject *op = PyTuple_GET_ITEM(ops, at);
    for (Py_ssize_t i = 0; i < at; i++) {
        if (PyUnicode_Compare(op, PyTuple_GET_ITEM(ops, i)) == 0) {
            return true;
        }
    }
    return false;
}

/* RFC 7517 4.3: strings, none of them twice. */
CHECKED static status
read_ops(const jwk *from, PyObject *ops, key_traits *traits)
{
    if (PyTuple_GET_SIZE(ops) > KEY_OPS_MAX) {
        return STATUS_KEY_COSTLY;
    }
    traits->may_sign = traits->may_verify = false;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(ops); i++) {
        PyObject *op = PyTuple_GET_ITEM(ops, i);
        if (!PyUnicode_Check(op) || (is_twice(ops, i) && !from->is_lenient)) {
            return STATUS_JWK_MEMBER;
        }
        if (PyUnicode_CompareWithASCIIString(op, "sign") == 0) {
            traits->may_sign = true;
        } else if (PyUnicode_CompareWithASCIIString(op, "verify") == 0) {
            traits->may_verify = true;
        }
    }
    return traits->may_sign || traits->may_verify ? STATUS_OK : STATUS_KEY_USE;
}

/* The array is the caller's, who may change it meanwhile: it is copied. */
CHECKED static status
read_key_ops(jwk *from, key_traits *traits)
{
    PyObject *array;
    status result = fb_jwk_member(from, "key_ops", &array);
    if (array == NULL) {
        return result;
    }
    if (!PyList_Check(array) && !PyTuple_Check(array)) {
        return STATUS_JWK_MEMBER;
    }
    PyObject *ops =
        PyList_Check(array) ? PyList_AsTuple(array) : Py_NewRef(array);
    if (ops == NULL) {
        return fb_jwk_failed();
    }
    result = read_ops(from, ops, traits);
    Py_DECREF(ops);
    return result;
}

/* RFC 9864 4.1.2: EdDSA is what Ed25519 or Ed448 was called before. Which of
 * them suits the curve is asked when the key is made. */
static bool
is_same(const alg *a, const alg *b)
{
    return a == b
           || (a->kind == KIND_ED && b->kind == KIND_ED
               && (a->curve == NULL || b->curve == NULL));
}

CHECKED static status
read_alg(jwk *from, key_traits *traits)
{
    span text;
    status result = fb_jwk_text(from, "alg", &text);
    if (result != STATUS_OK || text.p == NULL) {
        return result;
    }
    const alg *named = fb_alg_find(text.p, text.len);
    const alg *wanted = traits->alg;
    if (named == NULL || (wanted != NULL && !is_same(named, wanted))) {
        return STATUS_JWK_ALG;
    }
    traits->alg = wanted != NULL ? wanted : named;
    traits->is_open = false;
    return STATUS_OK;
}

/* RFC 7517 4.5; a lone surrogate could stand in no header. */
CHECKED static status
read_kid(jwk *from, key_traits *traits)
{
    PyObject *kid;
    status result = fb_jwk_member(from, "kid", &kid);
    if (kid == NULL) {
        return result;
    }
    if (!PyUnicode_Check(kid)) {
        return STATUS_JWK_MEMBER;
    }
    if (PyUnicode_AsUTF8AndSize(kid, NULL) != NULL) {
        traits->kid = PyUnicode_FromObject(kid);
        return traits->kid != NULL ? STATUS_OK : fb_jwk_failed();
    }
    if (PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) {
        PyErr_Clear();
        return STATUS_JWK_MEMBER;
    }
    return fb_jwk_failed();
}

CHECKED static status
read_use(jwk *from)
{
    span use;
    status result = fb_jwk_text(from, "use", &use);
    return result == STATUS_OK && use.p != NULL && !fb_jwk_text_is(use, "sig")
               ? STATUS_KEY_USE
               : result;
}

status
fb_jwk_traits(jwk *from, key_traits *traits)
{
    traits->may_sign = traits->may_verify = true;
    status result = read_use(from);
    if (result == STATUS_OK) {
        result = read_kid(from, traits);
    }
    if (result == STATUS_OK) {
        result = read_key_ops(from, traits);
    }
    return result == STATUS_OK ? read_alg(from, traits) : result;
}
