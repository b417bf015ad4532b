/* The room of what the fields of a request hold. It may use base. */
#ifndef FASTBEARER_HTTP_H
#define FASTBEARER_HTTP_H

#include "base/base.h"

/* --- cookie_pair.c: the field "cookie" (RFC 6265 4.2.1) ------------------ */

/* Names that begin so, after "__Secure-" or without it; or the one name. */
typedef struct {
    span name;
    bool is_whole;
} cookie_wanted;

/*
 * Moves *rest past the next pair that is wanted, and the semicolon after it;
 * false when nothing is left. Name and value are without the spaces and tabs
 * around them (RFC 9110 5.6.3), and the value without the quotes that it may
 * stand in. What has no '=' is passed over.
 */
bool fb_cookie_find(span *rest, const cookie_wanted *what, span *name,
                    span *value);

/* --- credentials.c: the field "authorization" (RFC 6750 2.1) ------------- */

/* The token after "Bearer", in any case, and the spaces that follow; empty
 * for another scheme. */
span fb_credentials_bearer(span value);

#endif
