/* From a status to the exception that it stands for. */
#include "skin.h"

static const struct {
    const char *name, *class, *claim, *message;
} rows[STATUS_COUNT] = {
#define X(name, class, claim, message)                                        \
    [STATUS_##name] = {#name, class, claim, message},
    STATUS_TABLE(X)
#undef X
};

/* The status's own name in lower case, which programs may rely on. */
static PyObject *
reason_of(const char *name)
{
    size_t len = strlen(name);
    PyObject *reason = PyUnicode_New((Py_ssize_t)len, 127);
    for (size_t i = 0; reason != NULL && i < len; i++) {
        PyUnicode_1BYTE_DATA(reason)[i] = (Py_UCS1)Py_TOLOWER(name[i]);
    }
    return reason;
}

/* Made once, for whoever sends wrong tokens sends many. */
bool
fb_raise_prepare(core_state *state)
{
    PyObject *errors = PyImport_ImportModule("fastbearer.errors");
    bool ok = errors != NULL;
    for (int i = 0; ok && i < STATUS_COUNT; i++) {
        refusal *to = &state->refusals[i];
        if (rows[i].class != NULL) {
            to->class = PyObject_GetAttrString(errors, rows[i].class);
            to->arguments =
                rows[i].claim == NULL
                    ? Py_BuildValue("(s)", rows[i].message)
                    : Py_BuildValue("(ss)", rows[i].message, rows[i].claim);
            to->reason = reason_of(rows[i].name);
            ok = to->class != NULL && to->arguments != NULL
                 && to->reason != NULL;
        }
    }
    if (ok) {
        state->configuration_error =
            PyObject_GetAttrString(errors, "ConfigurationError");
        state->reason_name = PyUnicode_InternFromString("reason");
    }
    Py_XDECREF(errors);
    return ok && state->configuration_error != NULL
           && state->reason_name != NULL;
}

static void
raise_with(const core_state *state, status failed, PyObject *arguments,
           PyObject *member)
{
    const refusal *from = &state->refusals[failed];
    PyObject *error = PyObject_CallObject(from->class, arguments);
    if (error != NULL
        && PyObject_SetAttr(error, state->reason_name, from->reason) == 0
        && (member == NULL
            || PyObject_SetAttrString(error, "member", member) == 0)) {
        PyErr_SetObject(from->class, error);
    }
    Py_XDECREF(error);
}

PyObject *
fb_raise_status(const core_state *state, status failed)
{
    if (failed == STATUS_NO_MEMORY) {
        return PyErr_NoMemory();
    }
    raise_with(state, failed, state->refusals[failed].arguments, NULL);
    return NULL;
}

PyObject *
fb_raise_worded(const core_state *state, status failed, const char *rule, ...)
{
    va_list rest;
    va_start(rest, rule);
    PyObject *words = PyUnicode_FromFormatV(rule, rest);
    va_end(rest);
    PyObject *arguments = words == NULL ? NULL : PyTuple_Pack(1, words);
    if (arguments != NULL) {
        raise_with(state, failed, arguments, NULL);
    }
    Py_XDECREF(words);
    Py_XDECREF(arguments);
    return NULL;
}

/* The message names the member where the rule alone does not tell. */
static PyObject *
member_arguments(PyObject *arguments, status failed, const char *member)
{
    bool is_told = failed != STATUS_JWK_MEMBER && failed != STATUS_KEY_USE;
    return is_told ? Py_NewRef(arguments)
                   : Py_BuildValue(
                       "(N)",
                       PyUnicode_FromFormat(
                           "%S: %s", PyTuple_GET_ITEM(arguments, 0), member));
}

PyObject *
fb_raise_member(const core_state *state, status failed, const char *member)
{
    const refusal *from = &state->refusals[failed];
    if (failed == STATUS_NO_MEMORY || member == NULL) {
        return fb_raise_status(state, failed);
    }
    PyObject *arguments = member_arguments(from->arguments, failed, member);
    PyObject *name = PyUnicode_FromString(member);
    if (arguments != NULL && name != NULL) {
        raise_with(state, failed, arguments, name);
    }
    Py_XDECREF(arguments);
    Py_XDECREF(name);
    return NULL;
}

PyObject *
fb_raise_missing(const core_state *state, PyObject *claim)
{
    PyObject *message =
        PyUnicode_FromFormat("the token has no %R claim", claim);
    PyObject *arguments =
        message == NULL ? NULL : PyTuple_Pack(2, message, claim);
    if (arguments != NULL) {
        raise_with(state, STATUS_CLAIM_MISSING, arguments, NULL);
    }
    Py_XDECREF(message);
    Py_XDECREF(arguments);
    return NULL;
}
