/* Names of members that a signer has written before, as it writes them. A
 * place is filled once and kept until the signer goes: no lock, and nobody
 * reads what another frees. */
#include "skin.h"

static json_ready_name *
ready_name(PyObject *name, span text)
{
    json_ready_name *made = PyMem_Calloc(1, sizeof *made);
    if (made != NULL) {
        made->name = Py_NewRef(name);
        made->len = text.len;
        memcpy(made->text, text.p, text.len);
    }
    return made;
}

/* Names in a program's text are interned, so that they are the same objects
 * when it runs there again; those that were read or computed are not, and
 * would fill the places in vain. */
void
fb_json_ready_keep(json_ready *ready, PyObject *name, span text)
{
    if (!PyUnicode_CheckExact(name) || !PyUnicode_CHECK_INTERNED(name)
        || text.len > JSON_READY_TEXT) {
        return;
    }
    size_t first = json_ready_place(name);
    for (size_t i = first; i < first + JSON_READY_STEPS; i++) {
        _Atomic(json_ready_name *) *place = &ready->of[i];
        json_ready_name *empty = NULL;
        if (atomic_load_explicit(place, memory_order_relaxed) == NULL) {
            json_ready_name *made = ready_name(name, text);
            if (made != NULL
                && !atomic_compare_exchange_strong(place, &empty, made)) {
                Py_DECREF(made->name); /* another thread was first */
                PyMem_Free(made);
            }
            return; /* without memory, the name is written as before */
        }
    }
}

void
fb_json_ready_clear(json_ready *ready)
{
    for (size_t i = 0; i < sizeof ready->of / sizeof *ready->of; i++) {
        json_ready_name *kept = atomic_load(&ready->of[i]);
        if (kept != NULL) {
            Py_DECREF(kept->name);
            PyMem_Free(kept);
        }
    }
}
