/*
 * The lower storey: tokens and passwords in plain C over libcrypto. Nothing
 * here includes Python.h or sets a Python exception; a function that can be
 * refused returns a status. The contracts stand in the
 * rooms' headers, once, in reading order; a .c file says only why.
 *
 * Spans are borrowed and need no terminating NUL unless it is said.
 *
 * This room: bytes and text. It includes no other.
 */
#ifndef FASTBEARER_BASE_H
#define FASTBEARER_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/status.h"

typedef struct {
    const char *p;
    size_t len;
} span;

/* --- cpu.c --------------------------------------------------------------- */

/* Whether the CPU has it and the system saves its registers. */
bool fb_cpu_has_avx2(void);
bool fb_cpu_has_avx512f(void);

/* --- platform.c: what each operating system does in its own way ---------- */

/* How many cores this process may use, at least 1. */
unsigned fb_platform_cores(void);

/* Seconds of a clock that nobody sets. */
int64_t fb_platform_seconds(void);

/* Sleeps for a millisecond, for others to go on. */
void fb_platform_pause(void);

/* Pages for that many bytes, which are zero; huge ones, and none of a core
 * dump, where the system has that. NULL if there is no memory. */
void *fb_platform_map(size_t bytes);
void fb_platform_unmap(void *pages, size_t bytes);

/* --- threads.c: threads that work together ------------------------------- */

typedef struct threads_team threads_team;

/* `number` counts from 0; `size` of them are at work. */
typedef void threads_work(threads_team *team, unsigned number, unsigned size,
                          void *with);

/* Returns when the work is done by at most `most` threads, of which the
 * caller's is one; if fewer can be made, fewer do. */
void fb_threads_run(unsigned most, threads_work *work, void *with);

/* Returns once the whole team has called it. */
void fb_threads_wait(threads_team *team);

/* --- b64url.c: base64url without padding (RFC 7515 2) -------------------- */

/* Characters for `len` bytes, bytes for `len` characters. */
size_t fb_b64url_encoded(size_t len);
size_t fb_b64url_decoded(size_t len);

/* Writes fb_b64url_encoded(len) characters, returns the end. */
char *fb_b64url_encode(const unsigned char *bytes, size_t len, char *text);

/*
 * Writes fb_b64url_decoded(len) bytes, which must not overlap the text. False
 * for a character outside the alphabet, an impossible length, or unused
 * trailing bits that are not zero.
 */
bool fb_b64url_decode(const char *text, size_t len, unsigned char *bytes);

/* What fb_b64url_decode would answer. */
bool fb_b64url_check(const char *text, size_t len);

/* --- b64url_wide.c: the same, faster ------------------------------------- */

/* Converts a multiple of 4 characters or 3 bytes from the beginning, as far as
 * it can (a foreign character stops it); returns what it consumed. */
size_t fb_b64url_encode_wide(const unsigned char *bytes, size_t len,
                             char *text);
size_t fb_b64url_decode_wide(const char *text, size_t len,
                             unsigned char *bytes);

/* --- text.c: bytes of text, and the codes of password hashes ------------- */

bool fb_text_begins(span text, span start);

/* Cuts padding of base64 (RFC 4648 3.2), one or two '='. False, and nothing is
 * cut, for a text that is not made of whole groups of four. */
bool fb_text_cut_padding(span *text);

/* The value of a hexadecimal digit, or -1. `ten` is the one for 10, in the
 * only case that is taken: 'a' or 'A'. */
int fb_text_hex_digit(char c, char ten);

/* Each moves `rest` past what it has read, and says whether it was there. */
bool fb_text_skip(span *rest, const char *word);

/* A decimal number without leading zeros, of at most nine digits. */
bool fb_text_number(span *rest, uint32_t *value);

/* Everything before the next `end`, which is skipped. */
bool fb_text_until(span *rest, char end, span *part);

typedef enum {
    CODE_B64,        /* RFC 4648 4 without padding, as in PHC texts */
    CODE_B64_PADDED, /* with it */
    CODE_AB64,       /* passlib's: '.' for '+' */
    CODE_HEX         /* in lower case */
} text_code;

/* Decodes a whole text strictly, to at most `max` bytes; false if it has
 * more. */
bool fb_text_decode(span text, text_code code, unsigned char *bytes,
                    size_t max, size_t *len);

/* Returns the end; there is room for twice the bytes and 4 more. */
char *fb_text_encode(const unsigned char *bytes, size_t len, text_code code,
                     char *text);

#endif
