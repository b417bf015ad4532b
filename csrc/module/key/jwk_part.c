/* The members of a JWK: as objects, as texts, as bytes. */
#include "skin.h"

#include <openssl/crypto.h>

#include "key/jwk.h"

#define LENIENT_MAX (8 * SIGNATURE_MAX) /* characters of a number */

status
fb_jwk_failed(void)
{
    PyErr_Clear();
    return STATUS_NO_MEMORY;
}

void
fb_jwk_part_clear(jwk_bytes *one)
{
    OPENSSL_clear_free(one->bytes, one->len);
    *one = (jwk_bytes){0};
}

span
fb_jwk_part_span(const jwk_bytes *one)
{
    return (span){(const char *)one->bytes, one->len};
}

/* What serialisers write that leave no member out. */
static bool
is_nothing(PyObject *value)
{
    return value == Py_None
           || (PyUnicode_Check(value) && PyUnicode_GET_LENGTH(value) == 0)
           || (PyList_Check(value) && PyList_GET_SIZE(value) == 0)
           || (PyTuple_Check(value) && PyTuple_GET_SIZE(value) == 0);
}

/* The dict is ours and its names are plain strings, so that nothing but memory
 * can fail. */
status
fb_jwk_member(jwk *from, const char *name, PyObject **value)
{
    PyObject *text = PyUnicode_FromString(name);
    from->at = name;
    *value =
        text == NULL ? NULL : PyDict_GetItemWithError(from->members, text);
    Py_XDECREF(text);
    if (*value == NULL) {
        return PyErr_Occurred() ? fb_jwk_failed() : STATUS_OK;
    }
    if (from->is_lenient && is_nothing(*value)) {
        *value = NULL;
    }
    return STATUS_OK;
}

status
fb_jwk_text(jwk *from, const char *name, span *text)
{
    PyObject *value;
    status result = fb_jwk_member(from, name, &value);
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

/* The same text as it should be, in `out`, which has room for as much; returns
 * its length. */
static size_t
tidy(span text, char *out)
{
    size_t len = 0;
    while (text.len > 0 && text.p[text.len - 1] == '=') {
        text.len--;
    }
    for (size_t i = 0; i < text.len; i++) {
        char c = text.p[i];
        if (c != ' ' && c != '\t' && c != '\r' && c != '\n') {
            out[len++] = (char)(c == '+' ? '-' : c == '/' ? '_' : c);
        }
    }
    return len;
}

/* A new block of the bytes that the text stands for. */
CHECKED static status
decode(span text, jwk_bytes *out)
{
    size_t len = fb_b64url_decoded(text.len);
    if (len == 0 || len > 2 * SIGNATURE_MAX) {
        return STATUS_JWK_MEMBER;
    }
    out->bytes = OPENSSL_malloc(len);
    out->len = len;
    if (out->bytes == NULL) {
        return STATUS_NO_MEMORY;
    }
    return fb_b64url_decode(text.p, text.len, out->bytes) ? STATUS_OK
                                                          : STATUS_JWK_MEMBER;
}

CHECKED static status
decode_leniently(span text, jwk_bytes *out)
{
    if (text.len > LENIENT_MAX) {
        return STATUS_JWK_MEMBER;
    }
    char *tidied = OPENSSL_malloc(text.len);
    if (tidied == NULL) {
        return STATUS_NO_MEMORY;
    }
    status result = decode((span){tidied, tidy(text, tidied)}, out);
    OPENSSL_clear_free(tidied, text.len);
    return result;
}

CHECKED static status
read_bytes(jwk *from, const char *name, jwk_bytes *out)
{
    span text;
    status result = fb_jwk_text(from, name, &text);
    *out = (jwk_bytes){0};
    if (result != STATUS_OK || text.p == NULL) {
        return result;
    }
    return from->is_lenient && text.len > 0 ? decode_leniently(text, out)
                                            : decode(text, out);
}

status
fb_jwk_part(jwk *from, const char *name, size_t width, jwk_bytes *out)
{
    status result = read_bytes(from, name, out);
    return result == STATUS_OK && width != 0 && out->len != 0
                   && out->len != width
               ? STATUS_JWK_MEMBER
               : result;
}

/* Java's BigInteger writes a sign octet, and others no leading zeros. */
CHECKED static status
fit(jwk_bytes *number, size_t width)
{
    size_t zeros = 0;
    while (zeros < number->len && number->bytes[zeros] == 0) {
        zeros++;
    }
    size_t len = number->len - zeros;
    size_t wanted = width == 0 ? len : width;
    if (len == 0 || len > wanted) {
        return STATUS_JWK_MEMBER;
    }
    jwk_bytes fitted = {OPENSSL_zalloc(wanted), wanted};
    if (fitted.bytes == NULL) {
        return STATUS_NO_MEMORY;
    }
    memcpy(fitted.bytes + wanted - len, number->bytes + zeros, len);
    fb_jwk_part_clear(number);
    *number = fitted;
    return STATUS_OK;
}

status
fb_jwk_number(jwk *from, const char *name, size_t width, jwk_bytes *out)
{
    status result = read_bytes(from, name, out);
    if (result != STATUS_OK || out->len == 0) {
        return result;
    }
    if (from->is_lenient) {
        return fit(out, width);
    }
    bool is_right = width == 0 ? out->bytes[0] != 0 : out->len == width;
    return is_right ? STATUS_OK : STATUS_JWK_MEMBER;
}

bool
fb_jwk_text_is(span text, const char *other)
{
    return text.len == strlen(other) && memcmp(text.p, other, text.len) == 0;
}
