/* Password hashing with the GIL released. */
#include "module.h"

#include <openssl/crypto.h>

/* Argon2 takes any length, so that one request could hash megabytes. */
#define PASSWORD_BYTES_MAX 4096

/* Borrows the bytes of str (as UTF-8) or bytes. An encoding error would hold
 * the password, so it becomes a status. */
static bool
password_text(PyObject *value, span *text, status *result)
{
    Py_ssize_t len = 0;
    *result = STATUS_OK;
    if (PyBytes_Check(value)) {
        *text =
            (span){PyBytes_AS_STRING(value), (size_t)PyBytes_GET_SIZE(value)};
    } else if (PyUnicode_Check(value)) {
        *text = (span){PyUnicode_AsUTF8AndSize(value, &len), 0};
        text->len = (size_t)len;
        if (text->p == NULL) {
            if (!PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) {
                return false;
            }
            PyErr_Clear();
            *result = STATUS_PASSWORD_UNICODE;
        }
    } else {
        PyErr_SetString(PyExc_TypeError, "a password must be str or bytes");
        return false;
    }
    if (*result == STATUS_OK && text->len > PASSWORD_BYTES_MAX) {
        *result = STATUS_PASSWORD_LONG;
    }
    return true;
}

/* What is not ASCII is left empty, which is no format. */
static bool
hash_span(PyObject *value, span *text)
{
    if (PyBytes_Check(value)) {
        *text =
            (span){PyBytes_AS_STRING(value), (size_t)PyBytes_GET_SIZE(value)};
    } else if (!PyUnicode_Check(value)) {
        PyErr_SetString(PyExc_TypeError, "a hash must be str or bytes");
        return false;
    } else if (PyUnicode_IS_ASCII(value)) {
        *text =
            (span){PyUnicode_DATA(value), (size_t)PyUnicode_GET_LENGTH(value)};
    } else {
        *text = (span){"", 0};
    }
    return true;
}

PyDoc_STRVAR(hash_doc,
"password_hash($module, password, setting, /)\n"
"--\n"
"\n"
"Return the hash of a password under a setting: a hash without its digest.");

static PyObject *
password_hash(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    core_state *state = state_of(module);
    span password, setting;
    hash_text out;
    status result;
    if (count != 2) {
        PyErr_SetString(PyExc_TypeError, "a password and a setting, please");
        return NULL;
    }
    if (!password_text(args[0], &password, &result)
        || !hash_span(args[1], &setting)) {
        return NULL;
    }
    const format *found = format_find(setting);
    if (found == NULL) {
        result = STATUS_HASH_UNKNOWN;
    }
    if (result == STATUS_OK) {
        Py_BEGIN_ALLOW_THREADS result = found->make(password, setting, &out);
        Py_END_ALLOW_THREADS
    }
    return result == STATUS_OK
               ? PyUnicode_FromStringAndSize(out.text, (Py_ssize_t)out.len)
               : status_raise(state, result);
}

PyDoc_STRVAR(verify_doc,
"password_verify($module, password, hash, /)\n"
"--\n"
"\n"
"Return whether the password made the hash, in constant time.");

static PyObject *
password_verify(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    core_state *state = state_of(module);
    span password, hash;
    status hashable, result;
    bool matches = false;
    if (count != 2) {
        PyErr_SetString(PyExc_TypeError, "a password and a hash, please");
        return NULL;
    }
    if (!password_text(args[0], &password, &hashable)
        || !hash_span(args[1], &hash)) {
        return NULL;
    }
    if (hashable != STATUS_OK) { /* no hash was ever made of it */
        password = (span){"", 0};
    }
    Py_BEGIN_ALLOW_THREADS result = format_verify(password, hash, &matches);
    Py_END_ALLOW_THREADS return result == STATUS_OK
        ? PyBool_FromLong(matches && hashable == STATUS_OK)
        : status_raise(state, result);
}

PyDoc_STRVAR(scheme_doc,
"password_scheme($module, hash, /)\n"
"--\n"
"\n"
"Return the name of a hash's format, once its syntax and cost are checked.");

static PyObject *
password_scheme(PyObject *module, PyObject *value)
{
    core_state *state = state_of(module);
    size_t digest = 0;
    span hash;
    if (!hash_span(value, &hash)) {
        return NULL;
    }
    const format *found = format_find(hash);
    status result =
        found == NULL ? STATUS_HASH_UNKNOWN : found->check(hash, &digest);
    if (result == STATUS_OK && digest == 0) {
        result = STATUS_HASH_MALFORMED;
    }
    return result == STATUS_OK ? PyUnicode_FromString(found->name)
                               : status_raise(state, result);
}

PyMethodDef password_methods[] = {
    {"password_hash", (PyCFunction)(void (*)(void))password_hash,
     METH_FASTCALL, hash_doc},
    {"password_verify", (PyCFunction)(void (*)(void))password_verify,
     METH_FASTCALL, verify_doc},
    {"password_scheme", password_scheme, METH_O, scheme_doc},
    {NULL, NULL, 0, NULL},
};
