/* Strict base64url, both ways. */
#include "base/base.h"

/* The character of a value below 64. It is computed, and not looked up: what
 * is encoded may be a key. */
static inline char
character(uint32_t value)
{
    uint32_t c = 'A' + value;
    c += (25 - value) >> 8 & ('a' - 'Z' - 1);
    c -= (51 - value) >> 8 & ('z' - '0' + 1);
    c -= (61 - value) >> 8 & ('9' - '-' + 1);
    c += (62 - value) >> 8 & ('_' - '-' - 1);
    return (char)c;
}

/* The value of a character, or FOREIGN. */
#define FOREIGN 0x80
#define F FOREIGN
/* clang-format off */
static const uint8_t values[256] = {
    F,  F,  F,  F,  F,  F,  F,  F,  F,  F,  F,  F,  F,  F,  F,  F,
    F,  F,  F,  F,  F,  F,  F,  F,  F,  F,  F,  F,  F,  F,  F,  F,
    F,  F,  F,  F,  F,  F,  F,  F,  F,  F,  F,  F,  F,  62, F,  F,
    52, 53, 54, 55, 56, 57, 58, 59, 60, 61, F,  F,  F,  F,  F,  F,
    F,  0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14,
    15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, F,  F,  F,  F,  63,
    F,  26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
    41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, F,  F,  F,  F,  F,
    F,  F,  F,  F,  F,  F,  F,  F,  F,  F,  F,  F,  F,  F,  F,  F,
    F,  F,  F,  F,  F,  F,  F,  F,  F,  F,  F,  F,  F,  F,  F,  F,
    F,  F,  F,  F,  F,  F,  F,  F,  F,  F,  F,  F,  F,  F,  F,  F,
    F,  F,  F,  F,  F,  F,  F,  F,  F,  F,  F,  F,  F,  F,  F,  F,
    F,  F,  F,  F,  F,  F,  F,  F,  F,  F,  F,  F,  F,  F,  F,  F,
    F,  F,  F,  F,  F,  F,  F,  F,  F,  F,  F,  F,  F,  F,  F,  F,
    F,  F,  F,  F,  F,  F,  F,  F,  F,  F,  F,  F,  F,  F,  F,  F,
    F,  F,  F,  F,  F,  F,  F,  F,  F,  F,  F,  F,  F,  F,  F,  F,
};
/* clang-format on */
#undef F

size_t
fb_b64url_encoded(size_t len)
{
    return len / 3 * 4 + (len % 3 * 4 + 2) / 3;
}

size_t
fb_b64url_decoded(size_t len)
{
    return len / 4 * 3 + len % 4 * 3 / 4;
}

char *
fb_b64url_encode(const unsigned char *bytes, size_t len, char *text)
{
    size_t done = fb_b64url_encode_wide(bytes, len, text);
    bytes += done;
    text += fb_b64url_encoded(done);
    len -= done;
    for (; len >= 3; len -= 3, bytes += 3, text += 4) {
        uint32_t group =
            (uint32_t)bytes[0] << 16 | (uint32_t)bytes[1] << 8 | bytes[2];
        text[0] = character(group >> 18);
        text[1] = character(group >> 12 & 63);
        text[2] = character(group >> 6 & 63);
        text[3] = character(group & 63);
    }
    if (len > 0) {
        uint32_t group = (uint32_t)bytes[0] << 16
                         | (len == 2 ? (uint32_t)bytes[1] << 8 : 0);
        *text++ = character(group >> 18);
        *text++ = character(group >> 12 & 63);
        if (len == 2) {
            *text++ = character(group >> 6 & 63);
        }
    }
    return text;
}

/* The last two or three characters; their unused bits must be zero. */
static bool
decode_tail(const unsigned char *in, size_t len, unsigned char *bytes)
{
    uint32_t a = values[in[0]], b = values[in[1]];
    bytes[0] = (unsigned char)(a << 2 | b >> 4);
    if (len == 2) {
        return ((a | b) & FOREIGN) == 0 && (b & 15) == 0;
    }
    uint32_t c = values[in[2]];
    bytes[1] = (unsigned char)(b << 4 | c >> 2);
    return ((a | b | c) & FOREIGN) == 0 && (c & 3) == 0;
}

bool
fb_b64url_decode(const char *text, size_t len, unsigned char *bytes)
{
    size_t done = fb_b64url_decode_wide(text, len, bytes);
    const unsigned char *in = (const unsigned char *)text + done;
    uint32_t seen = 0;
    bytes += fb_b64url_decoded(done);
    len -= done;
    for (; len >= 4; len -= 4, in += 4, bytes += 3) {
        uint32_t a = values[in[0]], b = values[in[1]];
        uint32_t c = values[in[2]], d = values[in[3]];
        uint32_t group = a << 18 | b << 12 | c << 6 | d;
        seen |= a | b | c | d;
        bytes[0] = (unsigned char)(group >> 16);
        bytes[1] = (unsigned char)(group >> 8);
        bytes[2] = (unsigned char)group;
    }
    return (seen & FOREIGN) == 0 && len != 1
           && (len == 0 || decode_tail(in, len, bytes));
}

bool
fb_b64url_check(const char *text, size_t len)
{
    unsigned char group[3];
    for (; len > 4; len -= 4, text += 4) {
        if (!fb_b64url_decode(text, 4, group)) {
            return false;
        }
    }
    return fb_b64url_decode(text, len, group);
}
