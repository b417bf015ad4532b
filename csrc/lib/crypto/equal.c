/* MACs are compared as far as they go, wherever they differ first. */
#include "crypto/crypto.h"

bool
fb_equal_macs(const unsigned char *one, const unsigned char *other, size_t len)
{
    uint64_t differing = 0;
    for (size_t at = 0; at < len; at += sizeof(uint64_t)) {
        uint64_t left, right;
        memcpy(&left, one + at, sizeof left);
        memcpy(&right, other + at, sizeof right);
        differing |= left ^ right;
        /* What the compiler knows nothing of cannot end the loop early. */
        __asm__("" : "+r"(differing));
    }
    return differing == 0;
}
