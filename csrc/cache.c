/* The signature cache: the last tokens whose signature has passed. */
#include "module.h"

/* A subclass could answer an equality test as it likes. */
static bool
is_cacheable(const signature_cache *cache, PyObject *text)
{
    return cache->known != NULL
           && (PyUnicode_CheckExact(text) || PyBytes_CheckExact(text));
}

bool
cache_make(signature_cache *cache, Py_ssize_t size)
{
    if (size == 0) {
        return true;
    }
    cache->size = size;
    cache->known = PySet_New(NULL);
    cache->ring = PyMem_Calloc((size_t)size, sizeof *cache->ring);
    if (cache->known != NULL && cache->ring == NULL) {
        PyErr_NoMemory();
    }
    return cache->known != NULL && cache->ring != NULL;
}

void
cache_clear(signature_cache *cache)
{
    Py_CLEAR(cache->known);
    for (Py_ssize_t i = 0; cache->ring != NULL && i < cache->size; i++) {
        Py_XDECREF(cache->ring[i]);
    }
    PyMem_Free(cache->ring);
    cache->ring = NULL;
}

bool
cache_has(const signature_cache *cache, PyObject *text)
{
    return is_cacheable(cache, text)
           && PySet_Contains(cache->known, text) == 1;
}

/* The oldest makes room. */
static void
replace(signature_cache *cache, PyObject *text)
{
    PyObject **place = &cache->ring[cache->next];
    if (*place != NULL) {
        (void)PySet_Discard(cache->known, *place);
    }
    if (PySet_Add(cache->known, text) < 0) {
        PyErr_Clear(); /* it is only not remembered */
    } else {
        Py_XSETREF(*place, Py_NewRef(text));
        cache->next = (cache->next + 1) % cache->size;
    }
}

void
cache_add(signature_cache *cache, PyObject *text)
{
    if (!is_cacheable(cache, text)) {
        return;
    }
#ifdef Py_GIL_DISABLED
    Py_BEGIN_CRITICAL_SECTION(cache->known);
#endif
    if (PySet_Contains(cache->known, text) == 0) {
        replace(cache, text);
    }
#ifdef Py_GIL_DISABLED
    Py_END_CRITICAL_SECTION();
#endif
}
