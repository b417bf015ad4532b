/* A Python module that calls a function while alloc_fail.c lets allocations
 * fail. Nothing of its own allocates in between. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdbool.h>

void alloc_fail_begin(long n, bool on);
long alloc_fail_end(long *left);

/* The exception that is set, whole, or None; a new reference. */
static PyObject *
raised(void)
{
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    if (type == NULL) {
        return Py_NewRef(Py_None);
    }
    PyErr_NormalizeException(&type, &value, &traceback);
    Py_XDECREF(type);
    Py_XDECREF(traceback);
    return value;
}

/* call(function, args, kwargs, n, on) -> (result, exception, seen) */
static PyObject *
call(PyObject *Py_UNUSED(module), PyObject *args)
{
    PyObject *function, *given, *named;
    long n, left;
    int on;
    if (!PyArg_ParseTuple(args, "OO!O!lp", &function, &PyTuple_Type, &given,
                          &PyDict_Type, &named, &n, &on)) {
        return NULL;
    }
    alloc_fail_begin(n, on != 0);
    PyObject *result = PyObject_Call(function, given, named);
    long seen = alloc_fail_end(&left);
    bool is_broken = (result == NULL) != (PyErr_Occurred() != NULL);
    PyObject *error = raised();
    if (is_broken) {
        PyErr_SetString(PyExc_AssertionError, "a result and an exception, "
                                              "or neither");
        return NULL;
    }
    return Py_BuildValue("NNl", result == NULL ? Py_NewRef(Py_None) : result,
                         error, seen);
}

/* leak(function, args, kwargs, n, on, times) -> allocations left */
static PyObject *
leak(PyObject *Py_UNUSED(module), PyObject *args)
{
    PyObject *function, *given, *named;
    long n, left, all = 0, times;
    int on;
    if (!PyArg_ParseTuple(args, "OO!O!lpl", &function, &PyTuple_Type, &given,
                          &PyDict_Type, &named, &n, &on, &times)) {
        return NULL;
    }
    for (long i = 0; i < times; i++) {
        alloc_fail_begin(n, on != 0);
        PyObject *result = PyObject_Call(function, given, named);
        (void)alloc_fail_end(&left);
        all += left;
        alloc_fail_begin(0, false);
        Py_XDECREF(result);
        PyErr_Clear();
        (void)alloc_fail_end(&left);
        all += left;
    }
    return PyLong_FromLong(all);
}

static PyMethodDef methods[] = {
    {"call", call, METH_VARARGS, NULL},
    {"leak", leak, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "alloc_call",
    .m_size = -1,
    .m_methods = methods,
};

PyMODINIT_FUNC PyInit_alloc_call(void);

PyMODINIT_FUNC
PyInit_alloc_call(void)
{
    return PyModule_Create(&definition);
}
