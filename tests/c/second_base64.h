/* Base64 for the fuzz targets: a reader and a writer that go bit by bit, in
 * the alphabet that they are given. */
#ifndef FASTBEARER_SECOND_BASE64_H
#define FASTBEARER_SECOND_BASE64_H

#include "fuzz.h"

#define SECOND_LETTERS                                                        \
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

/* Writes at most text.len bytes, and how many. */
static inline bool
second_decode(const char *alphabet, span text, unsigned char *bytes,
              size_t *len)
{
    unsigned bits = 0, held = 0;
    *len = 0;
    for (size_t i = 0; i < text.len; i++) {
        const char *digit =
            text.p[i] == '\0' ? NULL : strchr(alphabet, text.p[i]);
        if (digit == NULL) {
            return false;
        }
        bits = (bits << 6 | (unsigned)(digit - alphabet)) & 0xfff;
        held += 6;
        if (held >= 8) {
            held -= 8;
            bytes[(*len)++] = (unsigned char)(bits >> held);
        }
    }
    /* six bits that are left over are a character too many */
    return held < 6 && (bits & ((1u << held) - 1)) == 0;
}

/* Writes at most 2 * bytes.len characters; returns how many. */
static inline size_t
second_encode(const char *alphabet, span bytes, char *text)
{
    size_t len = 0;
    for (size_t bit = 0; bit < 8 * bytes.len; bit += 6) {
        unsigned value = 0;
        for (size_t i = bit; i < bit + 6; i++) {
            unsigned byte = i / 8 < bytes.len ? (uint8_t)bytes.p[i / 8] : 0;
            value = value << 1 | (byte >> (7 - i % 8) & 1);
        }
        text[len++] = alphabet[value];
    }
    return len;
}

#endif
