/* From a status to the exception that it stands for. */
#include "skin.h"

static const struct {
    const char *claim, *message;
} rows[STATUS_COUNT] = {
#define X(name, class, claim, message) [STATUS_##name] = {claim, message},
    STATUS_TABLE(X)
#undef X
};

PyObject *
raise_status(const core_state *state, status failed)
{
    if (failed == STATUS_NO_MEMORY) {
        return PyErr_NoMemory();
    }
    PyObject *arguments =
        rows[failed].claim == NULL
            ? Py_BuildValue("(s)", rows[failed].message)
            : Py_BuildValue("(ss)", rows[failed].message, rows[failed].claim);
    if (arguments != NULL) {
        PyErr_SetObject(state->error[failed], arguments);
        Py_DECREF(arguments);
    }
    return NULL;
}

PyObject *
raise_missing(const core_state *state, PyObject *claim)
{
    PyObject *message =
        PyUnicode_FromFormat("the token has no %R claim", claim);
    if (message != NULL) {
        PyObject *arguments = PyTuple_Pack(2, message, claim);
        if (arguments != NULL) {
            PyErr_SetObject(state->error[STATUS_CLAIM_MISSING], arguments);
            Py_DECREF(arguments);
        }
        Py_DECREF(message);
    }
    return NULL;
}
