/* Text on its way out: a buffer, and strings in it. */
#include "skin.h"

void
fb_json_out_begin(json_out *text)
{
    text->bytes = text->local;
    text->len = 0;
    text->size = sizeof text->local;
    text->ascii = false;
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

/* Room for `len` more bytes, or NULL. */
static char *
reserve(json_out *text, size_t len)
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
    char *end = reserve(text, len);
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

/* --- strings ------------------------------------------------------------- */

#define ESCAPE_MAX 6 /* bytes that a character can grow to */

static bool
needs_escape(char c)
{
    return c == '"' || c == '\\' || (unsigned char)c < 0x20;
}

static char *
put_unit(char *out, unsigned unit)
{
    static const char hex[] = "0123456789abcdef";
    memcpy(out, "\\u", 2);
    for (int i = 0; i < 4; i++) {
        out[2 + i] = hex[unit >> (12 - 4 * i) & 15];
    }
    return out + 6;
}

static char *
put_escaped(char *out, char c)
{
    static const char short_forms[32] = {
        ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
    char form = (unsigned char)c >= 0x20 ? c : short_forms[(unsigned char)c];
    if (form == '\0') {
        return put_unit(out, (unsigned char)c);
    }
    *out++ = '\\';
    *out++ = form;
    return out;
}

/* Copies a text in which nothing needs an escape; false if something may.
 * The last eight (or four) bytes overlap the ones before. */
static bool
copy_plain(char *out, const char *in, size_t len)
{
    uint64_t word, found = 0;
    if (len >= 8) {
        for (size_t at = 0; at + 8 < len; at += 8) {
            memcpy(&word, in + at, 8);
            memcpy(out + at, &word, 8);
            found |= json_special(word);
        }
        memcpy(&word, in + len - 8, 8);
        memcpy(out + len - 8, &word, 8);
        return (found | json_special(word)) == 0;
    }
    if (len >= 4) {
        uint32_t first, last;
        memcpy(&first, in, 4);
        memcpy(&last, in + len - 4, 4);
        memcpy(out, &first, 4);
        memcpy(out + len - 4, &last, 4);
        return json_special((uint64_t)first << 32 | last) == 0;
    }
    for (size_t at = 0; at < len; at++) {
        if (needs_escape(in[at])) {
            return false;
        }
        out[at] = in[at];
    }
    return true;
}

/* Needs room for ESCAPE_MAX bytes a byte, and two. */
static char *
put_quoted(char *out, span text)
{
    *out++ = '"';
    if (copy_plain(out, text.p, text.len)) {
        out += text.len;
    } else {
        for (size_t i = 0; i < text.len; i++) {
            if (needs_escape(text.p[i])) {
                out = put_escaped(out, text.p[i]);
            } else {
                *out++ = text.p[i];
            }
        }
    }
    *out++ = '"';
    return out;
}

/* Borrows a string's UTF-8. */
static bool
utf8_of(PyObject *value, span *text)
{
    if (PyUnicode_IS_ASCII(value)) {
        *text =
            (span){PyUnicode_DATA(value), (size_t)PyUnicode_GET_LENGTH(value)};
        return true;
    }
    Py_ssize_t len = 0;
    text->p = PyUnicode_AsUTF8AndSize(value, &len);
    text->len = (size_t)len;
    if (text->p == NULL && PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) {
        PyErr_Clear(); /* it holds the value */
        PyErr_SetString(PyExc_ValueError,
                        "a string to be signed has a lone surrogate");
    }
    return text->p != NULL;
}

#define DEL 0x7f

/* RFC 8259 7: beyond the first plane, two of UTF-16's units. Needs room for
 * two escapes a character, and two. */
static char *
put_ascii(char *out, PyObject *value)
{
    int kind = PyUnicode_KIND(value);
    const void *data = PyUnicode_DATA(value);
    *out++ = '"';
    for (Py_ssize_t i = 0; i < PyUnicode_GET_LENGTH(value); i++) {
        Py_UCS4 c = PyUnicode_READ(kind, data, i);
        if (c > 0xffff) {
            out = put_unit(out, 0xd800 + ((c - 0x10000) >> 10));
            out = put_unit(out, 0xdc00 + (c & 0x3ff));
        } else if (c >= DEL) {
            out = put_unit(out, c);
        } else if (needs_escape((char)c)) {
            out = put_escaped(out, (char)c);
        } else {
            *out++ = (char)c;
        }
    }
    *out++ = '"';
    return out;
}

/* Whether a string, whose UTF-8 is given, has to be written as put_ascii
 * does. */
static bool
goes_beyond(const json_out *text, PyObject *value, span string)
{
    return text->ascii
           && (!PyUnicode_IS_ASCII(value)
               || memchr(string.p, DEL, string.len) != NULL);
}

static bool
write_ascii(json_out *text, PyObject *value)
{
    size_t len = (size_t)PyUnicode_GET_LENGTH(value);
    char *start = reserve(text, len * 2 * ESCAPE_MAX + 2);
    if (start == NULL) {
        return false;
    }
    text->len += (size_t)(put_ascii(start, value) - start);
    return true;
}

bool
fb_json_put_string(json_out *text, PyObject *value)
{
    span string;
    if (!utf8_of(value, &string)) {
        return false;
    }
    if (goes_beyond(text, value, string)) {
        return write_ascii(text, value);
    }
    char *start = reserve(text, string.len * ESCAPE_MAX + 2);
    if (start == NULL) {
        return false;
    }
    text->len += (size_t)(put_quoted(start, string) - start);
    return true;
}

bool
fb_json_put_name(json_out *text, PyObject *name, PyObject *string)
{
    span key, value = {NULL, 0};
    if (!utf8_of(name, &key) || (string != NULL && !utf8_of(string, &value))) {
        return false;
    }
    if (goes_beyond(text, name, key)
        || (string != NULL && goes_beyond(text, string, value))) {
        return fb_json_put_string(text, name) && fb_json_put(text, ":", 1)
               && (string == NULL
                   || (fb_json_put_string(text, string)
                       && fb_json_put(text, ",", 1)));
    }
    char *start = reserve(text, (key.len + value.len) * ESCAPE_MAX + 6);
    if (start == NULL) {
        return false;
    }
    char *out = put_quoted(start, key);
    *out++ = ':';
    if (string != NULL) { /* most are, so they go in one step */
        out = put_quoted(out, value);
        *out++ = ',';
    }
    text->len += (size_t)(out - start);
    return true;
}
