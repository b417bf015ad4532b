/* The registered claims of a verified token (RFC 7519 4.1). */
#include "skin.h"

#include <math.h>

#include "token/token.h"

#define DATE_MAX (1LL << 53) /* up to here a double is exact */

/* --- presence ------------------------------------------------------------ */

bool
fb_claims_require(const core_state *state, PyObject *strings,
                  claims_rules *rules)
{
    PyObject *others = PyList_New(0);
    bool ok = others != NULL;
    for (Py_ssize_t i = 0; ok && i < PyTuple_GET_SIZE(strings); i++) {
        PyObject *name = PyTuple_GET_ITEM(strings, i);
        int id = 0;
        while (id < NAME_COUNT
               && PyUnicode_Compare(name, state->names.own[id]) != 0) {
            id++;
        }
        if (id < NAME_COUNT) {
            rules->requires[id] = true;
        } else {
            ok = PyList_Append(others, name) == 0;
        }
    }
    rules->required = ok ? PyList_AsTuple(others) : NULL;
    Py_XDECREF(others);
    return rules->required != NULL;
}

static bool
is_missing(PyObject *value)
{
    return value == NULL || value == Py_None;
}

static bool
check_required(const core_state *state, const claims_rules *rules,
               PyObject *claims, const known_members *known)
{
    for (int id = 0; id < NAME_COUNT; id++) {
        if (rules->requires[id] && is_missing(known->of[id])) {
            fb_raise_missing(state, state->names.own[id]);
            return false;
        }
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(rules->required); i++) {
        PyObject *name = PyTuple_GET_ITEM(rules->required, i);
        if (is_missing(PyDict_GetItemWithError(claims, name))) {
            if (!PyErr_Occurred()) {
                fb_raise_missing(state, name);
            }
            return false;
        }
    }
    return true;
}

/* --- times --------------------------------------------------------------- */

static bool
is_date(int64_t seconds)
{
    return seconds <= DATE_MAX && seconds >= -DATE_MAX;
}

/* A NumericDate (RFC 7519 2): a JSON number, which true is not. */
static bool
read_date(const known_members *known, name_id id, double *date)
{
    PyObject *value = known->of[id];
    if (known->read >> id & 1) {
        *date = (double)known->integers[id];
        return is_date(known->integers[id]);
    }
    if (PyLong_CheckExact(value)) {
        int overflow;
        long long seconds = PyLong_AsLongLongAndOverflow(value, &overflow);
        *date = (double)seconds;
        return overflow == 0 && is_date(seconds);
    }
    if (PyFloat_CheckExact(value)) {
        *date = PyFloat_AS_DOUBLE(value);
        return fabs(*date) <= (double)DATE_MAX;
    }
    return false;
}

CHECKED static status
check_exp(const claims_rules *rules, const known_members *known, double now)
{
    double date;
    if (known->of[NAME_exp] == NULL) {
        return STATUS_OK;
    }
    if (!read_date(known, NAME_exp, &date)) {
        return STATUS_EXP_INVALID;
    }
    /* RFC 7519 4.1.4: on or after is too late */
    return now >= date + rules->leeway ? STATUS_EXP_PASSED : STATUS_OK;
}

CHECKED static status
check_nbf(const claims_rules *rules, const known_members *known, double now)
{
    double date;
    if (known->of[NAME_nbf] == NULL) {
        return STATUS_OK;
    }
    if (!read_date(known, NAME_nbf, &date)) {
        return STATUS_NBF_INVALID;
    }
    return now < date - rules->leeway ? STATUS_NBF_AHEAD : STATUS_OK;
}

/* One in the future is no reason to refuse: clocks differ, and only nbf says
 * when a token begins. */
CHECKED static status
check_iat(const claims_rules *rules, const known_members *known, double now)
{
    double date;
    if (known->of[NAME_iat] == NULL) {
        return STATUS_OK;
    }
    if (!read_date(known, NAME_iat, &date)) {
        return STATUS_IAT_INVALID;
    }
    return rules->max_age >= 0 && now >= date + rules->max_age + rules->leeway
               ? STATUS_AGE_PASSED
               : STATUS_OK;
}

/* --- strings ------------------------------------------------------------- */

static bool
is_one_of(PyObject *text, PyObject *strings)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(strings); i++) {
        PyObject *string = PyTuple_GET_ITEM(strings, i);
        if (text == string || PyUnicode_Compare(text, string) == 0) {
            return true;
        }
    }
    return false;
}

CHECKED static status
check_iss(const claims_rules *rules, PyObject *iss)
{
    return rules->issuers == NULL
                   || (PyUnicode_Check(iss) && is_one_of(iss, rules->issuers))
               ? STATUS_OK
               : STATUS_ISS_WRONG;
}

/* RFC 7519 4.1.3: a string, or an array of them; an empty one names nobody. */
CHECKED static status
check_aud(const claims_rules *rules, PyObject *aud)
{
    bool found = false;
    if (aud == NULL) {
        return STATUS_OK;
    }
    if (PyUnicode_Check(aud)) {
        found = rules->audiences != NULL && is_one_of(aud, rules->audiences);
    } else if (PyList_Check(aud)) {
        for (Py_ssize_t i = 0; i < PyList_GET_SIZE(aud); i++) {
            PyObject *one = PyList_GET_ITEM(aud, i);
            if (!PyUnicode_Check(one)) {
                return STATUS_AUD_SHAPE;
            }
            found = found
                    || (rules->audiences != NULL
                        && is_one_of(one, rules->audiences));
        }
    } else {
        return STATUS_AUD_SHAPE;
    }
    if (rules->audiences == NULL) {
        return rules->ignore_audience ? STATUS_OK : STATUS_AUD_UNEXPECTED;
    }
    return found ? STATUS_OK : STATUS_AUD_WRONG;
}

CHECKED static status
check_known(const claims_rules *rules, const known_members *known, double now)
{
    status result = check_exp(rules, known, now);
    if (result == STATUS_OK) {
        result = check_nbf(rules, known, now);
    }
    if (result == STATUS_OK) {
        result = check_iat(rules, known, now);
    }
    if (result == STATUS_OK) {
        result = check_iss(rules, known->of[NAME_iss]);
    }
    if (result == STATUS_OK) {
        result = check_aud(rules, known->of[NAME_aud]);
    }
    return result;
}

bool
fb_claims_check(const core_state *state, const claims_rules *rules,
                PyObject *claims, const known_members *known, double now)
{
    if (!check_required(state, rules, claims, known)) {
        return false;
    }
    status result = check_known(rules, known, now);
    if (result != STATUS_OK) {
        fb_raise_status(state, result);
    }
    return result == STATUS_OK;
}
