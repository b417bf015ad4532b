/*
 * Shapes: what the objects of one issuer have in common, which is all but
 * their values. A part of skin.h, which includes it for every file of this
 * storey.
 */
#ifndef FASTBEARER_SHAPE_H
#define FASTBEARER_SHAPE_H

#include <Python.h>
#include <stdatomic.h>

#include "names.h"

#define SHAPE_TEXT_MAX 64    /* bytes before a value: `,"name":` */
#define SHAPE_HEAD 32        /* of them, which are compared at once */
#define SHAPE_MEMBERS_MAX 48 /* in an object */
#define SHAPES_MAX 4         /* at a place */
#define SHAPES_TRIED_MAX 64  /* by a verifier: those who sign choose names */

/*
 * A place where objects stand: the claims themselves, or a member of a shape,
 * in its value or in the array that is its value. It holds the first shapes
 * that were seen there. Each is set once, by whoever comes first, and lives as
 * long as the place: so a reader needs no lock, and may be interrupted by
 * another one wherever Python runs code, as an allocation does.
 */
typedef struct json_shape json_shape;
typedef _Atomic(json_shape *) shape_place;

/* What stands before a value, up to its first byte, or behind the last. */
typedef struct {
    uint64_t text[SHAPE_TEXT_MAX / 8];
    uint64_t mask[SHAPE_HEAD / 8]; /* 0xff for each byte of the text */
    uint32_t len;
    int32_t id; /* a name_id, or -1 */
    shape_place inner;
} shape_member;

struct json_shape {
    PyObject *model;  /* dict of the names, in order; nobody else sees it */
    shape_place next; /* of the same place */
    Py_ssize_t count;
    shape_member members[]; /* and one more: the closing brace */
};

/* What a verifier has learned. */
typedef struct {
    shape_place claims;
    _Atomic(int) tried;
} json_shapes;

/* Whether the text of a member stands at p, which is within a JSON text that
 * SHAPE_HEAD readable bytes follow, all zero. */
static inline bool
shape_goes_on(const shape_member *member, const char *p)
{
    uint64_t differs = 0;
    for (size_t i = 0; i < SHAPE_HEAD / 8; i++) {
        uint64_t word;
        memcpy(&word, p + 8 * i, sizeof word);
        differs |= (word ^ member->text[i]) & member->mask[i];
    }
    return differs == 0
           && (member->len <= SHAPE_HEAD
               || memcmp(p + SHAPE_HEAD, member->text + SHAPE_HEAD / 8,
                         member->len - SHAPE_HEAD)
                      == 0);
}

/* Another shape of the place that begins with the same `count` members, and
 * goes on with what stands at p; or NULL. */
json_shape *fb_shape_other(json_shape *than, Py_ssize_t count, const char *p);

/* What was seen of an object that is read to be learned from. It has the names
 * themselves: who runs within an allocation may change the object. */
typedef struct {
    Py_ssize_t count, named; /* count > SHAPE_MEMBERS_MAX + 1: too many */
    span texts[SHAPE_MEMBERS_MAX + 1];
    PyObject *names[SHAPE_MEMBERS_MAX + 1]; /* owned */
} shape_draft;

/* Whether another shape may be learned at the place. */
bool fb_shape_has_room(json_shapes *all, shape_place *place);

/* Counts a try; false for those that come too late. */
bool fb_shape_may_try(json_shapes *all);

/* Notes what stands before a value, or behind the last; and a name. */
void fb_shape_note(shape_draft *draft, const char *start, const char *end);
void fb_shape_note_name(shape_draft *draft, PyObject *name);

/* Learns the shape, if it is worth it. No exception: without the memory,
 * nothing is learned. */
void fb_shape_learn(const names *all, const shape_draft *draft,
                    shape_place *place);

void fb_shape_forget(shape_draft *draft);

void fb_shape_free(shape_place *place);

#endif
