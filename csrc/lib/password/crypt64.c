/* base64 as crypt(3) has written it since long before there was a standard. */
#include "password/password.h"

#include "password/old.h"

unsigned
fb_crypt64_value(char c)
{
    return c >= 'a' && c <= 'z'   ? (unsigned)(c - 'a') + 38
           : c >= 'A' && c <= 'Z' ? (unsigned)(c - 'A') + 12
           : c >= '.' && c <= '9' ? (unsigned)(c - '.') /* "./0-9" */
                                  : 64;
}

bool
fb_crypt64_decode(span text, const unsigned char *order, unsigned char *bytes,
                  size_t size)
{
    uint32_t bits = 0;
    int count = 0;
    size_t at = 0;
    if (text.len != (size * 8 + 5) / 6) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        unsigned value = fb_crypt64_value(text.p[i]);
        if (value == 64) {
            return false;
        }
        bits |= value << count;
        count += 6;
        if (count >= 8) {
            bytes[order == NULL ? at : order[at]] = (unsigned char)bits;
            at++;
            bits >>= 8;
            count -= 8;
        }
    }
    return bits == 0;
}
