/* Arguments of constructors, checked once so that no call checks them
 * again. */
#include "skin.h"

#include <math.h>
#include <time.h>

/* The sum of a time and a duration is exact, and a date that verifiers
 * take. */
#define SECONDS_MAX 0x1p52

static bool
refuse(const core_state *state, const char *name, const char *rule)
{
    PyErr_Format(state->configuration_error, "%s must be %s", name, rule);
    return false;
}

/* The caller's dict may be found, and emptied, by an __index__ of a value or
 * by another thread. Nobody finds one that the garbage collector has not. */
PyObject *
fb_option_hold(PyCFunctionWithKeywords method, PyObject *self, PyObject *args,
               PyObject *kwargs)
{
    if (kwargs == NULL) {
        return method(self, args, NULL);
    }
    PyObject *own = PyDict_Copy(kwargs);
    if (own == NULL) {
        return NULL;
    }
    if (PyObject_GC_IsTracked(own)) {
        PyObject_GC_UnTrack(own);
    }
    PyObject *result = method(self, args, own);
    Py_DECREF(own);
    return result;
}

/* Text that a token can hold: strict JSON has no lone surrogates. */
static bool
is_text(const core_state *state, const char *name, PyObject *value)
{
    if (PyUnicode_AsUTF8AndSize(value, NULL) != NULL
        || !PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) {
        return !PyErr_Occurred();
    }
    PyErr_Clear();
    return refuse(state, name, "text without lone surrogates");
}

bool
fb_option_is_refused(void)
{
    return PyErr_ExceptionMatches(PyExc_Exception)
           && !PyErr_ExceptionMatches(PyExc_MemoryError);
}

bool
fb_option_has(PyObject *value, const char *name)
{
    if (PyErr_Occurred()) {
        return false;
    }
    PyObject *found = PyObject_GetAttrString(value, name);
    if (found == NULL && fb_option_is_refused()) {
        PyErr_Clear();
    }
    Py_XDECREF(found);
    return found != NULL;
}

/* One with a class of its own could answer as it likes, and hold what holds
 * it. */
bool
fb_option_string(const core_state *state, const char *name, PyObject *value,
                 PyObject **string)
{
    *string = NULL;
    if (value == Py_None) {
        return true;
    }
    if (!PyUnicode_Check(value)) {
        PyErr_Format(PyExc_TypeError, "%s must be a string or None", name);
        return false;
    }
    if (is_text(state, name, value)) {
        *string = PyUnicode_FromObject(value);
    }
    return *string != NULL;
}

bool
fb_option_duration(const core_state *state, const char *name, PyObject *value,
                   double *seconds)
{
    PyObject *number;
    if ((PyLong_Check(value) && !PyBool_Check(value))
        || PyFloat_Check(value)) {
        number = Py_NewRef(value);
    } else { /* timedelta, without importing datetime */
        number = PyObject_CallMethod(value, "total_seconds", NULL);
    }
    *seconds = number == NULL ? -1.0 : PyFloat_AsDouble(number);
    Py_XDECREF(number);
    if (PyErr_Occurred() && !PyErr_ExceptionMatches(PyExc_OverflowError)) {
        if (!fb_option_is_refused()) {
            return false;
        }
        PyErr_Clear();
        PyErr_Format(PyExc_TypeError, "%s must be seconds or a timedelta",
                     name);
        return false;
    }
    PyErr_Clear();
    return (*seconds >= 0 && *seconds <= SECONDS_MAX)
           || refuse(state, name, "0 to 2^52 seconds");
}

static PyObject *
plain_string(const core_state *state, const char *name, PyObject *value)
{
    if (!PyUnicode_Check(value)) {
        PyErr_Format(PyExc_TypeError, "%s must hold strings only", name);
        return NULL;
    }
    return is_text(state, name, value) ? PyUnicode_FromObject(value) : NULL;
}

PyObject *
fb_option_strings(const core_state *state, const char *name, PyObject *value,
                  bool may_be_empty)
{
    PyObject *given = PyUnicode_Check(value) ? PyTuple_Pack(1, value)
                                             : PySequence_Tuple(value);
    if (given == NULL) {
        return NULL;
    }
    Py_ssize_t count = PyTuple_GET_SIZE(given);
    bool ok = may_be_empty || count > 0
              || refuse(state, name, "one string or several, not none");
    PyObject *strings = ok ? PyTuple_New(count) : NULL;
    for (Py_ssize_t i = 0; strings != NULL && i < count; i++) {
        PyObject *string =
            plain_string(state, name, PyTuple_GET_ITEM(given, i));
        if (string == NULL) {
            Py_CLEAR(strings);
        } else {
            PyTuple_SET_ITEM(strings, i, string);
        }
    }
    Py_DECREF(given);
    return strings;
}

int
fb_option_size(PyObject *value, void *out)
{
    Py_ssize_t *size = out;
    *size = PyNumber_AsSsize_t(value, NULL);
    return *size != -1 || !PyErr_Occurred();
}

bool
fb_option_clock(PyObject *value, PyObject **clock)
{
    *clock = value == Py_None ? NULL : value;
    if (*clock != NULL && !PyCallable_Check(value)) {
        PyErr_SetString(PyExc_TypeError,
                        "clock must be callable and return seconds");
        return false;
    }
    return true;
}

/* time() reads a page that the kernel keeps: a twentieth of the cost of
 * clock_gettime(), and claims are whole seconds. */
bool
fb_option_clock_read(PyObject *clock, double *now)
{
    if (clock == NULL) {
        *now = (double)time(NULL);
        return true;
    }
    PyObject *seconds = PyObject_CallNoArgs(clock);
    if (seconds == NULL) {
        return false;
    }
    *now = PyFloat_AsDouble(seconds);
    Py_DECREF(seconds);
    if (*now == -1.0 && PyErr_Occurred()) {
        if (!PyErr_ExceptionMatches(PyExc_OverflowError)) {
            return false;
        }
        PyErr_Clear();
        *now = HUGE_VAL;
    }
    if (!(fabs(*now) <= SECONDS_MAX)) { /* nor is NaN */
        PyErr_SetString(PyExc_ValueError, "the clock returned no time");
        return false;
    }
    return true;
}
