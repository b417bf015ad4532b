/* A strict, compact JSON writer: what it writes, the reader accepts. */
#include "module.h"

#include <math.h>

void
json_out_begin(json_out *text)
{
    text->bytes = text->room;
    text->len = 0;
    text->size = sizeof text->room;
}

void
json_out_end(json_out *text)
{
    if (text->bytes != text->room) {
        PyMem_Free(text->bytes);
    }
}

/* Room for `len` more bytes, or NULL. */
static char *
make_room(json_out *text, size_t len)
{
    if (text->size - text->len >= len) {
        return text->bytes + text->len;
    }
    size_t size = text->size * 2;
    if (size - text->len < len) {
        size = text->len + len;
    }
    bool is_own = text->bytes == text->room;
    char *bytes = PyMem_Realloc(is_own ? NULL : text->bytes, size);
    if (bytes == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    if (is_own) {
        memcpy(bytes, text->room, text->len);
    }
    text->bytes = bytes;
    text->size = size;
    return bytes + text->len;
}

bool
json_put(json_out *text, const char *bytes, size_t len)
{
    char *room = make_room(text, len);
    if (room == NULL) {
        return false;
    }
    memcpy(room, bytes, len);
    text->len += len;
    return true;
}

/* --- strings ------------------------------------------------------------------- */

#define ESCAPE_MAX 6 /* bytes that a character can grow to */

static bool
needs_escape(char c)
{
    return c == '"' || c == '\\' || (unsigned char)c < 0x20;
}

static char *
put_escaped(char *out, char c)
{
    static const char hex[] = "0123456789abcdef";
    static const char short_forms[32] = {
        ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
    char form = (unsigned char)c >= 0x20 ? c : short_forms[(unsigned char)c];
    *out++ = '\\';
    if (form != '\0') {
        *out++ = form;
        return out;
    }
    memcpy(out, "u00", 3);
    out[3] = hex[(unsigned char)c >> 4];
    out[4] = hex[c & 15];
    return out + 5;
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

static bool
write_string(json_out *text, PyObject *value)
{
    span string;
    if (!utf8_of(value, &string)) {
        return false;
    }
    char *start = make_room(text, string.len * ESCAPE_MAX + 2);
    if (start == NULL) {
        return false;
    }
    text->len += (size_t)(put_quoted(start, string) - start);
    return true;
}

/* --- numbers -------------------------------------------------------------------- */

static bool
write_small(json_out *text, long long value)
{
    char digits[20], *p = digits + sizeof digits;
    unsigned long long rest =
        value < 0 ? 0 - (unsigned long long)value : (unsigned long long)value;
    do {
        *--p = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (value < 0) {
        *--p = '-';
    }
    return json_put(text, p, (size_t)(digits + sizeof digits - p));
}

/* ValueError for more digits than a reader takes; a subclass's own __str__
 * is not asked. */
static bool
write_integer(json_out *text, PyObject *value)
{
    int overflow;
    long long small = PyLong_AsLongLongAndOverflow(value, &overflow);
    if (overflow == 0) {
        return (small != -1 || !PyErr_Occurred()) && write_small(text, small);
    }
    PyObject *digits = PyNumber_ToBase(value, 10);
    bool ok = false;
    if (digits != NULL) {
        Py_ssize_t len = PyUnicode_GET_LENGTH(digits);
        const char *first = PyUnicode_DATA(digits);
        if (len - (*first == '-') > JSON_DIGITS_MAX) {
            PyErr_SetString(PyExc_ValueError,
                            "an integer to be signed has too many digits");
        } else {
            ok = json_put(text, first, (size_t)len);
        }
        Py_DECREF(digits);
    }
    return ok;
}

static bool
write_real(json_out *text, PyObject *value)
{
    double number = PyFloat_AS_DOUBLE(value);
    if (!isfinite(number)) {
        PyErr_SetString(PyExc_ValueError, "JSON has no NaN and no Infinity");
        return false;
    }
    char *digits =
        PyOS_double_to_string(number, 'r', 0, Py_DTSF_ADD_DOT_0, NULL);
    bool ok = digits != NULL && json_put(text, digits, strlen(digits));
    PyMem_Free(digits);
    return ok;
}

/* --- containers -------------------------------------------------------------------- */

/* Writes "name":value, with a comma behind it; the last one is taken back. */
static bool
write_member(json_out *text, PyObject *name, PyObject *value, int level)
{
    span key, string = {NULL, 0};
    if (!PyUnicode_Check(name)) {
        PyErr_SetString(PyExc_TypeError, "names in JSON must be strings");
        return false;
    }
    bool is_string = PyUnicode_Check(value);
    if (!utf8_of(name, &key) || (is_string && !utf8_of(value, &string))) {
        return false;
    }
    char *start = make_room(text, (key.len + string.len) * ESCAPE_MAX + 6);
    if (start == NULL) {
        return false;
    }
    char *out = put_quoted(start, key);
    *out++ = ':';
    if (is_string) { /* most are, so they go in one step */
        out = put_quoted(out, string);
        *out++ = ',';
    }
    text->len += (size_t)(out - start);
    return is_string
           || (json_write(text, value, level + 1) && json_put(text, ",", 1));
}

bool
json_write_member(json_out *text, PyObject *name, PyObject *value)
{
    return write_member(text, name, value, 1);
}

static bool
write_members(json_out *text, PyObject *object, int level)
{
    PyObject *name, *value;
    Py_ssize_t position = 0;
    bool ok = true;
#ifdef Py_GIL_DISABLED
    Py_BEGIN_CRITICAL_SECTION(object);
#endif
    while (ok && PyDict_Next(object, &position, &name, &value)) {
        ok = write_member(text, name, value, level);
    }
#ifdef Py_GIL_DISABLED
    Py_END_CRITICAL_SECTION();
#endif
    return ok;
}

bool
json_close(json_out *text, char bracket)
{
    char *last = text->bytes + text->len - 1;
    if (*last == ',') {
        *last = bracket;
        return true;
    }
    return json_put(text, &bracket, 1);
}

static bool
write_items(json_out *text, PyObject *array, int level)
{
    bool ok = true;
#ifdef Py_GIL_DISABLED
    Py_BEGIN_CRITICAL_SECTION(array);
#endif
    for (Py_ssize_t i = 0; ok && i < PySequence_Fast_GET_SIZE(array); i++) {
        ok = json_write(text, PySequence_Fast_GET_ITEM(array, i), level + 1)
             && json_put(text, ",", 1);
    }
#ifdef Py_GIL_DISABLED
    Py_END_CRITICAL_SECTION();
#endif
    return ok;
}

static bool
write_container(json_out *text, PyObject *value, int level)
{
    if (level > JSON_DEPTH_MAX) { /* also where a value holds itself */
        PyErr_SetString(PyExc_ValueError,
                        "JSON to be signed has more than 32 levels");
        return false;
    }
    return PyDict_Check(value)
               ? json_put(text, "{", 1) && write_members(text, value, level)
                     && json_close(text, '}')
               : json_put(text, "[", 1) && write_items(text, value, level)
                     && json_close(text, ']');
}

bool
json_write(json_out *text, PyObject *value, int level)
{
    if (PyUnicode_Check(value)) {
        return write_string(text, value);
    }
    if (PyBool_Check(value)) {
        return value == Py_True ? json_put(text, "true", 4)
                                : json_put(text, "false", 5);
    }
    if (PyLong_Check(value)) {
        return write_integer(text, value);
    }
    if (PyDict_Check(value) || PyList_Check(value) || PyTuple_Check(value)) {
        return write_container(text, value, level);
    }
    if (value == Py_None) {
        return json_put(text, "null", 4);
    }
    if (PyFloat_Check(value)) {
        return write_real(text, value);
    }
    PyErr_Format(PyExc_TypeError, "JSON has no type for a %.100s",
                 Py_TYPE(value)->tp_name);
    return false;
}
