/*
 * Writing JSON from Python objects. A part of skin.h, which includes it for
 * every file of this storey.
 */
#ifndef FASTBEARER_JSON_OUT_H
#define FASTBEARER_JSON_OUT_H

#include <Python.h>

#include "base/base.h"
#include "json/json.h"

/* --- json_out.c ---------------------------------------------------------- */

/* One step to a value: the name of a member, owned, or for NULL an index. */
typedef struct {
    PyObject *name;
    Py_ssize_t index;
} json_step;

typedef struct {
    char *bytes;
    size_t len, size;
    bool ascii;       /* write other characters as escapes */
    int steps;        /* to what could not be written, from within */
    char local[1024]; /* where most texts fit */
    json_step at[JSON_DEPTH_MAX + 1];
} json_out;

void fb_json_out_begin(json_out *text);
void fb_json_out_end(json_out *text);
bool fb_json_put(json_out *text, const char *bytes, size_t len);

/* Writes a quoted string; ValueError for a lone surrogate. */
bool fb_json_put_string(json_out *text, PyObject *value);

/* Writes "name": and, unless it is NULL, a quoted string with a comma. */
bool fb_json_put_name(json_out *text, PyObject *name, PyObject *string);

/* The text in base64url, as bytes. */
PyObject *fb_json_out_b64url(const json_out *text);

/* --- json_blame.c -------------------------------------------------------- */

/* Raises the TypeError for a value of a type that JSON does not have. */
void fb_json_blame_type(PyObject *value);

/* Notes a step to what failed, from within to without; returns false. */
bool fb_json_blame(json_out *text, PyObject *name, Py_ssize_t index);

/* Puts the path to what failed before the message that is raised; `whole`
 * names what was to be written. */
void fb_json_blame_tell(const json_out *text, const char *whole);

/* --- json_write.c -------------------------------------------------------- */

/*
 * Writes a value; level is 1 for the top object. TypeError for a type that
 * JSON does not have, ValueError for a value that a strict reader would
 * refuse.
 */
bool fb_json_write(json_out *text, PyObject *value, int level);

/*
 * For an object in steps: fb_json_put "{", members of the top level, each with
 * a comma after it, and fb_json_close, which takes the last comma's place.
 */
bool fb_json_write_member(json_out *text, PyObject *name, PyObject *value);
bool fb_json_close(json_out *text, char bracket);

/* Itself, or a copy that nobody changes while it is written. */
PyObject *fb_json_still(PyObject *container);

#endif
