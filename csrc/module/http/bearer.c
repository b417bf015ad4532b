/* fastbearer._core: the bearer token among the headers of a request. */
#include "skin.h"

static PyObject *
token_in(PyObject *field)
{
    char *value;
    Py_ssize_t size;
    if (PyBytes_AsStringAndSize(field, &value, &size) < 0) {
        return NULL;
    }
    span text = fb_credentials_bearer((span){value, (size_t)size});
    return PyUnicode_DecodeLatin1(text.p, (Py_ssize_t)text.len, NULL);
}

/* Finds the one value, a new reference, or NULL where there is none. False
 * with an error set if there are two. */
static bool
one_value(PyObject *headers, PyObject *wanted, PyObject **value)
{
    *value = NULL;
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(headers); i++) {
        PyObject *found;
        PyObject *pair = PySequence_Fast_GET_ITEM(headers, i);
        if (!fb_field_value(pair, wanted, &found)) {
            Py_CLEAR(*value);
            return false;
        }
        if (found != NULL && *value != NULL) {
            PyErr_SetString(PyExc_ValueError, "more than one such header");
            Py_DECREF(found);
            Py_CLEAR(*value);
            return false;
        }
        if (found != NULL) {
            *value = found;
        }
    }
    return true;
}

PyDoc_STRVAR(bearer_token_doc,
"bearer_token($module, headers, name, /)\n"
"--\n"
"\n"
"Return the bearer token of the headers of a request (RFC 6750 2.1).\n"
"\n"
"It is as it came: \"\" where the header holds none, None where there is no\n"
"such header.\n"
"\n"
"Args:\n"
"    headers: ASGI's: pairs of bytes, the names in lower case.\n"
"    name: The header's name, bytes in lower case.\n"
"\n"
"Raises:\n"
"    ValueError: There are two such headers.\n"
"    TypeError: An argument has the wrong type.");

static PyObject *
bearer_token(PyObject *Py_UNUSED(module), PyObject *const *args,
             Py_ssize_t count)
{
    if (count != 2 || !PyBytes_Check(args[1])) {
        PyErr_SetString(PyExc_TypeError, "bearer_token(headers, name: bytes)");
        return NULL;
    }
    PyObject *headers = fb_field_pairs(args[0]);
    if (headers == NULL) {
        return NULL;
    }
    PyObject *value;
    bool is_one = one_value(headers, args[1], &value);
    Py_DECREF(headers);
    if (!is_one) {
        return NULL;
    }
    if (value == NULL) {
        return Py_NewRef(Py_None);
    }
    PyObject *text = token_in(value);
    Py_DECREF(value);
    return text;
}

PyMethodDef fb_bearer_methods[] = {
    {"bearer_token", (PyCFunction)(void (*)(void))bearer_token, METH_FASTCALL,
     bearer_token_doc},
    {NULL, NULL, 0, NULL},
};
