/* A strict, compact JSON writer: what it writes, the reader accepts. */
#include "skin.h"

#include <math.h>

/* --- numbers ------------------------------------------------------------- */

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

/* --- containers ---------------------------------------------------------- */

/* Writes "name":value, with a comma after it; the last one is taken back. */
static bool
write_member(json_out *text, PyObject *name, PyObject *value, int level)
{
    if (!PyUnicode_Check(name)) {
        PyErr_SetString(PyExc_TypeError, "names in JSON must be strings");
        return false;
    }
    if (PyUnicode_Check(value)) {
        return json_put_name(text, name, value);
    }
    return json_put_name(text, name, NULL)
           && json_write(text, value, level + 1) && json_put(text, ",", 1);
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
        return json_put_string(text, value);
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
