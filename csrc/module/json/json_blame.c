/* Where a value stands that JSON cannot have, and what to write instead. */
#include "skin.h"

#define SHOWN_MAX "200" /* characters of a path that an error shows */

/* Names of classes, as they are without their modules. */
static const struct {
    const char *type, *advice;
} advices[] = {
    {"UUID", "str(value)"},
    {"Decimal", "str(value)"},
    {"Fraction", "str(value)"},
    {"datetime", "int(value.timestamp())"},
    {"date", "value.isoformat()"},
    {"time", "value.isoformat()"},
    {"timedelta", "value.total_seconds()"},
    {"set", "sorted(value)"},
    {"frozenset", "sorted(value)"},
    {"bytes", "value.decode()"},
    {"bytearray", "value.decode()"},
};

static const char *
short_name(const PyTypeObject *type)
{
    const char *dot = strrchr(type->tp_name, '.');
    return dot == NULL ? type->tp_name : dot + 1;
}

static const char *
advice_for(PyTypeObject *type)
{
    const char *name = short_name(type), *kind = short_name(Py_TYPE(type));
    for (size_t i = 0; i < sizeof advices / sizeof *advices; i++) {
        if (strcmp(name, advices[i].type) == 0) {
            return advices[i].advice;
        }
    }
    if (strcmp(kind, "EnumType") == 0) {
        return "value.value";
    }
    if (fb_option_has((PyObject *)type, "model_dump")) {
        return "value.model_dump(mode='json')";
    }
    if (fb_option_has((PyObject *)type, "__dataclass_fields__")) {
        return "dataclasses.asdict(value)";
    }
    return NULL;
}

void
fb_json_blame_type(PyObject *value)
{
    /* Its metaclass may run code, and the value then be of another type. */
    PyTypeObject *type = (PyTypeObject *)Py_NewRef(Py_TYPE(value));
    const char *advice = advice_for(type);
    if (!PyErr_Occurred()) {
        PyErr_Format(PyExc_TypeError, "JSON has no values of type %.100s%s%s",
                     type->tp_name, advice == NULL ? "" : ": write ",
                     advice == NULL ? "" : advice);
    }
    Py_DECREF(type);
}

bool
fb_json_blame(json_out *text, PyObject *name, Py_ssize_t index)
{
    if (text->steps < JSON_DEPTH_MAX + 1) {
        text->at[text->steps++] = (json_step){Py_XNewRef(name), index};
    }
    return false;
}

/* "claims['a'][0]", from the outermost step to the innermost; a name with a
 * class of its own is not asked for its text. */
static PyObject *
path_of(const json_out *text, const char *whole)
{
    PyObject *path = PyUnicode_FromString(whole);
    for (int i = text->steps; path != NULL && i-- > 0;) {
        const json_step *step = &text->at[i];
        PyObject *longer =
            step->name == NULL
                ? PyUnicode_FromFormat("%U[%zd]", path, step->index)
            : PyUnicode_CheckExact(step->name)
                ? PyUnicode_FromFormat("%U[%A]", path, step->name)
                : PyUnicode_FromFormat("%U[...]", path);
        Py_SETREF(path, longer);
    }
    return path;
}

/* The exception that is set, taken. */
static PyObject *
take_error(void)
{
#if PY_VERSION_HEX >= 0x030c0000
    PyObject *error = PyErr_GetRaisedException();
#else
    PyObject *type, *error, *trace;
    PyErr_Fetch(&type, &error, &trace);
    PyErr_NormalizeException(&type, &error, &trace);
    Py_XDECREF(type);
    Py_XDECREF(trace);
#endif
    return error;
}

void
fb_json_blame_tell(const json_out *text, const char *whole)
{
    if (text->steps == 0
        || !(PyErr_ExceptionMatches(PyExc_TypeError)
             || PyErr_ExceptionMatches(PyExc_ValueError))) {
        return;
    }
    PyObject *error = take_error();
    PyObject *path = path_of(text, whole);
    if (path != NULL && error != NULL) {
        PyErr_Format((PyObject *)Py_TYPE(error), "%." SHOWN_MAX "U: %S", path,
                     error);
    }
    Py_XDECREF(path);
    Py_XDECREF(error);
}
