/* From a status to the exception that it stands for. */
#include "skin.h"

static const struct {
    const char *name, *claim, *message;
} rows[STATUS_COUNT] = {
#define X(name, class, claim, message)                                        \
    [STATUS_##name] = {#name, claim, message},
    STATUS_TABLE(X)
#undef X
};

/* The status's own name in lower case, which programs may rely on. */
static PyObject *
reason_of(status failed)
{
    const char *name = rows[failed].name;
    size_t len = strlen(name);
    PyObject *reason = PyUnicode_New((Py_ssize_t)len, 127);
    for (size_t i = 0; reason != NULL && i < len; i++) {
        PyUnicode_1BYTE_DATA(reason)[i] = (Py_UCS1)Py_TOLOWER(name[i]);
    }
    return reason;
}

/* Raises the status's exception with those arguments, which it takes over. */
static void
raise_with(const core_state *state, status failed, PyObject *arguments)
{
    PyObject *class = state->error[failed];
    PyObject *error =
        arguments == NULL ? NULL : PyObject_CallObject(class, arguments);
    PyObject *reason = error == NULL ? NULL : reason_of(failed);
    if (reason != NULL
        && PyObject_SetAttrString(error, "reason", reason) == 0) {
        PyErr_SetObject(class, error);
    }
    Py_XDECREF(reason);
    Py_XDECREF(error);
    Py_XDECREF(arguments);
}

PyObject *
raise_status(const core_state *state, status failed)
{
    if (failed == STATUS_NO_MEMORY) {
        return PyErr_NoMemory();
    }
    raise_with(
        state, failed,
        rows[failed].claim == NULL
            ? Py_BuildValue("(s)", rows[failed].message)
            : Py_BuildValue("(ss)", rows[failed].message, rows[failed].claim));
    return NULL;
}

PyObject *
raise_missing(const core_state *state, PyObject *claim)
{
    PyObject *message =
        PyUnicode_FromFormat("the token has no %R claim", claim);
    if (message != NULL) {
        raise_with(state, STATUS_CLAIM_MISSING,
                   PyTuple_Pack(2, message, claim));
        Py_DECREF(message);
    }
    return NULL;
}
