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

/* ClaimError's own __init__ takes the claim, too, and keeps it. */
static bool
prepare_claim(refusal *to, const char *message, const char *claim)
{
    to->arguments = Py_BuildValue("(sz)", message, claim);
    return to->arguments != NULL
           && PyDict_SetItemString(to->members, "claim",
                                   PyTuple_GET_ITEM(to->arguments, 1))
                  == 0;
}

static bool
prepare(refusal *to, status of, PyObject *errors, PyObject *claim_error)
{
    to->class = PyObject_GetAttrString(errors, rows[of].class);
    to->members = PyDict_New();
    PyObject *reason = reason_of(rows[of].name);
    int is_claim = to->class == NULL || to->members == NULL
                       ? -1
                       : PyObject_IsSubclass(to->class, claim_error);
    if (is_claim == 0) {
        to->arguments = Py_BuildValue("(s)", rows[of].message);
    }
    bool ok = is_claim >= 0 && reason != NULL
              && (is_claim == 0
                      ? to->arguments != NULL
                      : prepare_claim(to, rows[of].message, rows[of].claim))
              && PyDict_SetItemString(to->members, "reason", reason) == 0;
    Py_XDECREF(reason);
    return ok;
}

/* Made once, for whoever sends wrong tokens sends many. */
bool
fb_raise_prepare(core_state *state)
{
    PyObject *errors = PyImport_ImportModule("fastbearer.errors");
    PyObject *claim_error =
        errors == NULL ? NULL : PyObject_GetAttrString(errors, "ClaimError");
    bool ok = claim_error != NULL;
    for (int i = 0; ok && i < STATUS_COUNT; i++) {
        ok = rows[i].class == NULL
             || prepare(&state->refusals[i], (status)i, errors, claim_error);
    }
    if (ok) {
        state->configuration_error =
            PyObject_GetAttrString(errors, "ConfigurationError");
    }
    Py_XDECREF(claim_error);
    Py_XDECREF(errors);
    return ok && state->configuration_error != NULL;
}

/* What the class makes when it is called, but without its __init__, which is
 * Python's for those of claims and takes longer than all else. */
static void
raise_with(const core_state *state, status failed, PyObject *arguments,
           const char *name, PyObject *value)
{
    const refusal *from = &state->refusals[failed];
    PyTypeObject *class = (PyTypeObject *)from->class;
    PyObject *error = class->tp_new(class, arguments, NULL);
    PyObject *members = error == NULL ? NULL : PyDict_Copy(from->members);
    if (members != NULL
        && (name == NULL || PyDict_SetItemString(members, name, value) == 0)
        && PyObject_GenericSetDict(error, members, NULL) == 0) {
        PyErr_SetObject(from->class, error);
    }
    Py_XDECREF(members);
    Py_XDECREF(error);
}

PyObject *
fb_raise_status(const core_state *state, status failed)
{
    if (failed == STATUS_NO_MEMORY) {
        return PyErr_NoMemory();
    }
    raise_with(state, failed, state->refusals[failed].arguments, NULL, NULL);
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
        raise_with(state, failed, arguments, NULL, NULL);
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
        raise_with(state, failed, arguments, "member", name);
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
        raise_with(state, STATUS_CLAIM_MISSING, arguments, "claim", claim);
    }
    Py_XDECREF(message);
    Py_XDECREF(arguments);
    return NULL;
}
