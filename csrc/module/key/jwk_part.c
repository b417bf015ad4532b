/* The members of a JWK: as objects, as texts, as bytes. */
#include "skin.h"

#include <openssl/crypto.h>

#include "key/jwk.h"

status
jwk_failed(void)
{
    PyErr_Clear();
    return STATUS_NO_MEMORY;
}

void
jwk_part_clear(jwk_bytes *one)
{
    OPENSSL_clear_free(one->bytes, one->len);
    *one = (jwk_bytes){0};
}

span
jwk_part_span(const jwk_bytes *one)
{
    return (span){(const char *)one->bytes, one->len};
}

/* The dict is ours and its names are plain strings, so that nothing but memory
 * can fail. */
status
jwk_member(PyObject *jwk, const char *name, PyObject **value)
{
    PyObject *text = PyUnicode_FromString(name);
    *value = text == NULL ? NULL : PyDict_GetItemWithError(jwk, text);
    Py_XDECREF(text);
    return *value == NULL && PyErr_Occurred() ? jwk_failed() : STATUS_OK;
}

status
jwk_text(PyObject *jwk, const char *name, span *text)
{
    PyObject *value;
    status result = jwk_member(jwk, name, &value);
    *text = (span){NULL, 0};
    if (value == NULL) {
        return result;
    }
    if (!PyUnicode_Check(value) || !PyUnicode_IS_ASCII(value)) {
        return STATUS_JWK_MEMBER;
    }
    *text = (span){PyUnicode_DATA(value), (size_t)PyUnicode_GET_LENGTH(value)};
    return STATUS_OK;
}

status
jwk_part(PyObject *jwk, const char *name, size_t width, jwk_bytes *out)
{
    span text;
    status result = jwk_text(jwk, name, &text);
    *out = (jwk_bytes){0};
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

bool
jwk_text_is(span text, const char *other)
{
    return text.len == strlen(other) && memcmp(text.p, other, text.len) == 0;
}
