/* The media type of a token, in its header's `typ` (RFC 7515 4.1.9). */
#include "skin.h"

#include "token/token.h"

const typ_rules fb_typ_any = {NULL, true, {true, true, true}};

static char
lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

/* RFC 2045 5.1: types are compared without regard to case; they are ASCII. */
static bool
is_same(span a, const char *b, size_t len)
{
    bool same = a.len == len;
    for (size_t i = 0; same && i < len; i++) {
        same = lower(a.p[i]) == lower(b[i]);
    }
    return same;
}

/* "application/" is implied where no other slash is. */
static span
short_type(span type)
{
    static const char start[] = "application/";
    const size_t len = sizeof start - 1;
    if (type.len > len && is_same((span){type.p, len}, start, len)
        && memchr(type.p + len, '/', type.len - len) == NULL) {
        return (span){type.p + len, type.len - len};
    }
    return type;
}

static bool
has_type(const typ_rules *rules, span type)
{
    span wanted, found = short_type(type);
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(rules->types); i++) {
        if (fb_pytext_is_ascii(PyTuple_GET_ITEM(rules->types, i), &wanted)) {
            wanted = short_type(wanted);
            if (is_same(found, wanted.p, wanted.len)) {
                return true;
            }
        }
    }
    return false;
}

status
fb_typ_check(const typ_rules *rules, PyObject *found)
{
    span type;
    if (rules->types == NULL) {
        return STATUS_OK;
    }
    bool ok = found == NULL
                  ? rules->may_be_absent
                  : fb_pytext_is_ascii(found, &type) && has_type(rules, type);
    return ok ? STATUS_OK : STATUS_TYP_WRONG;
}

/* --- the option ---------------------------------------------------------- */

/* The tuple without None, which stands for a header that has no typ. */
static PyObject *
take_none(PyObject *given, bool *has_none)
{
    PyObject *list = PyList_New(0);
    for (Py_ssize_t i = 0; list != NULL && i < PyTuple_GET_SIZE(given); i++) {
        PyObject *type = PyTuple_GET_ITEM(given, i);
        if (type == Py_None) {
            *has_none = true;
        } else if (PyList_Append(list, type) < 0) {
            Py_CLEAR(list);
        }
    }
    PyObject *rest = list == NULL ? NULL : PyList_AsTuple(list);
    Py_XDECREF(list);
    return rest;
}

static bool
check_types(const core_state *state, PyObject *types)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(types); i++) {
        PyObject *type = PyTuple_GET_ITEM(types, i);
        if (!PyUnicode_IS_ASCII(type) || PyUnicode_GET_LENGTH(type) == 0) {
            PyErr_SetString(state->configuration_error,
                            "typ must be a media type, such as at+jwt");
            return false;
        }
    }
    return true;
}

static bool
make(const core_state *state, PyObject *given, typ_rules *rules)
{
    PyObject *rest = take_none(given, &rules->may_be_absent);
    if (rest != NULL) {
        rules->types =
            fb_option_strings(state, "typ", rest, rules->may_be_absent);
    }
    Py_XDECREF(rest);
    return rules->types != NULL && check_types(state, rules->types);
}

bool
fb_typ_make(const core_state *state, PyObject *value, typ_rules *rules)
{
    *rules = fb_typ_any;
    if (value == Py_None) {
        return true;
    }
    *rules = (typ_rules){0};
    PyObject *given = PyUnicode_Check(value) ? PyTuple_Pack(1, value)
                                             : PySequence_Tuple(value);
    bool ok = given != NULL && make(state, given, rules);
    Py_XDECREF(given);
    if (ok) { /* what ready.c writes */
        rules->takes[HEADER_JWT] = has_type(rules, (span){"JWT", 3});
        rules->takes[HEADER_TURNED] = rules->takes[HEADER_JWT];
        rules->takes[HEADER_JWS] = rules->may_be_absent;
    }
    return ok;
}
