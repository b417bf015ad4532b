/* Text on its way out. */
#include "skin.h"

void
fb_json_out_begin(json_out *text)
{
    text->bytes = text->local;
    text->len = 0;
    text->size = sizeof text->local;
    text->ascii = false;
    text->walks_dicts = false;
    text->ready = NULL;
    text->steps = 0;
}

void
fb_json_out_end(json_out *text)
{
    if (text->bytes != text->local) {
        PyMem_Free(text->bytes);
    }
    for (int i = 0; i < text->steps; i++) {
        Py_XDECREF(text->at[i].name);
    }
}

char *
fb_json_reserve(json_out *text, size_t len)
{
    if (text->size - text->len >= len) {
        return text->bytes + text->len;
    }
    size_t size = text->size * 2;
    if (size - text->len < len) {
        size = text->len + len;
    }
    bool is_own = text->bytes == text->local;
    char *bytes = PyMem_Realloc(is_own ? NULL : text->bytes, size);
    if (bytes == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    if (is_own) {
        memcpy(bytes, text->local, text->len);
    }
    text->bytes = bytes;
    text->size = size;
    return bytes + text->len;
}

bool
fb_json_put(json_out *text, const char *bytes, size_t len)
{
    char *end = fb_json_reserve(text, len);
    if (end == NULL) {
        return false;
    }
    memcpy(end, bytes, len);
    text->len += len;
    return true;
}

PyObject *
fb_json_out_b64url(const json_out *text)
{
    size_t len = fb_b64url_encoded(text->len);
    PyObject *encoded = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)len);
    if (encoded != NULL) {
        fb_b64url_encode((const unsigned char *)text->bytes, text->len,
                         PyBytes_AS_STRING(encoded));
    }
    return encoded;
}
