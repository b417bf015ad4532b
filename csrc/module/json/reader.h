/* What the files share that make Python objects of JSON. */
#ifndef FASTBEARER_READER_H
#define FASTBEARER_READER_H

#include "skin.h"

typedef struct {
    const core_state *state;
    json_cursor cursor;
    json_shapes *learned; /* or NULL */
    bool learns, is_new;
} reader;

static inline PyObject *
reader_refuse(reader *from, status error)
{
    return fb_raise_status(from->state, error);
}

static inline PyObject *
reader_ascii(span text)
{
    PyObject *made = PyUnicode_New((Py_ssize_t)text.len, 127);
    if (made != NULL) {
        memcpy(PyUnicode_1BYTE_DATA(made), text.p, text.len);
    }
    return made;
}

/* --- scalar.c: of what the cursor's last event read ---------------------- */

PyObject *fb_scalar_text(reader *from);

/* Also tells which of the core's own names it is, or -1. */
PyObject *fb_scalar_name(reader *from, int *id);

PyObject *fb_scalar_integer(reader *from);
PyObject *fb_scalar_real(reader *from);

#endif
