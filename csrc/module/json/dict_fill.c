/*
 * Dicts of the same names, each a copy of a model with values of its own.
 *
 * The public way sets one item after another, and looks each name up for it.
 * Where CPython's dicts are known, the values are written to where the copy
 * has them: a dict whose names are all str, none of them ever deleted, has an
 * array of names and values, in order. It was read in 3.11, 3.12 and 3.13,
 * and is tried when the module starts.
 */
#define Py_BUILD_CORE_MODULE 1 /* before Python.h, for dict_entries.h */
#include "skin.h"

#include "json/dict_entries.h"

PyObject *
fb_dict_model(PyObject *const *given, Py_ssize_t count)
{
    PyObject *model = PyDict_New();
    bool ok = model != NULL;
    for (Py_ssize_t i = 0; ok && i < count; i++) {
        ok = PyDict_SetItem(model, given[i], Py_None) == 0;
    }
    if (!ok || PyDict_GET_SIZE(model) != count) {
        Py_CLEAR(model);
    } else if (PyObject_GC_IsTracked(model)) {
        PyObject_GC_UnTrack(model); /* or gc.get_objects() would show it */
    }
    return model;
}

/* --- filling ------------------------------------------------------------- */

/* Without a GIL, threads would wait at the model's lock for each other. */
static PyObject *
begin_copy(PyObject *model)
{
#ifdef Py_GIL_DISABLED
    (void)model;
    return PyDict_New();
#else
    return PyDict_Copy(model);
#endif
}

static bool
set_values(PyObject *copy, PyObject *model, PyObject *const *values)
{
    Py_ssize_t at = 0;
    PyObject *name;
    bool ok = true;
    while (ok && PyDict_Next(model, &at, &name, NULL)) {
        ok = PyDict_SetItem(copy, name, *values++) == 0;
    }
    return ok;
}

#if DICT_ENTRIES_ARE_KNOWN

/* Whether the copy has `count` names, in order, and nothing else. */
static bool
is_plain(const PyDictObject *copy, Py_ssize_t count)
{
    return copy->ma_values == NULL && copy->ma_used == count
           && copy->ma_keys->dk_kind == DICT_KEYS_UNICODE
           && copy->ma_keys->dk_nentries == count;
}

/* Takes the values over. A dict is tracked by the garbage collector once it
 * holds what may be. */
static void
write_values(PyObject *copy, PyObject *const *values, Py_ssize_t count)
{
    PyDictUnicodeEntry *entries =
        DK_UNICODE_ENTRIES(((PyDictObject *)copy)->ma_keys);
    bool is_container = false;
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *none = entries[i].me_value;
        entries[i].me_value = values[i];
        is_container = is_container || PyType_IS_GC(Py_TYPE(values[i]));
        Py_DECREF(none);
    }
    if (is_container && !PyObject_GC_IsTracked(copy)) {
        PyObject_GC_Track(copy);
    }
}

#endif

PyObject *
fb_dict_fill(const core_state *state, PyObject *model, PyObject *const *values,
             Py_ssize_t count)
{
    PyObject *copy = begin_copy(model);
#if DICT_ENTRIES_ARE_KNOWN
    if (copy != NULL && state->writes_dicts
        && is_plain((PyDictObject *)copy, count)) {
        write_values(copy, values, count);
        return copy;
    }
#else
    (void)state;
#endif
    if (copy != NULL && !set_values(copy, model, values)) {
        Py_CLEAR(copy);
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        Py_DECREF(values[i]);
    }
    return copy;
}

/* --- the trial ----------------------------------------------------------- */

/* Whether a dict has the names of a model and these values, and no more. */
static bool
has_values(PyObject *dict, PyObject *model, PyObject *const *values)
{
    Py_ssize_t at = 0, in_model = 0;
    PyObject *name, *value, *wanted;
    bool ok = PyDict_GET_SIZE(dict) == PyDict_GET_SIZE(model);
    while (ok && PyDict_Next(model, &in_model, &wanted, NULL)) {
        ok = PyDict_Next(dict, &at, &name, &value) && name == wanted
             && value == *values
             && PyDict_GetItemWithError(dict, name) == value
             && PyDict_GetItemWithError(model, name) == Py_None;
        values++;
    }
    return ok && !PyDict_Next(dict, &at, NULL, NULL);
}

/* The values are the names, and one that makes the copy a container. */
static bool
fills_well(const core_state *state, PyObject *model)
{
    PyObject *values[NAME_COUNT];
    for (int i = 0; i < NAME_COUNT; i++) {
        values[i] = Py_NewRef(i == NAME_exp ? model : state->names.own[i]);
    }
    PyObject *copy = fb_dict_fill(state, model, values, NAME_COUNT);
    bool ok = copy != NULL && has_values(copy, model, values)
              && PyObject_GC_IsTracked(copy);
    Py_XDECREF(copy);
    return ok;
}

void
fb_dict_try(core_state *state)
{
    assert(!PyErr_Occurred()); /* or an error of others would be forgotten */
    PyObject *model = fb_dict_model(state->names.own, NAME_COUNT);
    state->writes_dicts = DICT_ENTRIES_ARE_KNOWN;
    bool ok = model != NULL && fills_well(state, model);
    state->writes_dicts = state->writes_dicts && ok;
    PyErr_Clear(); /* without memory for it, item by item */
    Py_XDECREF(model);
}
