/*
 * What is read of a text that holds secrets, such as a private JWK. A string
 * may go at any time: when the text is refused further on, when its name comes
 * again. So each is kept in a list until it can be wiped.
 */
#include "skin.h"

#include <openssl/crypto.h>

#include "json/reader.h"

/* One that nobody else has; a str of one character is everybody's. */
static void
wipe(PyObject *text)
{
    if (PyUnicode_CheckExact(text) && PyUnicode_GET_LENGTH(text) > 1
        && Py_REFCNT(text) == 1) {
        OPENSSL_cleanse(PyUnicode_DATA(text),
                        (size_t)PyUnicode_GET_LENGTH(text)
                            * (size_t)PyUnicode_KIND(text));
    }
}

PyObject *
fb_secret_text_keep(PyObject *kept, PyObject *value)
{
    bool is_kept =
        value != NULL
        && (PyUnicode_CheckExact(value) || PyDict_CheckExact(value));
    if (is_kept && PyList_Append(kept, value) < 0) {
        wipe(value);
        Py_CLEAR(value);
    }
    return value;
}

/* The frames of a traceback may still have the dicts. */
void
fb_secret_text_wipe(PyObject *kept)
{
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(kept); i++) {
        PyObject *one = Py_NewRef(PyList_GET_ITEM(kept, i));
        if (PyDict_CheckExact(one)) {
            PyDict_Clear(one); /* which may run code, if others put it there */
        }
        Py_DECREF(one);
    }
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(kept); i++) {
        wipe(PyList_GET_ITEM(kept, i));
    }
}
