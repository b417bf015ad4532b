/* Copies of what never changes, and holds secrets: itself. */
#include "skin.h"

PyObject *
fb_copy_self(PyObject *self, PyObject *Py_UNUSED(unused))
{
    return Py_NewRef(self);
}

PyObject *
fb_copy_refuse(PyObject *self, PyObject *Py_UNUSED(unused))
{
    PyErr_Format(PyExc_TypeError,
                 "a %s cannot be pickled, since it may hold a secret: pass on "
                 "what it is made of, and make it again there",
                 strrchr(Py_TYPE(self)->tp_name, '.') + 1);
    return NULL;
}
