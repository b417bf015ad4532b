/*
 * Of Python, what csrc/module/http/cookie.c calls, for the proofs: texts are
 * read where they stand, and what is made of them is anything or NULL.
 */
#ifndef FASTBEARER_PROOF_SKIN_H
#define FASTBEARER_PROOF_SKIN_H

#include "proof.h"

#include "base/base.h"

typedef struct {
    int any;
} PyObject;
typedef ptrdiff_t Py_ssize_t;
typedef PyObject *(*PyCFunction)(PyObject *, PyObject *);
typedef struct {
    const char *name;
    PyCFunction call;
    int flags;
    const char *doc;
} PyMethodDef;

#define PyDoc_STRVAR(name, text) static const char name[] = text
#define Py_UNUSED(name) unused_##name
#define METH_FASTCALL 0
#define Py_XDECREF(object) ((void)(object))
#define Py_DECREF(object) ((void)(object))
#define Py_CLEAR(object) ((object) = NULL)
#define Py_NewRef(object) (object)

static PyObject an_object;
extern PyObject *PyExc_ValueError, *PyExc_TypeError, *Py_True;

static inline PyObject *
any_object(void)
{
    return nondet_bool() ? &an_object : NULL;
}

static inline PyObject *
PyUnicode_DecodeLatin1(const char *p, Py_ssize_t len, const char *errors)
{
    (void)errors;
    PROVE(len >= 0);
    for (Py_ssize_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)p[i];
        (void)c;
    }
    return any_object();
}

#define PyList_CheckExact(object) nondet_bool()
#define PyUnicode_Compare(one, other) nondet_int()
#define Py_BuildValue(...) any_object()
#define PyDict_SetItem(dict, key, value) nondet_int()
#define PyDict_SetDefault(dict, key, value) any_object()
#define PyDict_GET_SIZE(dict) ((Py_ssize_t)nondet_int())
#define PyDict_New() any_object()
#define PySequence_Contains(list, item) nondet_int()
#define PySequence_Fast_GET_SIZE(list) ((Py_ssize_t)0)
#define PySequence_Fast_GET_ITEM(list, i) (&an_object)
#define PyList_GET_SIZE(list) ((Py_ssize_t)nondet_int())
#define PyList_Append(list, item) nondet_int()
#define PyErr_SetString(type, text) ((void)0)
#define PyBytes_Check(object) nondet_bool()
#define PyBytes_FromString(text) any_object()

static inline span
fb_pytext_bytes(PyObject *bytes)
{
    (void)bytes;
    return (span){"", 0};
}

static inline PyObject *
fb_field_pairs(PyObject *headers)
{
    (void)headers;
    return any_object();
}

static inline bool
fb_field_value(PyObject *pair, PyObject *wanted, PyObject **value)
{
    (void)pair, (void)wanted;
    *value = any_object();
    return nondet_bool();
}

#endif
