/* From a status to the exception that it stands for. */
#include "skin.h"

#include <structmember.h> /* PyMemberDef, which is in Python.h from 3.12 on */

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
prepare_arguments(refusal *to, status of, bool is_claim)
{
    const char *message = rows[of].message, *claim = rows[of].claim;
    to->arguments = is_claim ? Py_BuildValue("(sz)", message, claim)
                             : Py_BuildValue("(s)", message);
    if (to->arguments != NULL && is_claim) {
        to->claim = Py_NewRef(PyTuple_GET_ITEM(to->arguments, 1));
    }
    return to->arguments != NULL;
}

/* The classes that own the slots. */
typedef struct {
    PyObject *error, *claim_error;
} owners;

static bool
is_kind_of(PyObject *class, PyObject *owner)
{
    return PyType_Check(class) && PyType_Check(owner)
           && PyType_IsSubtype((PyTypeObject *)class, (PyTypeObject *)owner);
}

/* What a class must be for what is written into its errors. */
static bool
check_class(PyObject *class, status of, const owners *known)
{
    bool has_claim = of == STATUS_CLAIM_MISSING || rows[of].claim != NULL;
    bool ok = is_kind_of(class, known->error)
              && (!has_claim || is_kind_of(class, known->claim_error));
    if (!ok) {
        PyErr_Format(PyExc_ImportError, "%s is not an error of fastbearer%s",
                     rows[of].class, has_claim ? " about a claim" : "");
    }
    return ok;
}

static bool
prepare(refusal *to, status of, PyObject *errors, const owners *known)
{
    to->class = PyObject_GetAttrString(errors, rows[of].class);
    to->reason = reason_of(rows[of].name);
    if (to->class == NULL || to->reason == NULL) {
        return false;
    }
    return check_class(to->class, of, known)
           && prepare_arguments(to, of,
                                is_kind_of(to->class, known->claim_error));
}

/* --- where an error has what is in its slots ----------------------------- */

/* Whether it is one in each object of the owner: a slot of another class would
 * be elsewhere. */
static bool
is_slot(PyObject *slot, PyObject *owner)
{
    return Py_IS_TYPE(slot, &PyMemberDescr_Type)
           && ((PyMemberDescrObject *)slot)->d_member->type == T_OBJECT_EX
           && is_kind_of(owner, (PyObject *)PyDescr_TYPE(slot));
}

static bool
find_slot(PyObject *owner, const char *name, Py_ssize_t *offset)
{
    PyObject *slot = PyObject_GetAttrString(owner, name);
    bool ok = slot != NULL && is_slot(slot, owner);
    if (ok) {
        *offset = ((PyMemberDescrObject *)slot)->d_member->offset;
    } else if (slot != NULL) {
        PyErr_Format(PyExc_ImportError, "errors have no slot %s", name);
    }
    Py_XDECREF(slot);
    return ok;
}

/* Those that own slots are made as exceptions are. */
static bool
is_exception(PyObject *class)
{
    bool ok = is_kind_of(class, PyExc_BaseException);
    if (!ok) {
        PyErr_SetString(PyExc_ImportError,
                        "FastbearerError is not an exception");
    }
    return ok;
}

static bool
find_owners(core_state *state, PyObject *errors, owners *found)
{
    found->error = PyObject_GetAttrString(errors, "FastbearerError");
    found->claim_error = found->error == NULL
                             ? NULL
                             : PyObject_GetAttrString(errors, "ClaimError");
    return found->claim_error != NULL && is_exception(found->error)
           && find_slot(found->error, "_reason", &state->reason_at)
           && find_slot(found->claim_error, "claim", &state->claim_at);
}

/* --- what is raised ------------------------------------------------------ */

/* Made once, for whoever sends wrong tokens sends many. */
bool
fb_raise_prepare(core_state *state)
{
    PyObject *errors = PyImport_ImportModule("fastbearer.errors");
    owners known = {NULL, NULL};
    bool ok = errors != NULL && find_owners(state, errors, &known);
    for (int i = 0; ok && i < STATUS_COUNT; i++) {
        ok = rows[i].class == NULL
             || prepare(&state->refusals[i], (status)i, errors, &known);
    }
    if (ok) {
        state->configuration_error =
            PyObject_GetAttrString(errors, "ConfigurationError");
    }
    Py_XDECREF(known.claim_error);
    Py_XDECREF(known.error);
    Py_XDECREF(errors);
    return ok && state->configuration_error != NULL;
}

/* A slot of a new error is empty. */
static void
fill_slot(PyObject *error, Py_ssize_t offset, PyObject *value)
{
    *(PyObject **)((char *)error + offset) = Py_NewRef(value);
}

/* What the class makes when it is called, but without its __init__, which is
 * Python's for those of claims and takes longer than all else, and without a
 * __new__ that somebody has given it; with a claim, where it is a
 * ClaimError. */
static PyObject *
make_error(const core_state *state, status failed, PyObject *arguments,
           PyObject *claim)
{
    const refusal *from = &state->refusals[failed];
    PyTypeObject *base = (PyTypeObject *)PyExc_BaseException;
    PyObject *error =
        base->tp_new((PyTypeObject *)from->class, arguments, NULL);
    if (error != NULL) {
        fill_slot(error, state->reason_at, from->reason);
        if (claim != NULL) {
            fill_slot(error, state->claim_at, claim);
        }
    }
    return error;
}

static void
raise_with(const core_state *state, status failed, PyObject *arguments,
           PyObject *claim)
{
    PyObject *error = make_error(state, failed, arguments, claim);
    if (error != NULL) {
        PyErr_SetObject(state->refusals[failed].class, error);
        Py_DECREF(error);
    }
}

PyObject *
fb_raise_status(const core_state *state, status failed)
{
    if (failed == STATUS_NO_MEMORY) {
        return PyErr_NoMemory();
    }
    const refusal *from = &state->refusals[failed];
    raise_with(state, failed, from->arguments, from->claim);
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
        raise_with(state, failed, arguments, state->refusals[failed].claim);
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
    PyObject *error = arguments == NULL || name == NULL
                          ? NULL
                          : make_error(state, failed, arguments, NULL);
    if (error != NULL && PyObject_SetAttrString(error, "member", name) == 0) {
        PyErr_SetObject(from->class, error);
    }
    Py_XDECREF(error);
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
        raise_with(state, STATUS_CLAIM_MISSING, arguments, claim);
    }
    Py_XDECREF(message);
    Py_XDECREF(arguments);
    return NULL;
}
