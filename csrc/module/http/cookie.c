/* fastbearer._core: cookies of one maker among the headers of a request. */
#include "skin.h"

/* A browser has a cookie of one name for the host and another for the domain
 * (RFC 6265 5.3), and does not say which is which. */
enum { OTHERS_MAX = 8 };

/* Beside one value there is another: both are kept, and no more than a few. */
static bool
add_other(PyObject *found, PyObject *key, PyObject *kept, PyObject *text)
{
    if (!PyList_CheckExact(kept)) {
        PyObject *both = PyUnicode_Compare(kept, text) == 0
                             ? Py_NewRef(kept)
                             : Py_BuildValue("[OO]", kept, text);
        bool ok = both != NULL && PyDict_SetItem(found, key, both) == 0;
        Py_XDECREF(both);
        return ok;
    }
    int is_known = PySequence_Contains(kept, text);
    if (is_known != 0) {
        return is_known > 0;
    }
    if (PyList_GET_SIZE(kept) == OTHERS_MAX) {
        PyErr_SetString(PyExc_ValueError, "a cookie came too often");
        return false;
    }
    return PyList_Append(kept, text) == 0;
}

static bool
add(PyObject *found, span name, span value)
{
    Py_ssize_t before = PyDict_GET_SIZE(found);
    PyObject *key = PyUnicode_DecodeLatin1(name.p, (Py_ssize_t)name.len, NULL);
    PyObject *text =
        PyUnicode_DecodeLatin1(value.p, (Py_ssize_t)value.len, NULL);
    PyObject *kept = key == NULL || text == NULL
                         ? NULL
                         : PyDict_SetDefault(found, key, text);
    bool ok = kept != NULL;
    if (ok && PyDict_GET_SIZE(found) == before) {
        ok = add_other(found, key, kept, text);
    }
    Py_XDECREF(key);
    Py_XDECREF(text);
    return ok;
}

static bool
add_all(PyObject *found, span line, const cookie_wanted *what)
{
    span name, value;
    while (fb_cookie_find(&line, what, &name, &value)) {
        if (!add(found, name, value)) {
            return false;
        }
    }
    return true;
}

PyDoc_STRVAR(cookie_values_doc,
"cookie_values($module, headers, name, whole=False, /)\n"
"--\n"
"\n"
"Return name -> value of the cookies that are looked for (RFC 6265 5.4).\n"
"\n"
"A value is a str, or a list where several came that differ.\n"
"\n"
"Args:\n"
"    headers: ASGI's: pairs of bytes, the names in lower case.\n"
"    name: Bytes: what the names begin with, after \"__Secure-\" or without\n"
"        it; or, if `whole` is true, the one name.\n"
"    whole: Whether `name` is all of a name.\n"
"\n"
"Raises:\n"
"    ValueError: One of them had more than eight different values.\n"
"    TypeError: An argument has the wrong type.");

/* Adds what a pair holds, if it is a field "cookie". */
static bool
add_field(PyObject *found, PyObject *pair, PyObject *cookie,
          const cookie_wanted *what)
{
    PyObject *value;
    if (!fb_field_value(pair, cookie, &value)) {
        return false;
    }
    if (value == NULL) {
        return true;
    }
    bool ok = false;
    if (PyBytes_Check(value)) {
        ok = add_all(found, fb_pytext_bytes(value), what);
    } else {
        PyErr_SetString(PyExc_TypeError, "a header is a pair of bytes");
    }
    Py_DECREF(value);
    return ok;
}

static PyObject *
cookie_values(PyObject *Py_UNUSED(module), PyObject *const *args,
              Py_ssize_t count)
{
    if (count < 2 || count > 3 || !PyBytes_Check(args[1])) {
        PyErr_SetString(PyExc_TypeError,
                        "cookie_values(headers, name: bytes, whole=False)");
        return NULL;
    }
    const cookie_wanted what = {fb_pytext_bytes(args[1]),
                                count == 3 && args[2] == Py_True};
    PyObject *headers = fb_field_pairs(args[0]);
    PyObject *cookie = PyBytes_FromString("cookie");
    PyObject *found = PyDict_New();
    bool ok = headers != NULL && cookie != NULL && found != NULL;
    for (Py_ssize_t i = 0; ok && i < PySequence_Fast_GET_SIZE(headers); i++) {
        ok = add_field(found, PySequence_Fast_GET_ITEM(headers, i), cookie,
                       &what);
    }
    Py_XDECREF(headers);
    Py_XDECREF(cookie);
    if (!ok) {
        Py_CLEAR(found);
    }
    return found;
}

PyMethodDef fb_cookie_methods[] = {
    {"cookie_values", (PyCFunction)(void (*)(void))cookie_values,
     METH_FASTCALL, cookie_values_doc},
    {NULL, NULL, 0, NULL},
};
