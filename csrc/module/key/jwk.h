/*
 * What the files of Key.from_jwk share. The members of a JWK are asked for by
 * name; the one that was asked for last is what a refusal is about.
 */
#ifndef FASTBEARER_JWK_H
#define FASTBEARER_JWK_H

#include "skin.h"

typedef struct {
    PyObject *members; /* a dict of our own, whose names are plain strings */
    const char *at;    /* the name that was asked for last, or NULL */
    /*
     * Whether what others write, and what cannot confuse which key is meant,
     * is taken: a member that is null or empty stands for one that is absent,
     * a number may have too many or too few leading zero octets, and base64
     * its padding, its other alphabet and white space.
     */
    bool is_lenient;
} jwk;

/* --- jwk_members.c: a JWK is a dict of our own --------------------------- */

/* A new dict of the members of a mapping, or of a JWK's text; its names are
 * plain strings. What is read of a text is also added to the list `kept`, for
 * fb_secret_text_wipe. InvalidKeyError if the value is neither. */
PyObject *fb_jwk_members(const core_state *state, PyObject *value,
                         PyObject *kept);

/* --- jwk_part.c ---------------------------------------------------------- */

/* STATUS_NO_MEMORY, which is all that can fail while members are read. */
CHECKED status fb_jwk_failed(void);

/* A member, borrowed, or NULL if it is absent. */
CHECKED status fb_jwk_member(jwk *from, const char *name, PyObject **value);

/* A string member's text, borrowed; empty if it is absent. */
CHECKED status fb_jwk_text(jwk *from, const char *name, span *text);

/* Whether it is exactly that text. */
bool fb_jwk_text_is(span text, const char *other);

typedef struct {
    unsigned char *bytes; /* cleansed by fb_jwk_part_clear */
    size_t len;           /* 0 if the member is absent */
} jwk_bytes;

/* A base64url member (RFC 7518 2); width 0 takes any length but none. */
CHECKED status fb_jwk_part(jwk *from, const char *name, size_t width,
                           jwk_bytes *out);

/* One that is a number, in exactly `width` octets (RFC 7518 6.2.1.2) or, for
 * 0, in as few as it needs (Base64urlUInt, RFC 7518 2). */
CHECKED status fb_jwk_number(jwk *from, const char *name, size_t width,
                             jwk_bytes *out);
void fb_jwk_part_clear(jwk_bytes *one);
span fb_jwk_part_span(const jwk_bytes *one);

/* --- jwk_traits.c -------------------------------------------------------- */

/* What `use`, `key_ops`, `alg` and `kid` say; the kid is a new
 * reference, to a plain string. */
CHECKED status fb_jwk_traits(jwk *from, key_traits *traits);

/* --- jwk_rsa.c ----------------------------------------------------------- */

/* The key of an RSA JWK, not checked yet but for its sizes. */
CHECKED status fb_jwk_rsa(jwk *from, EVP_PKEY **evp, bool *is_private);

#endif
