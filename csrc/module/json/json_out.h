/*
 * Writing JSON from Python objects. A part of skin.h, which includes it for
 * every file of this storey.
 */
#ifndef FASTBEARER_JSON_OUT_H
#define FASTBEARER_JSON_OUT_H

#include <Python.h>

#include <stdatomic.h>

#include "base/base.h"
#include "json/json.h"

/* --- json_ready.c: names of members, ready as they are written ----------- */

#define JSON_READY_TEXT 32 /* bytes of "name": */
#define JSON_READY_PLACES 128
#define JSON_READY_STEPS 4 /* places in which a name may stand */

typedef struct {
    PyObject *name; /* the very object, owned */
    size_t len;
    char text[JSON_READY_TEXT];
} json_ready_name;

typedef struct {
    _Atomic(json_ready_name *) of[JSON_READY_PLACES + JSON_READY_STEPS];
} json_ready;

/* The first place in which a name may stand, by its address. */
static inline size_t
json_ready_place(const PyObject *name)
{
    uint64_t mixed = (uint64_t)(uintptr_t)name * 0x9e3779b97f4a7c15u;
    return (size_t)(mixed >> 57); /* of JSON_READY_PLACES */
}

/* How that very name is written, or NULL. */
static inline const json_ready_name *
json_ready_find(const json_ready *ready, const PyObject *name)
{
    const _Atomic(json_ready_name *) *place =
        ready->of + json_ready_place(name);
    for (int i = 0; i < JSON_READY_STEPS; i++) {
        const json_ready_name *kept =
            atomic_load_explicit(place + i, memory_order_acquire);
        if (kept == NULL || kept->name == name) {
            return kept;
        }
    }
    return NULL;
}

/* Keeps how a name is written, if there is a place for it. Any number of
 * threads may call it; never raises. */
void fb_json_ready_keep(json_ready *ready, PyObject *name, span text);
void fb_json_ready_clear(json_ready *ready);

/* --- json_out.c ---------------------------------------------------------- */

/* One step to a value: the name of a member, owned, or for NULL an index. */
typedef struct {
    PyObject *name;
    Py_ssize_t index;
} json_step;

typedef struct {
    char *bytes;
    size_t len, size;
    bool ascii;        /* write other characters as escapes */
    bool walks_dicts;  /* see fb_dict_walk */
    json_ready *ready; /* for texts that are alike; NULL for others */
    int steps;         /* to what could not be written, from within */
    char local[1024];  /* where most texts fit */
    json_step at[JSON_DEPTH_MAX + 1];
} json_out;

void fb_json_out_begin(json_out *text);
void fb_json_out_end(json_out *text);

/* Where `len` more bytes can be written, or NULL. */
char *fb_json_reserve(json_out *text, size_t len);
bool fb_json_put(json_out *text, const char *bytes, size_t len);

static inline bool
json_put_character(json_out *text, char c)
{
    if (text->len == text->size) {
        return fb_json_put(text, &c, 1);
    }
    text->bytes[text->len++] = c;
    return true;
}

/* The text in base64url, as bytes. */
PyObject *fb_json_out_b64url(const json_out *text);

/* --- json_string.c ------------------------------------------------------- */

/* Writes a quoted string and, after it, one character; ValueError for a lone
 * surrogate. */
bool fb_json_put_string(json_out *text, PyObject *value, char after);

/* Writes "name": */
bool fb_json_put_name(json_out *text, PyObject *name);

/* Writes "name":"value", if that takes no more than to copy it; else nothing
 * is written, nor raised. */
bool fb_json_put_ready(json_out *text, PyObject *name, PyObject *value);

/* --- json_number.c ------------------------------------------------------- */

/* Each writes a number and, after it, one character. ValueError for an integer
 * of more digits than a reader takes, and for what is not finite. */
bool fb_json_put_integer(json_out *text, PyObject *value, char after);
bool fb_json_put_real(json_out *text, PyObject *value, char after);

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
