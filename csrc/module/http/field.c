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

/* A server may keep the lists, and change them in another thread. */
PyObject *
fb_field_pairs(PyObject *headers)
{
#ifdef Py_GIL_DISABLED
    if (PyList_Check(headers)) {
        return PyList_AsTuple(headers);
    }
#endif
    return PySequence_Fast(headers, "headers must be a sequence of pairs");
}

/* A list is read as a tuple: it could be changed meanwhile, and before 3.12 be
 * let go, by what the making of a tuple collects. */
static bool
value_in_list(PyObject *pair, PyObject *wanted, PyObject **value)
{
    Py_INCREF(pair);
    PyObject *still = PyList_Check(pair) ? PyList_AsTuple(pair) : NULL;
    Py_DECREF(pair);
    bool ok = still != NULL && PyTuple_GET_SIZE(still) == 2
              && fb_field_value(still, wanted, value);
    Py_XDECREF(still);
    if (!ok && !PyErr_Occurred()) {
        PyErr_SetString(PyExc_TypeError, "a header is a pair of bytes");
    }
    return ok;
}

bool
fb_field_value(PyObject *pair, PyObject *wanted, PyObject **value)
{
    if (!PyTuple_Check(pair) || PyTuple_GET_SIZE(pair) != 2) {
        return value_in_list(pair, wanted, value);
    }
    *value = is_name(PyTuple_GET_ITEM(pair, 0), wanted)
                 ? Py_NewRef(PyTuple_GET_ITEM(pair, 1))
                 : NULL;
    return true;
}
