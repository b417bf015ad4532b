/* Items of an array, gathered until it is known how many there are. */
#ifndef FASTBEARER_ITEMS_H
#define FASTBEARER_ITEMS_H

#include "skin.h"

#define ITEMS_LOCAL 16

typedef struct {
    PyObject **of; /* owned */
    size_t count, size;
    PyObject *local[ITEMS_LOCAL]; /* where those of most arrays fit */
} items;

void fb_items_begin(items *all);

/* Lets go of what is left. */
void fb_items_end(items *all);

/* Makes room for more; false with a MemoryError. */
bool fb_items_grow(items *all);

/* The list, which takes the items over. */
PyObject *fb_items_list(items *all);

/* Takes the item over, also where it fails. */
static inline bool
items_add(items *all, PyObject *item)
{
    if (all->count == all->size && !fb_items_grow(all)) {
        Py_DECREF(item);
        return false;
    }
    all->of[all->count++] = item;
    return true;
}

#endif
