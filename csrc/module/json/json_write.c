/* A strict, compact JSON writer: what it writes, the reader accepts. */
#include "skin.h"

static bool write_value(json_out *text, PyObject *value, int level);

/* --- containers ---------------------------------------------------------- */

/* Writes "name":value, with a comma after it; the last one is taken back. A
 * value that cannot be written is asked what it is, by code that may be the
 * caller's: it may take both out of what is written. */
static bool
write_member(json_out *text, PyObject *name, PyObject *value, int level)
{
    if (fb_json_put_ready(text, name, value)) {
        return true;
    }
    Py_INCREF(name);
    Py_INCREF(value);
    bool ok =
        (fb_json_put_name(text, name) && write_value(text, value, level + 1))
        || fb_json_blame(text, name, 0);
    Py_DECREF(name);
    Py_DECREF(value);
    return ok;
}

bool
fb_json_write_member(json_out *text, PyObject *name, PyObject *value)
{
    return write_member(text, name, value, 1);
}

static bool
is_name(PyObject *name)
{
    if (!PyUnicode_Check(name)) {
        PyErr_Format(PyExc_TypeError,
                     "names in JSON must be strings, not %.100s",
                     Py_TYPE(name)->tp_name);
        return false;
    }
    return true;
}

/* A set, for which no garbage is collected: that would run code of others in
 * the midst of what is written, as 3.11 does within allocations. */
static PyObject *
make_set(void)
{
#if PY_VERSION_HEX < 0x030c0000
    int was_enabled = PyGC_Disable();
#endif
    PyObject *made = PySet_New(NULL);
#if PY_VERSION_HEX < 0x030c0000
    if (was_enabled) {
        PyGC_Enable();
    }
#endif
    return made;
}

/* Whether no two names have the same text: those of a class of its own can,
 * in one dict. */
static bool
are_unique(PyObject *object)
{
    PyObject *name, *value, *seen = make_set();
    Py_ssize_t position = 0;
    bool ok = seen != NULL;
    while (ok && PyDict_Next(object, &position, &name, &value)) {
        PyObject *plain = PyUnicode_FromObject(name);
        ok = plain != NULL && PySet_Add(seen, plain) == 0;
        Py_XDECREF(plain);
    }
    if (ok && PySet_GET_SIZE(seen) != PyDict_GET_SIZE(object)) {
        PyErr_SetString(PyExc_ValueError,
                        "an object to be signed has a name twice");
        ok = false;
    }
    Py_XDECREF(seen);
    return ok;
}

static bool
write_members(json_out *text, PyObject *object, int level)
{
    dict_walk walk = fb_dict_walk(object, text->walks_dicts);
    PyObject *name, *value;
    bool ok = true, are_plain = true;
    while (ok && dict_walk_next(&walk, &name, &value)) {
        if (!PyUnicode_CheckExact(name)) {
            are_plain = false;
            ok = is_name(name);
        }
        ok = ok && write_member(text, name, value, level);
    }
    return ok && (are_plain || are_unique(object));
}

bool
fb_json_close(json_out *text, char bracket)
{
    char *last = text->bytes + text->len - 1;
    if (*last == ',') {
        *last = bracket;
        return true;
    }
    return json_put_character(text, bracket);
}

static bool
write_item(json_out *text, PyObject *item, Py_ssize_t index, int level)
{
    Py_INCREF(item); /* as in write_member */
    bool ok =
        write_value(text, item, level + 1) || fb_json_blame(text, NULL, index);
    Py_DECREF(item);
    return ok;
}

static bool
write_items(json_out *text, PyObject *array, int level)
{
    bool ok = true;
    for (Py_ssize_t i = 0; ok && i < PySequence_Fast_GET_SIZE(array); i++) {
        ok = write_item(text, PySequence_Fast_GET_ITEM(array, i), i, level);
    }
    return ok;
}

#ifdef Py_GIL_DISABLED
/* A class of its own may iterate in its own way, which fails where others
 * change it: its members are read as they are. What makes a dict of them may
 * run code of the names, which gives up the lock. */
