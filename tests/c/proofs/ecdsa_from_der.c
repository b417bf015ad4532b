/* prove: 12..12 +2 lib/jose/ecdsa.c
 * Any 12 bytes and fewer as DER, for signatures of up to 8 bytes. */
#include "proof.h"

#include "jose/jose.h"

int
main(void)
{
    size_t len = 2 * any_size(4), der_len = any_size(SIZE);
    unsigned char *der = any_bytes(der_len), *raw = any_bytes(len);
    if (fb_ecdsa_from_der(der, der_len, raw, len)) {
        PROVE(der_len >= 6 && der[0] == 0x30);
    }
    free(der);
    free(raw);
    return 0;
}
