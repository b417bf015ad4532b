/* The text of a Python object, borrowed as a span. */
#include "skin.h"

span
fb_pytext_bytes(PyObject *bytes)
{
    return (span){PyBytes_AS_STRING(bytes), (size_t)PyBytes_GET_SIZE(bytes)};
}

bool
fb_pytext_is_ascii(PyObject *value, span *text)
{
    bool ok = PyUnicode_Check(value) && PyUnicode_IS_ASCII(value);
    if (ok) {
        *text =
            (span){PyUnicode_DATA(value), (size_t)PyUnicode_GET_LENGTH(value)};
    }
    return ok;
}

static bool
is_wrong_type(const char *name, PyObject *value)
{
    bool is_wrong = !PyUnicode_Check(value) && !PyBytes_Check(value);
    if (is_wrong) {
        PyErr_Format(PyExc_TypeError, "%s must be str or bytes, not %.100s",
                     name, Py_TYPE(value)->tp_name);
    }
    return is_wrong;
}

bool
fb_pytext_ascii(const core_state *state, const char *name, PyObject *value,
                status refused, span *text)
{
    if (fb_pytext_is_ascii(value, text)) {
        return true;
    }
    if (PyBytes_Check(value)) {
        *text = fb_pytext_bytes(value);
        return true;
    }
    if (!is_wrong_type(name, value)) {
        fb_raise_status(state, refused);
    }
    return false;
}

bool
fb_pytext_utf8(const core_state *state, const char *name, PyObject *value,
               status refused, span *text)
{
    Py_ssize_t len = 0;
    if (PyBytes_Check(value)) {
        *text = fb_pytext_bytes(value);
        return true;
    }
    if (is_wrong_type(name, value)) {
        return false;
    }
    text->p = PyUnicode_AsUTF8AndSize(value, &len);
    text->len = (size_t)len;
    if (text->p == NULL && PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) {
        PyErr_Clear(); /* it holds the text, which may be a secret */
        fb_raise_status(state, refused);
    }
    return text->p != NULL;
}
