/* What a verification costs: whoever publishes a key chooses it, and strangers
 * make it be spent. */
#include "jose/jose.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>

/* Of RSA with 2048 bits and 65537: e's bits, each a squaring modulo n. */
#define RSA_UNIT ((uint64_t)2048 * 2048 * 17)

status
fb_pkey_work(EVP_PKEY *evp, const curve *on, unsigned *out)
{
    BIGNUM *e;
    if (on != NULL) {
        *out = on->work;
        return STATUS_OK;
    }
    status result = fb_pkey_bignum(evp, OSSL_PKEY_PARAM_RSA_E, &e);
    if (result == STATUS_OK && e == NULL) {
        result = STATUS_KEY_UNREADABLE;
    }
    if (result == STATUS_OK) {
        uint64_t bits = (uint64_t)EVP_PKEY_get_bits(evp);
        uint64_t steps = bits * bits * (uint64_t)BN_num_bits(e);
        *out = (unsigned)((steps + RSA_UNIT - 1) / RSA_UNIT);
    }
    BN_free(e);
    return result;
}
