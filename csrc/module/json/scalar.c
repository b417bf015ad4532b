/* Strings and numbers from the events of a JSON cursor. */
#include "skin.h"

#include <math.h>

#include <openssl/crypto.h>

#include "json/reader.h"

/* --- strings ------------------------------------------------------------- */

/* The text, once plain, is looked up like any other: an escape must not hide
 * a name from the checks. */
static PyObject *
make_unescaped(span text, const names *all, const common_name **common)
{
    char local[256];
    char *plain = text.len <= sizeof local ? local : PyMem_Malloc(text.len);
    *common = NULL;
    if (plain == NULL) {
        return PyErr_NoMemory();
    }
    size_t len = fb_json_unescape(text, plain);
    PyObject *made = PyUnicode_DecodeUTF8(plain, (Py_ssize_t)len, NULL);
    *common = fb_names_find(all, (span){plain, len});
    OPENSSL_cleanse(plain, len); /* it may be a private member of a key */
    if (plain != local) {
        PyMem_Free(plain);
    }
    return made;
}

static PyObject *
make_plain(const json_cursor *at)
{
    return at->is_ascii ? reader_ascii(at->text)
                        : PyUnicode_DecodeUTF8(at->text.p,
                                               (Py_ssize_t)at->text.len, NULL);
}

PyObject *
fb_scalar_text(reader *from)
{
    const json_cursor *at = &from->cursor;
    const common_name *unused;
    return at->is_escaped
               ? make_unescaped(at->text, &from->state->names, &unused)
               : make_plain(at);
}

PyObject *
fb_scalar_name(reader *from, int *id)
{
    const json_cursor *at = &from->cursor;
    const names *all = &from->state->names;
    const common_name *common;
    PyObject *made = NULL;
    if (at->is_escaped) {
        made = make_unescaped(at->text, all, &common);
    } else {
        common = fb_names_find(all, at->text);
        made = common != NULL ? Py_NewRef(common->text) : make_plain(at);
    }
    *id = common == NULL ? -1 : common->id;
    return made;
}

/* CPython's converters want a NUL after the text. */
static PyObject *
make_number(reader *from, PyObject *(*convert)(const char *text))
{
    char local[64];
    span text = from->cursor.text;
    char *copy = text.len < sizeof local ? local : PyMem_Malloc(text.len + 1);
    if (copy == NULL) {
        return PyErr_NoMemory();
    }
    memcpy(copy, text.p, text.len);
    copy[text.len] = '\0';
    PyObject *made = convert(copy);
    if (copy != local) {
        PyMem_Free(copy);
    }
    if (made == NULL && PyErr_ExceptionMatches(PyExc_ValueError)) {
        PyErr_Clear();
        return reader_refuse(from, STATUS_JSON_NUMBER);
    }
    return made;
}

/* ValueError too where sys.set_int_max_str_digits() is below our limit. */
static PyObject *
long_from_text(const char *text)
{
    return PyLong_FromString(text, NULL, 10);
}

static PyObject *
float_from_text(const char *text)
{
    double value = PyOS_string_to_double(text, NULL, NULL);
    if (value == -1.0 && PyErr_Occurred()) { /* no memory for it */
        return NULL;
    }
    if (isinf(value)) {
        PyErr_SetNone(PyExc_ValueError);
        return NULL;
    }
    return PyFloat_FromDouble(value);
}

PyObject *
fb_scalar_integer(reader *from)
{
    return from->cursor.is_small ? PyLong_FromLongLong(from->cursor.integer)
                                 : make_number(from, long_from_text);
}

PyObject *
fb_scalar_real(reader *from)
{
    double value;
    return fb_json_real(from->cursor.text, &value)
               ? PyFloat_FromDouble(value)
               : make_number(from, float_from_text);
}
