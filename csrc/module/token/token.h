/*
 * What the files of this room share: the parts of a token, in the order in
 * which they are read. Their contracts are as those of skin.h.
 */
#ifndef FASTBEARER_TOKEN_H
#define FASTBEARER_TOKEN_H

#include "skin.h"

/* --- segment.c ----------------------------------------------------------- */

/* The bytes of a segment, strict base64url. */
PyObject *fb_segment_bytes(const core_state *state, span segment);

/* The object whose JSON a segment holds, unchecked but for its JSON; `learned`
 * as for fb_json_read_object. */
PyObject *fb_segment_object(const core_state *state, span segment,
                            json_shapes *learned, known_members *known);

/* Learns the shapes of such a segment, once it was accepted. No exception. */
void fb_segment_learn(const core_state *state, span segment,
                      json_shapes *learned);

/* --- typ.c --------------------------------------------------------------- */

typedef struct {
    PyObject *types; /* tuple of ASCII str, or NULL: any; owned */
    bool may_be_absent;
    bool takes[HEADER_COUNT]; /* the typ of each header that a key has ready */
} typ_rules;

extern const typ_rules fb_typ_any;

/* From one media type, or an iterable of them and of None, which stands for a
 * header without one; None alone takes any. */
bool fb_typ_make(const core_state *state, PyObject *value, typ_rules *rules);

/* Whether the header's typ, a str or NULL, is one of them. */
CHECKED status fb_typ_check(const typ_rules *rules, PyObject *found);

/* --- header.c ------------------------------------------------------------ */

typedef struct {
    const alg *alg;
    PyObject *kid;    /* borrowed; NULL if absent */
    PyObject *parsed; /* owned; NULL where the header was a ready one */
} header;

/* Reads and checks the JOSE header (RFC 7515 4); with `whole`, out->parsed is
 * filled always. */
bool fb_header_read(const core_state *state, PyObject *keys, span segment,
                    const typ_rules *typ, bool whole, header *out);

/* Base64url of the header that `key` writes: its ready one, or with `extra`
 * members. New reference to bytes. */
PyObject *fb_header_make(const core_state *state, const KeyObject *key,
                         PyObject *extra, int kind);

/* --- signature.c --------------------------------------------------------- */

/* Whether one of the keys that the header admits made the signature. */
CHECKED status fb_signature_verify(PyObject *keys, const header *head,
                                   const token *parts);

/* Whether that key made the signature of the message, with an algorithm that
 * it serves. */
CHECKED status fb_signature_matches(const KeyObject *key, const alg *with,
                                    span message, span claimed);

/* Writes key->signature bytes, for a key that can sign. */
CHECKED status fb_signature_make(const KeyObject *key, span message,
                                 unsigned char *made);

/* The compact JWS of an encoded header and a payload. */
PyObject *fb_signature_sign(const core_state *state, const KeyObject *key,
                            PyObject *encoded_header, span payload);

/* --- given.c ------------------------------------------------------------- */

/* Writes claims; *claims becomes a plain copy (or NULL) if they are not. */
bool fb_given_write(json_out *text, PyObject **claims);

/* --- claims.c ------------------------------------------------------------ */

typedef struct {
    PyObject *issuers, *audiences; /* tuples of str, or NULL */
    PyObject *required; /* tuple of str, without those of requires */
    bool requires[NAME_COUNT];
    PyObject *clock;        /* callable, or NULL */
    double leeway, max_age; /* seconds; max_age < 0 for none */
    int ignore_audience;
} claims_rules;

/* Sorts the names of claims into `requires` and, for those that the core does
 * not read itself, `required`. */
bool fb_claims_require(const core_state *state, PyObject *strings,
                       claims_rules *rules);

/* RFC 7519 4.1, at a time that was read before the claims. */
bool fb_claims_check(const core_state *state, const claims_rules *rules,
                     PyObject *claims, const known_members *known, double now);

/* --- cache.c ------------------------------------------------------------- */

/* A set of tokens, and the order in which they came. Empty: no cache. */
typedef struct {
#ifdef Py_GIL_DISABLED
    PyMutex adding; /* held for all of fb_cache_add */
#endif
    PyObject *known; /* set */
    PyObject **ring; /* owned; `next` is the oldest once it is full */
    Py_ssize_t size, next;
} signature_cache;

bool fb_cache_make(signature_cache *cache, Py_ssize_t size);
void fb_cache_clear(signature_cache *cache);

/* Only the whole text of a token is found, str or bytes, until `size` others
 * have come. Neither raises. Threads may share the cache, GIL or not. */
bool fb_cache_has(const signature_cache *cache, PyObject *value);
void fb_cache_add(signature_cache *cache, PyObject *value);

#endif
