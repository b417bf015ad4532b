/* prove: 8..8 +14 lib/jose/ecdsa.c
 * Signatures of up to 8 bytes: the DER form is as long as is said, its numbers
 * are positive, and it gives the same signature again; there is none of a
 * zero. */
#include "proof.h"

#include "jose/jose.h"

static bool
is_zero(const unsigned char *number, size_t len)
{
    unsigned char any = 0;
    for (size_t i = 0; i < len; i++) {
        any |= number[i];
    }
    return any == 0;
}

int
main(void)
{
    size_t half = any_size(SIZE / 2), len = 2 * half;
    unsigned char *raw = any_bytes(len), *again = any_bytes(len);
    unsigned char der[ECDSA_DER_MAX];
    size_t der_len = fb_ecdsa_to_der(raw, len, der);
    PROVE(der_len <= len + 8);
    PROVE((der_len == 0) == (is_zero(raw, half) || is_zero(raw + half, half)));
    if (der_len > 0) {
        const unsigned char *r = der + 2, *s = r + 2 + r[1];
        PROVE((r[2] & 0x80) == 0 && (s[2] & 0x80) == 0);
        PROVE(fb_ecdsa_from_der(der, der_len, again, len));
        PROVE(memcmp(again, raw, len) == 0);
    }
    free(raw);
    free(again);
    return 0;
}
