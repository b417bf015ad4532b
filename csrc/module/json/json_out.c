/* Text on its way out: a buffer, and strings in it. */
#include "skin.h"

void
fb_json_out_begin(json_out *text)
{
    text->bytes = text->local;
    text->len = 0;
    text->size = sizeof text->local;
    text->ascii = false;
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

typedef unsigned char sixteen __attribute__((vector_size(16)));

/* Copies 16 bytes; those that need an escape have bits in what is returned. */
static sixteen
copy_sixteen(char *out, const char *in)
{
    sixteen bytes;
    memcpy(&bytes, in, sizeof bytes);
    memcpy(out, &bytes, sizeof bytes);
    return (sixteen)(bytes < 0x20) | (sixteen)(bytes == '"')
           | (sixteen)(bytes == '\\');
}

static bool
is_any(sixteen found)
{
    uint64_t halves[2];
    memcpy(halves, &found, sizeof found);
    return (halves[0] | halves[1]) != 0;
}

/* Fewer than 16 bytes; the last four overlap the ones before. */
static bool
copy_short(char *out, const char *in, size_t len)
{
    char padded[16] = "                ";
    if (len >= 8) {
        memcpy(padded, in, 8);
        memcpy(padded + 8, in + len - 8, 8);
        memcpy(out, padded, 8);
        memcpy(out + len - 8, padded + 8, 8);
    } else if (len >= 4) {
        memcpy(padded, in, 4);
        memcpy(padded + 8, in + len - 4, 4);
        memcpy(out, padded, 4);
        memcpy(out + len - 4, padded + 8, 4);
    } else {
        for (size_t at = 0; at < len; at++) {
            out[at] = padded[at] = in[at];
        }
    }
    return !is_any(copy_sixteen(padded, padded));
}

/* Copies a text in which nothing needs an escape; false if something does.
 * The last 16 bytes overlap the ones before. */
static bool
copy_plain(char *out, const char *in, size_t len)
{
    if (len < sizeof(sixteen)) {
        return copy_short(out, in, len);
    }
    size_t last = len - sizeof(sixteen);
    sixteen found = copy_sixteen(out + last, in + last);
    for (size_t at = 0; at < last; at += sizeof(sixteen)) {
        found |= copy_sixteen(out + at, in + at);
    }
    return !is_any(found);
}

/* Needs room for ESCAPE_MAX bytes a byte. */
static char *
copy_escaped(char *out, span text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (needs_escape(text.p[i])) {
            out = put_escaped(out, text.p[i]);
        } else {
            *out++ = text.p[i];
        }
    }
    return out;
}

/* Writes "text" and, after it, what follows. */
static bool
put_quoted(json_out *text, span string, char after)
{
    char *start = fb_json_reserve(text, string.len + 3);
    if (start == NULL) {
        return false;
    }
    char *end = start + 1 + string.len;
    if (!copy_plain(start + 1, string.p, string.len)) {
        start = fb_json_reserve(text, string.len * ESCAPE_MAX + 3);
        if (start == NULL) {
            return false;
        }
        end = copy_escaped(start + 1, string);
    }
    *start = '"';
    *end++ = '"';
    *end++ = after;
    text->len += (size_t)(end - start);
    return true;
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
put_ascii_quoted(json_out *text, PyObject *value, char after)
{
    size_t len = (size_t)PyUnicode_GET_LENGTH(value);
    char *start = fb_json_reserve(text, len * 2 * ESCAPE_MAX + 3);
    if (start == NULL) {
        return false;
    }
    char *end = put_ascii(start, value);
    *end++ = after;
    text->len += (size_t)(end - start);
    return true;
}

bool
fb_json_put_string(json_out *text, PyObject *value, char after)
{
    span string;
    return utf8_of(value, &string)
           && (goes_beyond(text, value, string)
                   ? put_ascii_quoted(text, value, after)
                   : put_quoted(text, string, after));
}

static bool
put_new_name(json_out *text, PyObject *name)
{
    size_t start = text->len;
    if (!fb_json_put_string(text, name, ':')) {
        return false;
    }
    if (text->ready != NULL) {
        fb_json_ready_keep(text->ready, name,
                           (span){text->bytes + start, text->len - start});
    }
    return true;
}

bool
fb_json_put_name(json_out *text, PyObject *name)
{
    const json_ready_name *ready =
        text->ready == NULL ? NULL : json_ready_find(text->ready, name);
    if (ready == NULL) {
        return put_new_name(text, name);
    }
    char *start = fb_json_reserve(text, sizeof ready->text);
    if (start == NULL) {
        return false;
    }
    memcpy(start, ready->text, sizeof ready->text);
    text->len += ready->len;
    return true;
}
