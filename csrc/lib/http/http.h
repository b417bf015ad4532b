/* The room of what the fields of a request hold. It may use base. */
#ifndef FASTBEARER_HTTP_H
#define FASTBEARER_HTTP_H

#include "base/base.h"

/* --- cookie_pair.c: the field "cookie" (RFC 6265 4.2.1) ------------------ */

/*
 * Moves *rest past its next pair and the semicolon after it. Name and value
 * are without the spaces and tabs around them (RFC 9110 5.6.3), and the value
 * without the quotes that it may stand in. What has no '=' is passed over;
 * false when nothing is left.
 */
bool fb_cookie_next(span *rest, span *name, span *value);

/* --- credentials.c: the field "authorization" (RFC 6750 2.1) ------------- */

/* The token after "Bearer", in any case, and the spaces that follow; empty
 * for another scheme. */
span fb_credentials_bearer(span value);

#endif
