/* Strings as JSON has them, and names of members. */
#include "skin.h"

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

/* Bits for those bytes that need an escape. */
static sixteen
escapes(sixteen bytes)
{
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

static sixteen
copy_sixteen(char *out, const char *in)
{
    sixteen bytes;
    memcpy(&bytes, in, sizeof bytes);
    memcpy(out, &bytes, sizeof bytes);
    return escapes(bytes);
}

/* Copies four to eight bytes, which may overlap, and returns all of them. */
static uint64_t
copy_eight(char *out, const char *in, size_t len)
{
    uint32_t first, last;
    memcpy(&first, in, 4);
    memcpy(&last, in + len - 4, 4);
    memcpy(out, &first, 4);
    memcpy(out + len - 4, &last, 4);
    return first | (uint64_t)last << 32;
}

/* Fewer than 16 bytes; they are looked at in registers. */
static bool
copy_short(char *out, const char *in, size_t len)
{
    typedef uint64_t two __attribute__((vector_size(16)));
    const uint64_t spaces = 0x2020202020202020;
    two bytes = {spaces, spaces};
    if (len > 8) {
        bytes = (two){copy_eight(out, in, 8),
                      copy_eight(out + len - 8, in + len - 8, 8)};
    } else if (len >= 4) {
        bytes[0] = copy_eight(out, in, len);
    } else {
        for (size_t at = 0; at < len; at++) {
            out[at] = in[at];
            bytes[0] = bytes[0] << 8 | (unsigned char)in[at];
        }
    }
    return !is_any(escapes((sixteen)bytes));
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

static inline const json_ready_name *
ready_of(const json_out *text, PyObject *name)
{
    return text->ready == NULL ? NULL : json_ready_find(text->ready, name);
}

bool
fb_json_put_name(json_out *text, PyObject *name)
{
    const json_ready_name *ready = ready_of(text, name);
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

/* The text of a member that is most usual: a name that is ready, and a plain
 * string of ASCII that needs no escape. */
bool
fb_json_put_ready(json_out *text, PyObject *name, PyObject *value)
{
    if (text->ascii || !PyUnicode_CheckExact(value)
        || !PyUnicode_IS_COMPACT_ASCII(value)) {
        return false;
    }
    const json_ready_name *ready = ready_of(text, name);
    size_t len = (size_t)PyUnicode_GET_LENGTH(value);
    if (ready == NULL
        || text->size - text->len < sizeof ready->text + len + 3) {
        return false;
    }
    char *start = text->bytes + text->len;
    memcpy(start, ready->text, sizeof ready->text);
    start += ready->len;
    if (!copy_plain(start + 1, PyUnicode_DATA(value), len)) {
        return false;
    }
    start[0] = '"';
    memcpy(start + 1 + len, "\",", 2);
    text->len += ready->len + len + 3;
    return true;
}
