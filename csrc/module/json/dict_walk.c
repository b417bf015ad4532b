/*
 * The members of a dict, one after another.
 *
 * The public way calls CPython for each. Where its dicts are known, their
 * array of names and values is read in place, up to the first gap that a
 * deletion has left. This holds for dicts whose names are all str, and whose
 * values are not kept apart.
 */
#define Py_BUILD_CORE_MODULE 1 /* before Python.h, for dict_entries.h */
#include "skin.h"

#include <stddef.h>

#include "json/dict_entries.h"

#if DICT_ENTRIES_ARE_KNOWN

_Static_assert(sizeof(dict_entry) == sizeof(PyDictUnicodeEntry)
                   && offsetof(dict_entry, name)
                          == offsetof(PyDictUnicodeEntry, me_key)
                   && offsetof(dict_entry, value)
                          == offsetof(PyDictUnicodeEntry, me_value),
               "entries of a dict are not as they were");

static void
begin_in_place(dict_walk *walk)
{
    const PyDictObject *dict = (const PyDictObject *)walk->dict;
    if (dict->ma_keys->dk_kind == DICT_KEYS_UNICODE) {
        walk->keys = dict->ma_keys;
        walk->count = dict->ma_used;
        walk->entries = (const dict_entry *)DK_UNICODE_ENTRIES(dict->ma_keys);
    }
}

#else

static void
begin_in_place(dict_walk *walk)
{
    (void)walk;
}

#endif

dict_walk
fb_dict_walk(PyObject *dict, bool is_known)
{
    dict_walk walk = {.dict = dict};
    if (is_known) {
        begin_in_place(&walk);
    }
    return walk;
}

/* --- the trial ----------------------------------------------------------- */

/* Whether a walk is in place, and meets the members that CPython names. */
static bool
is_same_walk(PyObject *dict)
{
    dict_walk walk = fb_dict_walk(dict, true);
    PyObject *name, *value, *wanted_name, *wanted;
    Py_ssize_t position = 0;
    bool ok = dict_walk_is_in_place(&walk);
    while (ok && PyDict_Next(dict, &position, &wanted_name, &wanted)) {
        ok = dict_walk_next(&walk, &name, &value) && name == wanted_name
             && value == wanted;
    }
    return ok && !dict_walk_next(&walk, &name, &value);
}

bool
fb_dict_walk_try(const names *all)
{
    assert(!PyErr_Occurred()); /* or an error of others would be forgotten */
    PyObject *dict = PyDict_New();
    bool ok = dict != NULL;
    for (int i = 0; ok && i < NAME_COUNT; i++) {
        PyObject *value = i % 2 == 0 ? all->own[0] : Py_None;
        ok = PyDict_SetItem(dict, all->own[i], value) == 0;
    }
    ok = ok && is_same_walk(dict) && PyDict_DelItem(dict, all->own[1]) == 0
         && is_same_walk(dict);
    PyErr_Clear(); /* without memory for it, CPython is asked */
    Py_XDECREF(dict);
    return ok;
}
