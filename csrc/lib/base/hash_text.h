/* Reading and writing the texts of password hashes. */
#ifndef FASTBEARER_HASH_TEXT_H
#define FASTBEARER_HASH_TEXT_H

#include "core.h"

/* Each moves `rest` behind what it has read, and says whether it was there. */
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

/* Decodes a whole text, strictly: `max` is the room; false if it is longer. */
bool text_decode(span text, text_code code, unsigned char *bytes, size_t max,
                 size_t *len);

/* Returns the end; there is room for twice the bytes and 4 more. */
char *text_encode(const unsigned char *bytes, size_t len, text_code code,
                  char *text);

#endif
