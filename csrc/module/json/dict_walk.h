/*
 * A walk over the members of a dict. A part of skin.h, which includes it for
 * every file of this storey.
 */
#ifndef FASTBEARER_DICT_WALK_H
#define FASTBEARER_DICT_WALK_H

#include <Python.h>

#include "names.h"

typedef struct {
    PyObject *name, *value;
} dict_entry;

/* The caller holds the dict, and runs no code that could change it. */
typedef struct {
    PyObject *dict;
    Py_ssize_t position, count;
    const void *keys; /* of the dict, while its entries are read in place */
    const dict_entry *entries;
} dict_walk;

/* Begins a walk: in place where `is_known`, which fb_dict_walk_try finds out,
 * and the dict is an array of entries. */
dict_walk fb_dict_walk(PyObject *dict, bool is_known);

/* Whether entries can be read in place. */
bool fb_dict_walk_try(const names *all);

static inline bool
dict_walk_is_in_place(const dict_walk *walk)
{
    const PyDictObject *dict = (const PyDictObject *)walk->dict;
    return dict->ma_keys == walk->keys && dict->ma_used == walk->count;
}

/* The next member, borrowed; false after the last. */
static inline bool
dict_walk_next(dict_walk *walk, PyObject **name, PyObject **value)
{
    if (dict_walk_is_in_place(walk)) {
        if (walk->position == walk->count) {
            return false;
        }
        const dict_entry *entry = &walk->entries[walk->position];
        if (entry->value != NULL) {
            walk->position++;
            *name = entry->name;
            *value = entry->value;
            return true;
        }
    }
    walk->keys = NULL; /* from the first gap on */
    return PyDict_Next(walk->dict, &walk->position, name, value) != 0;
}

#endif
