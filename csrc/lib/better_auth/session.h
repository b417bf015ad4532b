/* The room of a Better Auth server's cookies. It may use crypto and base. */
#ifndef FASTBEARER_SESSION_H
#define FASTBEARER_SESSION_H

#include "crypto/crypto.h"

#define SESSION_TOKEN 32     /* characters: letters and digits */
#define SESSION_SIGNATURE 44 /* characters: base64 of a MAC */
#define SESSION_SIGNED (SESSION_TOKEN + 1 + SESSION_SIGNATURE)
#define SESSION_KEY 64 /* bytes */

/* --- session.c: the secret ----------------------------------------------- */

typedef struct {
    hmac_key mac;                   /* under the secret as it is */
    unsigned char key[SESSION_KEY]; /* derived from it, for what is sealed */
    hmac_key sealed_mac;            /* of that key */
    char header[160];               /* of what is sealed, in base64url */
    size_t header_len;
} session_secret;

/* Any number of threads may share it. */
CHECKED status fb_session_secret_init(session_secret *secret,
                                      const digests *all, span text);
void fb_session_secret_clear(session_secret *secret);

/* With what session data is sealed. */
const aead *fb_session_sealer(void);

/* --- session_token.c ----------------------------------------------------- */

bool fb_session_token_is_one(span text);

/* Writes the SESSION_SIGNATURE characters for a token, which is one. */
CHECKED status fb_session_token_sign(const session_secret *secret,
                                     const char *text, char *signature);

/* Writes the SESSION_TOKEN characters that a cookie's value holds, which may
 * be escaped and quoted. */
CHECKED status fb_session_token_read(const session_secret *secret, span value,
                                     char *text);

/* --- session_compact.c --------------------------------------------------- */

/* The JSON of an envelope: its payload, an object within json, which is
 * changed after it, and its milliseconds. */
CHECKED status fb_session_compact_read(const session_secret *secret,
                                       char *json, size_t len, span *payload,
                                       int64_t *expires_at);

/* --- session_sealed.c ---------------------------------------------------- */

/* Whether a value is sealed with this secret, by its header. */
bool fb_session_is_sealed_with(const session_secret *secret, span value);

/* The text of such a value, within scratch, which has room for twice the
 * value and AEAD_BLOCK bytes. */
CHECKED status fb_session_open(const session_secret *secret, span value,
                               unsigned char *scratch, span *text);

/* Characters for a text of `len` bytes, at most. */
size_t fb_session_sealed(const session_secret *secret, size_t len);

/* Writes them, and how many; scratch has room for the text and AEAD_BLOCK
 * bytes. */
CHECKED status fb_session_seal(const session_secret *secret,
                               const digests *all, span text,
                               unsigned char *scratch, char *value,
                               size_t *value_len);

#endif
