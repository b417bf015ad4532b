/* The signature cache: the last tokens whose signature has passed. */
#include "skin.h"

#include "token/token.h"

/* A token as the plain str that is remembered, or NULL for one that is not
 * remembered: a subclass could answer an equality test as it likes. Bytes
 * become a str, since -b warns where the two are compared. */
static PyObject *
cache_text(const signature_cache *cache, PyObject *value)
{
    PyObject *text = NULL;
    if (cache->known != NULL && PyUnicode_CheckExact(value)) {
        text = Py_NewRef(value);
    } else if (cache->known != NULL && PyBytes_CheckExact(value)) {
        text = PyUnicode_DecodeLatin1(PyBytes_AS_STRING(value),
                                      PyBytes_GET_SIZE(value), NULL);
        if (text == NULL) {
            PyErr_Clear(); /* it is only not remembered */
        }
    }
    return text;
}

bool
fb_cache_make(signature_cache *cache, Py_ssize_t size)
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
fb_cache_clear(signature_cache *cache)
{
    Py_CLEAR(cache->known);
    for (Py_ssize_t i = 0; cache->ring != NULL && i < cache->size; i++) {
        Py_XDECREF(cache->ring[i]);
    }
    PyMem_Free(cache->ring);
    cache->ring = NULL;
}

bool
fb_cache_has(const signature_cache *cache, PyObject *value)
{
    PyObject *text = cache_text(cache, value);
    bool has = text != NULL && PySet_Contains(cache->known, text) == 1;
    Py_XDECREF(text);
    return has;
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
fb_cache_add(signature_cache *cache, PyObject *value)
{
    PyObject *text = cache_text(cache, value);
    if (text == NULL) {
        return;
    }
#ifdef Py_GIL_DISABLED
    PyMutex_Lock(&cache->adding); /* the set's own lock is given up within */
#endif
    if (PySet_Contains(cache->known, text) == 0) {
        replace(cache, text);
    }
#ifdef Py_GIL_DISABLED
    PyMutex_Unlock(&cache->adding);
#endif
    Py_DECREF(text);
}
