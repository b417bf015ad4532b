/* Numbers as JSON has them. */
#include "skin.h"

#include <math.h>

static bool
put_small(json_out *text, long long value, char after)
{
    char digits[21], *end = digits + sizeof digits;
    *--end = after;
    end = fb_json_digits(end, value < 0 ? 0 - (unsigned long long)value
                                        : (unsigned long long)value);
    if (value < 0) {
        *--end = '-';
    }
    return fb_json_put(text, end, (size_t)(digits + sizeof digits - end));
}

static const char too_long[] = "an integer to be signed has too many digits";

/* ValueError for more digits than a reader takes; a subclass's own __str__
 * is not asked. */
bool
fb_json_put_integer(json_out *text, PyObject *value, char after)
{
    int overflow;
    long long small = PyLong_AsLongLongAndOverflow(value, &overflow);
    if (overflow == 0) {
        return (small != -1 || !PyErr_Occurred())
               && put_small(text, small, after);
    }
    PyObject *digits = PyNumber_ToBase(value, 10);
    bool ok = false;
    if (digits == NULL && PyErr_ExceptionMatches(PyExc_ValueError)) {
        PyErr_SetString(PyExc_ValueError, too_long); /* sys's own limit */
    } else if (digits != NULL) {
        Py_ssize_t len = PyUnicode_GET_LENGTH(digits);
        const char *first = PyUnicode_DATA(digits);
        if (len - (*first == '-') > JSON_DIGITS_MAX) {
            PyErr_SetString(PyExc_ValueError, too_long);
        } else {
            ok = fb_json_put(text, first, (size_t)len)
                 && fb_json_put(text, &after, 1);
        }
        Py_DECREF(digits);
    }
    return ok;
}

static bool
put_any_real(json_out *text, double number, char after)
{
    char *digits =
        PyOS_double_to_string(number, 'r', 0, Py_DTSF_ADD_DOT_0, NULL);
    bool ok = digits != NULL && fb_json_put(text, digits, strlen(digits))
              && fb_json_put(text, &after, 1);
    PyMem_Free(digits);
    return ok;
}

bool
fb_json_put_real(json_out *text, PyObject *value, char after)
{
    double number = PyFloat_AS_DOUBLE(value);
    if (!isfinite(number)) {
        PyErr_SetString(PyExc_ValueError, "JSON has no NaN and no Infinity");
        return false;
    }
    char *start = fb_json_reserve(text, JSON_REAL_MAX + 1);
    if (start == NULL) {
        return false;
    }
    size_t len = fb_json_real_digits(start, number);
    if (len == 0) {
        return put_any_real(text, number, after);
    }
    start[len] = after;
    text->len += len + 1;
    return true;
}
