/* The claims that a caller gives to be signed. */
#include "skin.h"

#include "token/token.h"

/* --- dates --------------------------------------------------------------- */

static bool
is_number(PyObject *value)
{
    return PyFloat_Check(value)
           || (PyLong_Check(value) && !PyBool_Check(value));
}

/* The NumericDate of a datetime; without a time zone it is UTC. */
static PyObject *
date_from_datetime(PyObject *name, PyObject *value)
{
    PyObject *calendar = PyImport_ImportModule("calendar");
    PyObject *utc = calendar == NULL
                        ? NULL
                        : PyObject_CallMethod(value, "utctimetuple", NULL);
    PyObject *date = utc == NULL
                         ? NULL
                         : PyObject_CallMethod(calendar, "timegm", "(O)", utc);
    Py_XDECREF(calendar);
    Py_XDECREF(utc);
    if (date == NULL && PyErr_ExceptionMatches(PyExc_OverflowError)) {
        PyErr_Clear(); /* the years 1 and 9999 may have no UTC */
        PyErr_Format(PyExc_ValueError, "%U is a date out of range", name);
    }
    bool is_none = date == NULL
                       ? PyErr_ExceptionMatches(PyExc_AttributeError) != 0
                       : !is_number(date);
    if (is_none) {
        PyErr_Clear();
        Py_CLEAR(date);
        PyErr_Format(
            PyExc_TypeError,
            "%U must be a number of seconds or a datetime, not %.100s", name,
            Py_TYPE(value)->tp_name);
    }
    return date;
}

static bool
is_date_name(PyObject *name)
{
    if (PyUnicode_GET_LENGTH(name) != 3 || !PyUnicode_IS_ASCII(name)) {
        return false;
    }
    const char *text = PyUnicode_DATA(name);
    return memcmp(text, "exp", 3) == 0 || memcmp(text, "nbf", 3) == 0
           || memcmp(text, "iat", 3) == 0;
}

/* --- claims -------------------------------------------------------------- */

/* One name with a class of its own could be there twice. */
static bool
add_plain(PyObject *made, PyObject *name, PyObject *value)
{
    if (!PyUnicode_Check(name)) {
        PyErr_Format(PyExc_TypeError,
                     "names of claims must be strings, not %.100s",
                     Py_TYPE(name)->tp_name);
        return false;
    }
    PyObject *plain = PyUnicode_FromObject(name);
    PyObject *number = plain == NULL ? NULL
                       : is_date_name(plain) && !is_number(value)
                           ? date_from_datetime(plain, value)
                           : Py_NewRef(value);
    int has = number == NULL ? -1 : PyDict_Contains(made, plain);
    if (has == 1) {
        PyErr_Format(PyExc_ValueError, "the claim %R came twice", plain);
    }
    bool ok = has == 0 && PyDict_SetItem(made, plain, number) == 0;
    Py_XDECREF(number);
    Py_XDECREF(plain);
    return ok;
}

/* A plain copy. A datetime runs code of its own, which could change the
 * claims: they are read before. */
static PyObject *
plain_of(PyObject *claims)
{
    PyObject *pairs = PyDict_Items(claims), *made = PyDict_New();
    bool ok = pairs != NULL && made != NULL;
    for (Py_ssize_t i = 0; ok && i < PyList_GET_SIZE(pairs); i++) {
        PyObject *pair = PyList_GET_ITEM(pairs, i);
        ok = add_plain(made, PyTuple_GET_ITEM(pair, 0),
                       PyTuple_GET_ITEM(pair, 1));
    }
    Py_XDECREF(pairs);
    if (!ok) {
        Py_CLEAR(made);
    }
    return made;
}

/* Writes claims whose names are plain strings and whose dates are numbers, up
 * to one that is otherwise: then *is_plain is false. */
static bool
write_plain(json_out *text, PyObject *claims, bool *is_plain)
{
    dict_walk walk = fb_dict_walk(claims, text->walks_dicts);
    PyObject *name, *value;
    bool ok = true;
    while (ok && dict_walk_next(&walk, &name, &value)) {
        *is_plain = PyUnicode_CheckExact(name)
                    && (!is_date_name(name) || is_number(value));
        ok = *is_plain && fb_json_write_member(text, name, value);
    }
    return ok;
}

bool
fb_given_write(json_out *text, PyObject **claims)
{
    size_t start = text->len;
    bool is_plain = true;
    if (write_plain(text, *claims, &is_plain)) {
        return true;
    }
    if (is_plain) {
        return false;
    }
    text->len = start;
    Py_SETREF(*claims, plain_of(*claims));
    return *claims != NULL && write_plain(text, *claims, &is_plain);
}
