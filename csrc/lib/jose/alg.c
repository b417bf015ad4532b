/* The tables of algorithms and curves. */
#include "jose/jose.h"

#include <string.h>

static const alg algs[] = {
    {"HS256", DIGEST_SHA256, KIND_HMAC, 32, NULL},
    {"HS384", DIGEST_SHA384, KIND_HMAC, 48, NULL},
    {"HS512", DIGEST_SHA512, KIND_HMAC, 64, NULL},
    {"RS256", DIGEST_SHA256, KIND_RSA, 0, NULL},
    {"RS384", DIGEST_SHA384, KIND_RSA, 0, NULL},
    {"RS512", DIGEST_SHA512, KIND_RSA, 0, NULL},
    {"PS256", DIGEST_SHA256, KIND_PSS, 0, NULL},
    {"PS384", DIGEST_SHA384, KIND_PSS, 0, NULL},
    {"PS512", DIGEST_SHA512, KIND_PSS, 0, NULL},
    {"ES256", DIGEST_SHA256, KIND_EC, 64, "P-256"},
    {"ES384", DIGEST_SHA384, KIND_EC, 96, "P-384"},
    {"ES512", DIGEST_SHA512, KIND_EC, 132, "P-521"},
    {"ES256K", DIGEST_SHA256, KIND_EC, 64, "secp256k1"},
    {"EdDSA", DIGEST_SHA512, KIND_ED, 0, NULL},
    {"Ed25519", DIGEST_SHA512, KIND_ED, 64, "Ed25519"},
    {"Ed448", DIGEST_SHA512, KIND_ED, 114, "Ed448"},
};

/* The last column is about what libcrypto 3.0 takes on x86-64, which is asked
 * twice of an Edwards curve. */
static const curve curves[] = {
    {"P-256", "prime256v1", "ES256", KIND_EC, 32, 64, 4},
    {"P-384", "secp384r1", "ES384", KIND_EC, 48, 96, 32},
    {"P-521", "secp521r1", "ES512", KIND_EC, 66, 132, 32},
    {"secp256k1", "secp256k1", "ES256K", KIND_EC, 32, 64, 16},
    {"Ed25519", "ED25519", "EdDSA", KIND_ED, 32, 64, 8},
    {"Ed448", "ED448", "EdDSA", KIND_ED, 57, 114, 16},
};

const alg *
fb_alg_find(const char *name, size_t len)
{
    for (size_t i = 0; i < sizeof algs / sizeof algs[0]; i++) {
        if (strlen(algs[i].name) == len
            && memcmp(algs[i].name, name, len) == 0) {
            return &algs[i];
        }
    }
    return NULL;
}

const alg *
fb_alg_at(size_t row)
{
    return row < sizeof algs / sizeof algs[0] ? &algs[row] : NULL;
}

alg_set
fb_alg_bit(const alg *one)
{
    return (alg_set)1 << (one - algs);
}

const curve *
fb_alg_find_curve(const char *name, size_t len)
{
    for (size_t i = 0; i < sizeof curves / sizeof curves[0]; i++) {
        bool is_name = strlen(curves[i].name) == len
                       && memcmp(curves[i].name, name, len) == 0;
        bool is_group = strlen(curves[i].group) == len
                        && memcmp(curves[i].group, name, len) == 0;
        if (is_name || is_group) {
            return &curves[i];
        }
    }
    return NULL;
}
