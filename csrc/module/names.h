/*
 * The names of members: strings that are made once, by names.c. A part of
 * skin.h, which includes it for every file of this storey.
 */
#ifndef FASTBEARER_NAMES_H
#define FASTBEARER_NAMES_H

#include <Python.h>

#include "base/base.h"

/* Members of header and claims that the core itself reads. */
#define NAME_TABLE(X)                                                         \
    X(alg)                                                                    \
    X(kid) X(typ) X(crit) X(b64) X(zip) X(iss) X(aud) X(exp) X(nbf) X(iat)

#define X(name) NAME_##name,
typedef enum { NAME_TABLE(X) NAME_COUNT } name_id;
#undef X

#define COMMON_NAME_MAX 16 /* bytes */
#define COMMON_NAME_SLOTS 256

typedef struct {
    uint64_t head, tail; /* together all bytes of the name */
    uint32_t len;        /* 0 in an empty slot */
    int32_t id;          /* a name_id, or -1 */
    PyObject *text;
} common_name;

typedef struct {
    PyObject *own[NAME_COUNT];
    common_name common[COMMON_NAME_SLOTS];
} names;

bool fb_names_make(names *all);
int fb_names_visit(names *all, visitproc visit, void *arg);
void fb_names_clear(names *all);

/* A common member name, or NULL, without an exception. Every name that the
 * core itself reads is common. */
const common_name *fb_names_find(const names *all, span text);

#endif
