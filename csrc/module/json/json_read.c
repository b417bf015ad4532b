/* Python objects from the events of a JSON cursor. */
#include "skin.h"

#include <math.h>

typedef struct {
    const core_state *state;
    json_cursor cursor;
} reader;

static PyObject *
refuse(reader *from, status error)
{
    return fb_raise_status(from->state, error);
}

/* --- scalars ------------------------------------------------------------- */

static PyObject *
make_ascii(span text)
{
    PyObject *made = PyUnicode_New((Py_ssize_t)text.len, 127);
    if (made != NULL) {
        memcpy(PyUnicode_1BYTE_DATA(made), text.p, text.len);
    }
    return made;
}

/* The text, once plain, is looked up like any other: an escape must not hide
 * a name from the checks. */
static PyObject *
make_unescaped(span text, const names *all, const common_name **common)
{
    char local[256];
    char *plain = text.len <= sizeof local ? local : PyMem_Malloc(text.len);
    *common = NULL;
    if (plain == NULL) {
        return PyErr_NoMemory();
    }
    size_t len = fb_json_unescape(text, plain);
    PyObject *made = PyUnicode_DecodeUTF8(plain, (Py_ssize_t)len, NULL);
    *common = fb_names_find(all, (span){plain, len});
    if (plain != local) {
        PyMem_Free(plain);
    }
    return made;
}

static PyObject *
make_plain(const json_cursor *at)
{
    return at->is_ascii ? make_ascii(at->text)
                        : PyUnicode_DecodeUTF8(at->text.p,
                                               (Py_ssize_t)at->text.len, NULL);
}

static PyObject *
make_text(reader *from)
{
    const json_cursor *at = &from->cursor;
    const common_name *unused;
    return at->is_escaped
               ? make_unescaped(at->text, &from->state->names, &unused)
               : make_plain(at);
}

/* Also tells which of the core's own names it is, or -1. */
static PyObject *
make_name(reader *from, int *id)
{
    const json_cursor *at = &from->cursor;
    const names *all = &from->state->names;
    const common_name *common;
    PyObject *made = NULL;
    if (at->is_escaped) {
        made = make_unescaped(at->text, all, &common);
    } else {
        common = fb_names_find(all, at->text);
        made = common != NULL ? Py_NewRef(common->text) : make_plain(at);
    }
    *id = common == NULL ? -1 : common->id;
    return made;
}

/* CPython's converters want a NUL after the text. */
static PyObject *
make_number(reader *from, PyObject *(*convert)(const char *text))
{
    char local[64];
    span text = from->cursor.text;
    char *copy = text.len < sizeof local ? local : PyMem_Malloc(text.len + 1);
    if (copy == NULL) {
        return PyErr_NoMemory();
    }
    memcpy(copy, text.p, text.len);
    copy[text.len] = '\0';
    PyObject *made = convert(copy);
    if (copy != local) {
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

/* --- containers ---------------------------------------------------------- */

static PyObject *read_value(reader *from, json_event event);

static PyObject *
read_array(reader *from)
{
    PyObject *list = PyList_New(0);
    json_event event;
    if (list == NULL) {
        return NULL;
    }
    while ((event = fb_json_item(&from->cursor)) != JSON_ARRAY_END) {
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
read_member(reader *from, PyObject *object, known_members *known)
{
    int id;
    PyObject *name = make_name(from, &id);
    PyObject *value =
        name == NULL ? NULL : read_value(from, fb_json_value(&from->cursor));
    bool ok = value != NULL && PyDict_SetItem(object, name, value) == 0;
    if (ok && known != NULL && id >= 0) {
        known->of[id] = value;
    }
    Py_XDECREF(name);
    Py_XDECREF(value);
    return ok;
}

/* RFC 7515 4 and RFC 7519 4: a name that comes twice leaves fewer entries. */
static PyObject *
read_object(reader *from, known_members *known)
{
    PyObject *object = PyDict_New();
    Py_ssize_t members = 0;
    json_event event;
    if (object == NULL) {
        return NULL;
    }
    while ((event = fb_json_member(&from->cursor)) == JSON_NAME) {
        if (!read_member(from, object, known)) {
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
        return make_text(from);
    case JSON_INTEGER:
        return from->cursor.is_small
                   ? PyLong_FromLongLong(from->cursor.integer)
                   : make_number(from, long_from_text);
    case JSON_REAL:
        return make_number(from, float_from_text);
    case JSON_OBJECT:
        return read_object(from, NULL);
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
fb_json_read_object(const core_state *state, span text, known_members *known)
{
    reader from = {.state = state};
    *known = (known_members){0};
    fb_json_begin(&from.cursor, text);
    json_event event = fb_json_value(&from.cursor);
    if (event != JSON_OBJECT) {
        return refuse(&from, event == JSON_REFUSED ? from.cursor.error
                                                   : STATUS_JSON_NOT_OBJECT);
    }
    PyObject *object = read_object(&from, known);
    if (object != NULL && !fb_json_end(&from.cursor)) {
        Py_DECREF(object);
        return refuse(&from, from.cursor.error);
    }
    return object;
}
