/* What a JWK says about its key: algorithm, id and use (RFC 7517 4). */
#include "skin.h"

status
jwk_text(PyObject *jwk, const char *name, span *text)
{
    PyObject *value = PyDict_GetItemString(jwk, name);
    *text = (span){NULL, 0};
    if (value == NULL) {
        return STATUS_OK;
    }
    return pytext_is_ascii(value, text) ? STATUS_OK : STATUS_JWK_MEMBER;
}

bool
jwk_text_is(span text, const char *other)
{
    return text.len == strlen(other) && memcmp(text.p, other, text.len) == 0;
}

/* RFC 7517 4.3: an array of strings, none of them twice. */
CHECKED static status
read_key_ops(PyObject *ops, key_traits *traits)
{
    if (!PyList_Check(ops) && !PyTuple_Check(ops)) {
        return STATUS_JWK_MEMBER;
    }
    traits->may_sign = traits->may_verify = false;
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(ops); i++) {
        PyObject *op = PySequence_Fast_GET_ITEM(ops, i);
        if (!PyUnicode_Check(op)) {
            return STATUS_JWK_MEMBER;
        }
        for (Py_ssize_t j = 0; j < i; j++) {
            if (PyUnicode_Compare(op, PySequence_Fast_GET_ITEM(ops, j)) == 0) {
                return STATUS_JWK_MEMBER;
            }
        }
        if (PyUnicode_CompareWithASCIIString(op, "sign") == 0) {
            traits->may_sign = true;
        } else if (PyUnicode_CompareWithASCIIString(op, "verify") == 0) {
            traits->may_verify = true;
        }
    }
    return traits->may_sign || traits->may_verify ? STATUS_OK : STATUS_KEY_USE;
}

CHECKED static status
read_alg(PyObject *jwk, key_traits *traits)
{
    span text;
    status result = jwk_text(jwk, "alg", &text);
    if (result != STATUS_OK || text.p == NULL) {
        return result;
    }
    const alg *named = alg_find(text.p, text.len);
    if (named == NULL || (traits->alg != NULL && traits->alg != named)) {
        return STATUS_JWK_ALG;
    }
    traits->alg = named;
    return STATUS_OK;
}

status
jwk_traits(PyObject *jwk, key_traits *traits)
{
    span use;
    PyObject *ops = PyDict_GetItemString(jwk, "key_ops");
    traits->kid = PyDict_GetItemString(jwk, "kid");
    traits->may_sign = traits->may_verify = true;
    status result = jwk_text(jwk, "use", &use);
    if (result == STATUS_OK && use.p != NULL && !jwk_text_is(use, "sig")) {
        result = STATUS_KEY_USE;
    }
    if (result == STATUS_OK && traits->kid != NULL
        && !PyUnicode_Check(traits->kid)) {
        result = STATUS_JWK_MEMBER;
    }
    if (result == STATUS_OK && ops != NULL) {
        result = read_key_ops(ops, traits);
    }
    return result == STATUS_OK ? read_alg(jwk, traits) : result;
}
