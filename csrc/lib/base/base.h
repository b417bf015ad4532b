/*
 * The lower storey: tokens and passwords in plain C over libcrypto and
 * libargon2. Nothing here includes Python.h or sets a Python exception; a
 * function that can be refused returns a status. The contracts stand in the
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
bool cpu_has_avx2(void);
bool cpu_has_avx512f(void);

/* --- b64url.c: base64url without padding (RFC 7515 2) -------------------- */

/* Characters for `len` bytes, bytes for `len` characters. */
size_t b64url_encoded(size_t len);
size_t b64url_decoded(size_t len);

/* Writes b64url_encoded(len) characters, returns the end. */
char *b64url_encode(const unsigned char *bytes, size_t len, char *text);

/*
 * Writes b64url_decoded(len) bytes, which must not overlap the text. False for
 * a character outside the alphabet, an impossible length, or unused trailing
 * bits that are not zero.
 */
bool b64url_decode(const char *text, size_t len, unsigned char *bytes);

/* What b64url_decode would answer. */
bool b64url_check(const char *text, size_t len);

/* --- b64url_wide.c: the same, faster ------------------------------------- */

/* Converts a multiple of 4 characters or 3 bytes from the beginning, as far as
 * it can (a foreign character stops it); returns what it consumed. */
size_t b64url_encode_wide(const unsigned char *bytes, size_t len, char *text);
size_t b64url_decode_wide(const char *text, size_t len, unsigned char *bytes);

/* --- text.c: bytes of text, and the codes of password hashes ------------- */

bool text_begins(span text, span start);

/* Cuts padding of base64 (RFC 4648 3.2), one or two '='. False, and nothing is
 * cut, for a text that is not made of whole groups of four. */
bool text_cut_padding(span *text);

/* The value of a hexadecimal digit, or -1. `ten` is the one for 10, in the
 * only case that is taken: 'a' or 'A'. */
int text_hex_digit(char c, char ten);

/* Each moves `rest` past what it has read, and says whether it was there. */
bool text_skip(span *rest, const char *word);

/* A decimal number without leading zeros, of at most nine digits. */
bool text_number(span *rest, uint32_t *value);

/* Everything before the next `end`, which is skipped. */
bool text_until(span *rest, char end, span *part);

typedef enum {
    CODE_B64,        /* RFC 4648 4 without padding, as in PHC texts */
    CODE_B64_PADDED, /* with it */
    CODE_AB64,       /* passlib's: '.' for '+' */
    CODE_HEX         /* in lower case */
} text_code;

/* Decodes a whole text strictly, to at most `max` bytes; false if it has
 * more. */
bool text_decode(span text, text_code code, unsigned char *bytes, size_t max,
                 size_t *len);

/* Returns the end; there is room for twice the bytes and 4 more. */
char *text_encode(const unsigned char *bytes, size_t len, text_code code,
                  char *text);

#endif
