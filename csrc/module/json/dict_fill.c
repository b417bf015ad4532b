/* Dicts of the same names, each a copy of a model with values of its own. */
#include "skin.h"

PyObject *
fb_dict_model(PyObject *of)
{
    PyObject *model = PyDict_New(), *name;
    Py_ssize_t at = 0;
    bool ok = model != NULL;
    while (ok && PyDict_Next(of, &at, &name, NULL)) {
        ok = PyDict_SetItem(model, name, Py_None) == 0;
    }
    if (!ok) {
        Py_CLEAR(model);
    } else if (PyObject_GC_IsTracked(model)) {
        PyObject_GC_UnTrack(model); /* or gc.get_objects() would show it */
    }
    return model;
}

/* Without a GIL, threads would wait at the model's lock for each other. */
static PyObject *
copy_to_set(PyObject *model)
{
#ifdef Py_GIL_DISABLED
    (void)model;
    return PyDict_New();
#else
    return PyDict_Copy(model);
#endif
}

static bool
set_items(PyObject *copy, PyObject *model, PyObject *const *values)
{
    Py_ssize_t at = 0;
    PyObject *name;
    bool ok = true;
    while (ok && PyDict_Next(model, &at, &name, NULL)) {
        ok = PyDict_SetItem(copy, name, *values++) == 0;
    }
    return ok;
}

PyObject *
fb_dict_fill(PyObject *model, PyObject *const *values, Py_ssize_t count)
{
    PyObject *copy = copy_to_set(model);
    if (copy != NULL && !set_items(copy, model, values)) {
        Py_CLEAR(copy);
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        Py_DECREF(values[i]);
    }
    return copy;
}
