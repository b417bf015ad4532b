/* The text of a Python object, borrowed as a span. */
#include "skin.h"

bool
pytext_ascii(const core_state *state, PyObject *value, span *text)
{
    if (PyUnicode_Check(value)) {
        if (!PyUnicode_IS_ASCII(value)) {
            raise_status(state, STATUS_TOKEN_BASE64);
            return false;
        }
        *text =
            (span){PyUnicode_DATA(value), (size_t)PyUnicode_GET_LENGTH(value)};
        return true;
    }
    if (PyBytes_Check(value)) {
        *text =
            (span){PyBytes_AS_STRING(value), (size_t)PyBytes_GET_SIZE(value)};
        return true;
    }
    PyErr_Format(PyExc_TypeError, "a token must be str or bytes, not %.100s",
                 Py_TYPE(value)->tp_name);
    return false;
}

bool
pytext_utf8(const core_state *state, const char *name, PyObject *value,
            span *text)
{
    Py_ssize_t len = 0;
    if (PyBytes_Check(value)) {
        *text =
            (span){PyBytes_AS_STRING(value), (size_t)PyBytes_GET_SIZE(value)};
        return true;
    }
    if (!PyUnicode_Check(value)) {
        PyErr_Format(PyExc_TypeError, "%s must be str or bytes", name);
        return false;
    }
    text->p = PyUnicode_AsUTF8AndSize(value, &len);
    text->len = (size_t)len;
    if (text->p == NULL && PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) {
        PyErr_Clear(); /* it holds the secret */
        raise_status(state, STATUS_KEY_UNICODE);
    }
    return text->p != NULL;
}