static PyObject *
members_of(PyObject *object)
{
    PyObject *name, *value, *all = PyList_New(0);
    Py_ssize_t position = 0;
    bool ok = all != NULL;
    Py_BEGIN_CRITICAL_SECTION(object);
    while (ok && PyDict_Next(object, &position, &name, &value)) {
        Py_INCREF(name);
        Py_INCREF(value);
        ok = PyList_Append(all, name) == 0 && PyList_Append(all, value) == 0;
        Py_DECREF(name);
        Py_DECREF(value);
    }
    Py_END_CRITICAL_SECTION();
    if (!ok) {
        Py_CLEAR(all);
    }
    return all;
}

static PyObject *
dict_copy(PyObject *object)
{
    if (PyDict_CheckExact(object)) {
        return PyDict_Copy(object);
    }
    PyObject *all = members_of(object), *made = PyDict_New();
    bool ok = all != NULL && made != NULL;
    for (Py_ssize_t i = 0; ok && i < PyList_GET_SIZE(all); i += 2) {
        ok = PyDict_SetItem(made, PyList_GET_ITEM(all, i),
                            PyList_GET_ITEM(all, i + 1))
             == 0;
    }
    Py_XDECREF(all);
    if (!ok) {
        Py_CLEAR(made);
    }
    return made;
}
#endif

/*
 * What is written must not change meanwhile, nor go. With a GIL no code of
 * others runs here, but for a value that cannot be written. Without one a lock
 * would not do: to wait for an inner container's gives up the outer one's.
 */
PyObject *
fb_json_still(PyObject *container)
{
#ifdef Py_GIL_DISABLED
    if (PyDict_Check(container)) {
        return dict_copy(container);
    }
    if (PyList_Check(container)) {
        return PyList_AsTuple(container);
    }
#endif
    return Py_NewRef(container);
}

/* The same, for nothing where there is a GIL. */
static inline PyObject *
hold(PyObject *container)
{
#ifdef Py_GIL_DISABLED
    return fb_json_still(container);
#else
    return container;
#endif
}

static inline void
let_go(PyObject *held)
{
#ifdef Py_GIL_DISABLED
    Py_XDECREF(held);
#else
    (void)held;
#endif
}

static bool
write_container(json_out *text, PyObject *value, int level)
{
    if (level > JSON_DEPTH_MAX) { /* also where a value holds itself */
        PyErr_SetString(PyExc_ValueError,
                        "JSON to be signed has more than 32 levels");
        return false;
    }
    PyObject *still = hold(value);
    bool ok =
        still != NULL
        && (PyDict_Check(still) ? json_put_character(text, '{')
                                      && write_members(text, still, level)
                                      && fb_json_close(text, '}')
                                : json_put_character(text, '[')
                                      && write_items(text, still, level)
                                      && fb_json_close(text, ']'));
    let_go(still);
    return ok && json_put_character(text, ',');
}

/* A value and a comma. */
static bool
write_value(json_out *text, PyObject *value, int level)
{
    if (PyUnicode_Check(value)) {
        return fb_json_put_string(text, value, ',');
    }
    if (PyBool_Check(value)) {
        return value == Py_True ? fb_json_put(text, "true,", 5)
                                : fb_json_put(text, "false,", 6);
    }
    if (PyLong_Check(value)) {
        return fb_json_put_integer(text, value, ',');
    }
    if (PyDict_Check(value) || PyList_Check(value) || PyTuple_Check(value)) {
        return write_container(text, value, level);
    }
    if (value == Py_None) {
        return fb_json_put(text, "null,", 5);
    }
    if (PyFloat_Check(value)) {
        return fb_json_put_real(text, value, ',');
    }
    fb_json_blame_type(value);
    return false;
}

bool
fb_json_write(json_out *text, PyObject *value, int level)
{
    bool ok = write_value(text, value, level);
    text->len -= ok ? 1 : 0;
    return ok;
}
