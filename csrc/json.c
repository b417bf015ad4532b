/* Python objects from the events of a JSON cursor. */
#include "module.h"

#include <math.h>

typedef struct {
    const core_state *state;
    json_cursor cursor;
} reader;

static PyObject *
refuse(reader *from, status error)
{
    return status_raise(from->state, error);
}

/* --- scalars ------------------------------------------------------------------ */

static PyObject *
make_ascii(span text)
{
    PyObject *made = PyUnicode_New((Py_ssize_t)text.len, 127);
    if (made != NULL) {
        memcpy(PyUnicode_1BYTE_DATA(made), text.p, text.len);
    }
    return made;
}

static PyObject *
make_unescaped(span text)
{
    char room[256];
    char *plain = text.len <= sizeof room ? room : PyMem_Malloc(text.len);
    if (plain == NULL) {
        return PyErr_NoMemory();
    }
    size_t len = json_unescape(text, plain);
    PyObject *made = PyUnicode_DecodeUTF8(plain, (Py_ssize_t)len, NULL);
    if (plain != room) {
        PyMem_Free(plain);
    }
    return made;
}

static PyObject *
make_text(const json_cursor *at)
{
    if (at->is_escaped) {
        return make_unescaped(at->text);
    }
    if (at->is_ascii) {
        return make_ascii(at->text);
    }
    return PyUnicode_DecodeUTF8(at->text.p, (Py_ssize_t)at->text.len, NULL);
}

static PyObject *
make_name(reader *from)
{
    const json_cursor *at = &from->cursor;
    PyObject *common =
        at->is_escaped ? NULL : names_find(&from->state->names, at->text);
    return common != NULL ? Py_NewRef(common) : make_text(at);
}

/* CPython's converters want a NUL behind the text. */
static PyObject *
make_number(reader *from, PyObject *(*convert)(const char *text))
{
    char room[64];
    span text = from->cursor.text;
    char *copy = text.len < sizeof room ? room : PyMem_Malloc(text.len + 1);
    if (copy == NULL) {
        return PyErr_NoMemory();
    }
    memcpy(copy, text.p, text.len);
    copy[text.len] = '\0';
    PyObject *made = convert(copy);
    if (copy != room) {
        PyMem_Free(copy);
    }
    if (made == NULL && PyErr_ExceptionMatches(PyExc_ValueError)) {
        PyErr_Clear();
        return refuse(from, STATUS_JSON_NUMBER);
    }
    return made;
}

/* ValueError too where sys.set_int_max_str_digits() is below our limit. */
static PyObject *
long_from_text(const char *text)
{
    return PyLong_FromString(text, NULL, 10);
}

static PyObject *
float_from_text(const char *text)
{
    double value = PyOS_string_to_double(text, NULL, NULL);
    if (isinf(value)) {
        PyErr_SetNone(PyExc_ValueError);
        return NULL;
    }
    return PyFloat_FromDouble(value);
}

/* --- containers ------------------------------------------------------------------ */

static PyObject *read_value(reader *from, json_event event);

static PyObject *
read_array(reader *from)
{
    PyObject *list = PyList_New(0);
    json_event event;
    if (list == NULL) {
        return NULL;
    }
    while ((event = json_next(&from->cursor)) != JSON_ARRAY_END) {
        PyObject *value = read_value(from, event);
        if (value == NULL || PyList_Append(list, value) < 0) {
            Py_XDECREF(value);
            Py_DECREF(list);
            return NULL;
        }
        Py_DECREF(value);
    }
    return list;
}

static bool
read_member(reader *from, PyObject *object)
{
    PyObject *name = make_name(from);
    PyObject *value =
        name == NULL ? NULL : read_value(from, json_next(&from->cursor));
    bool ok = value != NULL && PyDict_SetItem(object, name, value) == 0;
    Py_XDECREF(name);
    Py_XDECREF(value);
    return ok;
}

/* RFC 7515 4 and RFC 7519 4: a name that comes twice leaves fewer entries. */
static PyObject *
read_object(reader *from)
{
    PyObject *object = PyDict_New();
    Py_ssize_t members = 0;
    json_event event;
    if (object == NULL) {
        return NULL;
    }
    while ((event = json_next(&from->cursor)) == JSON_NAME) {
        if (!read_member(from, object)) {
            Py_DECREF(object);
            return NULL;
        }
        members++;
    }
    if (event == JSON_REFUSED) {
        refuse(from, from->cursor.error);
    } else if (PyDict_GET_SIZE(object) != members) {
        refuse(from, STATUS_JSON_DUPLICATE);
    } else {
        return object;
    }
    Py_DECREF(object);
    return NULL;
}

/* The cursor bounds the depth, so recursion is bounded. */
static PyObject *
read_value(reader *from, json_event event)
{
    switch (event) {
    case JSON_STRING:
        return make_text(&from->cursor);
    case JSON_INTEGER:
        return from->cursor.is_small
                   ? PyLong_FromLongLong(from->cursor.integer)
                   : make_number(from, long_from_text);
    case JSON_REAL:
        return make_number(from, float_from_text);
    case JSON_OBJECT:
        return read_object(from);
    case JSON_ARRAY:
        return read_array(from);
    case JSON_TRUE:
        return Py_NewRef(Py_True);
    case JSON_FALSE:
        return Py_NewRef(Py_False);
    case JSON_NULL:
        return Py_NewRef(Py_None);
    default:
        return refuse(from, from->cursor.error);
    }
}

PyObject *
json_read_object(const core_state *state, span text)
{
    reader from = {.state = state};
    json_begin(&from.cursor, text);
    json_event event = json_next(&from.cursor);
    if (event != JSON_OBJECT) {
        return refuse(&from, event == JSON_REFUSED ? from.cursor.error
                                                   : STATUS_JSON_NOT_OBJECT);
    }
    PyObject *object = read_object(&from);
    if (object != NULL && json_next(&from.cursor) != JSON_END) {
        Py_DECREF(object);
        return refuse(&from, from.cursor.error);
    }
    return object;
}
