/* What the files share that make Python objects of JSON. */
#ifndef FASTBEARER_READER_H
#define FASTBEARER_READER_H

#include "skin.h"

typedef struct {
    const core_state *state;
    json_cursor cursor;
    json_shapes *learned; /* or NULL */
    PyObject *kept;       /* a list, where the text holds secrets, or NULL */
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

/* --- what is read in one look -------------------------------------------- */

typedef enum { NOT_PLAIN, PLAIN_TEXT, PLAIN_INTEGER } plainness;

/* A plain string or a small integer that begins at *p, which is moved past it;
 * nothing happens where *what is NOT_PLAIN. */
static inline PyObject *
reader_plain(const char **p, const char *end, plainness *what,
             int64_t *integer)
{
    span text;
    const char *after = json_plain_text(*p, end, &text);
    if (after != NULL) {
        *p = after;
        *what = PLAIN_TEXT;
        return reader_ascii(text);
    }
    after = json_plain_integer(*p, end, integer);
    if (after != NULL) {
        *p = after;
        *what = PLAIN_INTEGER;
        return PyLong_FromLongLong(*integer);
    }
    *what = NOT_PLAIN;
    return NULL;
}

/* --- json_read.c --------------------------------------------------------- */

/* The value that an event began. The cursor bounds the depth, and so the
 * recursion. */
PyObject *fb_json_read_value(reader *from, json_event event,
                             shape_place *place);

/* --- secret_text.c ------------------------------------------------------- */

/* Puts a value, which it takes over, into the list of what is kept, if it is a
 * string or a dict; NULL without the memory for it. */
PyObject *fb_secret_text_keep(PyObject *kept, PyObject *value);

static inline PyObject *
reader_keep(const reader *from, PyObject *value)
{
    return from->kept == NULL ? value : fb_secret_text_keep(from->kept, value);
}

/* --- json_array.c -------------------------------------------------------- */

/* The rest of an array. Objects in it stand at one place. */
PyObject *fb_json_read_array(reader *from, shape_place *place);

/* --- scalar.c: of what the cursor's last event read ---------------------- */

PyObject *fb_scalar_text(reader *from);

/* Also tells which of the core's own names it is, or -1. */
PyObject *fb_scalar_name(reader *from, int *id);

PyObject *fb_scalar_integer(reader *from);
PyObject *fb_scalar_real(reader *from);

#endif
