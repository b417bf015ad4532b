/* The members of what from_jwk is given. */
#include "skin.h"

#include "key/jwk.h"

/* A dict of what a mapping holds, whose names are plain strings: one of a
 * class of its own could answer a look-up as it likes. Names that are no
 * strings are nobody's members. */
static PyObject *
plain_members(PyObject *given)
{
    PyObject *name, *value, *members = PyDict_New();
    Py_ssize_t position = 0, count = 0;
    bool ok = members != NULL;
    while (ok && PyDict_Next(given, &position, &name, &value)) {
        if (PyUnicode_Check(name)) {
            PyObject *plain = PyUnicode_FromObject(name);
            ok = plain != NULL && PyDict_SetItem(members, plain, value) == 0;
            Py_XDECREF(plain);
            count++;
        }
    }
    if (ok && PyDict_GET_SIZE(members) != count) {
        PyErr_SetNone(PyExc_ValueError); /* one name, twice */
        ok = false;
    }
    if (!ok) {
        Py_CLEAR(members);
    }
    return members;
}

static PyObject *
members_of_mapping(PyObject *value)
{
    PyObject *given = PyDict_New(), *members = NULL;
    if (given != NULL && PyDict_Update(given, value) == 0) {
        members = plain_members(given);
    }
    Py_XDECREF(given);
    return members;
}

static PyObject *
members_of_text(const core_state *state, PyObject *value, PyObject *kept)
{
    span text;
    return fb_pytext_utf8(state, "jwk", value, STATUS_KEY_UNICODE, &text)
               ? fb_json_read_secrets(state, text, kept)
               : NULL;
}

static bool
is_text(PyObject *value)
{
    return PyUnicode_Check(value) || PyBytes_Check(value);
}

static bool
is_long(PyObject *value)
{
    return PyUnicode_Check(value)
               ? PyUnicode_GET_LENGTH(value) > KEY_TEXT_MAX
               : PyBytes_Check(value)
                     && PyBytes_GET_SIZE(value) > KEY_TEXT_MAX;
}

/* The caller's own may change meanwhile, and be no dict. An exception that is
 * not about the JWK stays as it is. */
PyObject *
fb_jwk_members(const core_state *state, PyObject *value, PyObject *kept)
{
    if (is_long(value)) {
        return fb_raise_status(state, STATUS_KEY_COSTLY);
    }
    PyObject *members = is_text(value) ? members_of_text(state, value, kept)
                                       : members_of_mapping(value);
    if (members == NULL && fb_option_is_refused()) {
        PyErr_Clear();
        return fb_raise_status(state, STATUS_JWK_JSON);
    }
    if (members != NULL && PyDict_GET_SIZE(members) > KEY_MEMBERS_MAX) {
        Py_DECREF(members);
        members = fb_raise_status(state, STATUS_KEY_COSTLY);
    }
    return members;
}
