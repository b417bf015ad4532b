/* Items of an array, and the list that is made of them at the end: nobody
 * meets a list that is not whole, and none grows item by item. */
#include "skin.h"

#include "json/items.h"

void
fb_items_begin(items *all)
{
    all->of = all->local;
    all->count = 0;
    all->size = ITEMS_LOCAL;
}

void
fb_items_end(items *all)
{
    while (all->count > 0) {
        Py_DECREF(all->of[--all->count]);
    }
    if (all->of != all->local) {
        PyMem_Free(all->of);
    }
}

bool
fb_items_grow(items *all)
{
    bool is_local = all->of == all->local;
    size_t size = all->size * 2;
    PyObject **of =
        PyMem_Realloc(is_local ? NULL : all->of, size * sizeof *of);
    if (of == NULL) {
        PyErr_NoMemory();
        return false;
    }
    if (is_local) {
        memcpy(of, all->local, sizeof all->local);
    }
    all->of = of;
    all->size = size;
    return true;
}

PyObject *
fb_items_list(items *all)
{
    PyObject *list = PyList_New((Py_ssize_t)all->count);
    if (list != NULL) {
        for (size_t i = 0; i < all->count; i++) {
            PyList_SET_ITEM(list, (Py_ssize_t)i, all->of[i]);
        }
        all->count = 0;
    }
    return list;
}
