/* The headers that a key has ready. */
#include "skin.h"

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

bool
ready_make(KeyObject *key)
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
