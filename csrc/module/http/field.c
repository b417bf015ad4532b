/* The fields of a request, as ASGI hands them over. */
#include "skin.h"

#include <string.h>

static bool
is_name(PyObject *name, PyObject *wanted)
{
    return PyBytes_Check(name)
           && PyBytes_GET_SIZE(name) == PyBytes_GET_SIZE(wanted)
           && memcmp(PyBytes_AS_STRING(name), PyBytes_AS_STRING(wanted),
                     (size_t)PyBytes_GET_SIZE(wanted))
                  == 0;
}

bool
field_value(PyObject *pair, PyObject *wanted, PyObject **value)
{
    PyObject *name;
    PyObject *second;
    if (PyTuple_Check(pair) && PyTuple_GET_SIZE(pair) == 2) {
        name = PyTuple_GET_ITEM(pair, 0);
        second = PyTuple_GET_ITEM(pair, 1);
    } else if (PyList_Check(pair) && PyList_GET_SIZE(pair) == 2) {
        name = PyList_GET_ITEM(pair, 0);
        second = PyList_GET_ITEM(pair, 1);
    } else {
        PyErr_SetString(PyExc_TypeError, "a header is a pair of bytes");
        return false;
    }
    *value = is_name(name, wanted) ? second : NULL;
    return true;
}
