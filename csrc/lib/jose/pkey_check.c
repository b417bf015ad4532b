/* The rules of RFC 7518 6 and RFC 8725 3.4 that libcrypto's import does not
 * enforce. */
#include "jose/jose.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>

/* --- which curve --------------------------------------------------------- */

/* Such a curve names the kind of its field (RFC 3279 2.3.5: 1.2.840.10045.1.1
 * and .2), which nothing else in a key does. The length before it is not
 * looked at, since BER can write that in several ways. */
bool
fb_pkey_has_equation(span bytes)
{
    static const unsigned char field[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x01};
    for (size_t at = 0; at + sizeof field < bytes.len; at++) {
        char kind = bytes.p[at + sizeof field];
        if ((kind == 1 || kind == 2)
            && memcmp(bytes.p + at, field, sizeof field) == 0) {
            return true;
        }
    }
    return false;
}

/* A curve given by its equation is refused, even where it is a named one
 * (CVE-2020-0601). */
static bool
is_named(EVP_PKEY *evp)
{
    int is_explicit = 1;
    return EVP_PKEY_get_int_param(
               evp, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS,
               &is_explicit)
           && is_explicit == 0;
}

status
fb_pkey_curve(EVP_PKEY *evp, const curve **out)
{
    char group[32];
    size_t len = 0;
    *out = NULL;
    switch (EVP_PKEY_get_base_id(evp)) {
    case EVP_PKEY_RSA:
    case EVP_PKEY_RSA_PSS:
        return STATUS_OK;
    case EVP_PKEY_ED25519:
        *out = fb_alg_find_curve("Ed25519", 7);
        return STATUS_OK;
    case EVP_PKEY_ED448:
        *out = fb_alg_find_curve("Ed448", 5);
        return STATUS_OK;
    case EVP_PKEY_EC:
        if (is_named(evp)
            && EVP_PKEY_get_utf8_string_param(evp, OSSL_PKEY_PARAM_GROUP_NAME,
                                              group, sizeof group, &len)) {
            *out = fb_alg_find_curve(group, len);
        }
        return *out != NULL && (*out)->kind == KIND_EC
                   ? STATUS_OK
                   : fb_failure_of(STATUS_KEY_CURVE);
    default:
        return STATUS_KEY_UNREADABLE;
    }
}

/* --- RSA ----------------------------------------------------------------- */

/*
 * Infineon's library made primes of the form k * M + (65537^a mod M), so that
 * the modulus is a power of 65537 modulo every small prime in M (Nemec et al.,
 * CCS 2017). A random modulus is such a power once in 2^27.
 */
static bool
is_power_of_65537(BN_ULONG residue, BN_ULONG prime)
{
    BN_ULONG power = 1;
    do {
        if (power == residue) {
            return true;
        }
        power = power * (65537 % prime) % prime;
    } while (power != 1);
    return false;
}

static bool
has_roca_fingerprint(const BIGNUM *n)
{
    static const BN_ULONG primes[] = {
        3,   5,   7,   11,  13,  17,  19,  23,  29,  31,  37,  41,  43,
        47,  53,  59,  61,  67,  71,  73,  79,  83,  89,  97,  101, 103,
        107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167};
    for (size_t i = 0; i < sizeof primes / sizeof primes[0]; i++) {
        if (!is_power_of_65537(BN_mod_word(n, primes[i]), primes[i])) {
            return false;
        }
    }
    return true;
}

CHECKED static status
check_rsa_public(const BIGNUM *n, const BIGNUM *e)
{
    int bits = BN_num_bits(n);
    int e_max = bits > KEY_RSA_LONG_BITS ? KEY_RSA_LONG_E_BITS_MAX
                                         : KEY_RSA_E_BITS_MAX;
    if (bits < KEY_RSA_BITS_MIN || bits > KEY_RSA_BITS_MAX || !BN_is_odd(n)) {
        return STATUS_KEY_RSA_SIZE;
    }
    if (!BN_is_odd(e) || BN_is_one(e) || BN_num_bits(e) > e_max
        || BN_is_negative(e)) {
        return STATUS_KEY_RSA_EXPONENT;
    }
    return has_roca_fingerprint(n) ? STATUS_KEY_RSA_ROCA : STATUS_OK;
}

/* In libcrypto's names, of which p to qi are all there, or none. */
enum { RSA_N, RSA_E, RSA_D, RSA_P, RSA_Q, RSA_DP, RSA_DQ, RSA_QI, RSA_COUNT };

typedef struct {
    BIGNUM *of[RSA_COUNT];
    bool has_factors;
} rsa_numbers;

static void
rsa_clear(rsa_numbers *all)
{
    for (int i = 0; i < RSA_COUNT; i++) {
        BN_clear_free(all->of[i]);
    }
}

CHECKED static status
rsa_read(EVP_PKEY *evp, rsa_numbers *all)
{
    static const char *const names[RSA_COUNT] = {
        OSSL_PKEY_PARAM_RSA_N,         OSSL_PKEY_PARAM_RSA_E,
        OSSL_PKEY_PARAM_RSA_D,         OSSL_PKEY_PARAM_RSA_FACTOR1,
        OSSL_PKEY_PARAM_RSA_FACTOR2,   OSSL_PKEY_PARAM_RSA_EXPONENT1,
        OSSL_PKEY_PARAM_RSA_EXPONENT2, OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
    };
    *all = (rsa_numbers){0};
    status result = EVP_PKEY_get_bits(evp) > KEY_RSA_BITS_MAX
                        ? STATUS_KEY_RSA_SIZE
                        : STATUS_OK;
    int factors = 0;
    for (int i = 0; i < RSA_COUNT && result == STATUS_OK; i++) {
        result = fb_pkey_bignum(evp, names[i], &all->of[i]);
        factors += i >= RSA_P && all->of[i] != NULL;
    }
    all->has_factors = factors > 0;
    if (result == STATUS_OK
        && (all->of[RSA_N] == NULL || all->of[RSA_E] == NULL)) {
        result = STATUS_KEY_UNREADABLE;
    }
    return result == STATUS_OK && factors % (RSA_COUNT - RSA_P) != 0
               ? STATUS_KEY_PAIR
               : result;
}

/* a * b = 1 modulo m. */
static bool
are_inverse(const BIGNUM *a, const BIGNUM *b, const BIGNUM *m, BN_CTX *ctx)
{
    BIGNUM *product = BN_CTX_get(ctx);
    return product != NULL && BN_mod_mul(product, a, b, m, ctx)
           && BN_is_one(product);
}

/* RFC 8017 3.2: e * d = 1 modulo p - 1, and dp is d modulo p - 1. */
static bool
factor_agrees(const rsa_numbers *all, const BIGNUM *factor,
              const BIGNUM *exponent, BN_CTX *ctx)
{
    BIGNUM *order = BN_CTX_get(ctx), *reduced = BN_CTX_get(ctx);
    return reduced != NULL && BN_copy(order, factor) != NULL
           && BN_sub_word(order, 1) && !BN_is_zero(order)
           && are_inverse(all->of[RSA_E], all->of[RSA_D], order, ctx)
           && BN_nnmod(reduced, all->of[RSA_D], order, ctx)
           && BN_cmp(reduced, exponent) == 0;
}

static bool
factors_agree(const rsa_numbers *all)
{
    BN_CTX *ctx = BN_CTX_new();
    bool ok = false;
    if (ctx != NULL) {
        BN_CTX_start(ctx);
        BIGNUM *product = BN_CTX_get(ctx);
        ok = product != NULL
             && BN_mul(product, all->of[RSA_P], all->of[RSA_Q], ctx)
             && BN_cmp(product, all->of[RSA_N]) == 0
             && factor_agrees(all, all->of[RSA_P], all->of[RSA_DP], ctx)
             && factor_agrees(all, all->of[RSA_Q], all->of[RSA_DQ], ctx)
             && are_inverse(all->of[RSA_QI], all->of[RSA_Q], all->of[RSA_P],
                            ctx);
        BN_CTX_end(ctx);
    }
    BN_CTX_free(ctx);
    return ok;
}

/* A key that has only n, e and d is tried: without the primes, which takes
 * half a minute for 16384 bits. */
static bool
round_trips(EVP_PKEY *evp)
{
    static const unsigned char message[] = "fastbearer";
    unsigned char signature[SIGNATURE_MAX];
    size_t len = sizeof signature;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok =
        ctx != NULL
        && EVP_DigestSignInit_ex(ctx, NULL, "SHA256", NULL, NULL, evp, NULL)
               > 0
        && EVP_DigestSign(ctx, signature, &len, message, sizeof message) > 0
        && EVP_MD_CTX_reset(ctx)
        && EVP_DigestVerifyInit_ex(ctx, NULL, "SHA256", NULL, NULL, evp, NULL)
               > 0
        && EVP_DigestVerify(ctx, signature, len, message, sizeof message) == 1;
    EVP_MD_CTX_free(ctx);
    return ok;
}

/* Before any work with them: no private number is longer than n. */
static bool
has_private_sizes(const rsa_numbers *all)
{
    for (int i = RSA_D; i < RSA_COUNT; i++) {
        if (all->of[i] != NULL
            && BN_num_bits(all->of[i]) > BN_num_bits(all->of[RSA_N])) {
            return false;
        }
    }
    return true;
}

CHECKED static status
check_rsa_pair(EVP_PKEY *evp, const rsa_numbers *all)
{
    if (all->of[RSA_D] == NULL || !has_private_sizes(all)) {
        return fb_failure_of(STATUS_KEY_PAIR);
    }
    if (!all->has_factors
        && BN_num_bits(all->of[RSA_N]) > KEY_RSA_TRIED_BITS_MAX) {
        return STATUS_KEY_COSTLY;
    }
    return (all->has_factors ? factors_agree(all) : round_trips(evp))
               ? STATUS_OK
               : fb_failure_of(STATUS_KEY_PAIR);
}

CHECKED static status
check_rsa(EVP_PKEY *evp, bool is_private)
{
    rsa_numbers all;
    status result = rsa_read(evp, &all);
    if (result == STATUS_OK) {
        result = check_rsa_public(all.of[RSA_N], all.of[RSA_E]);
    }
    if (result == STATUS_OK && is_private) {
        result = check_rsa_pair(evp, &all);
    }
    rsa_clear(&all);
    return result;
}

/* --- curves -------------------------------------------------------------- */

CHECKED static status
check_ec(EVP_PKEY *evp, bool is_private)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, evp, NULL);
    status result = STATUS_OK;
    if (ctx == NULL || EVP_PKEY_public_check(ctx) != 1) {
        result = fb_failure_of(STATUS_KEY_POINT);
    } else if (is_private
               && (EVP_PKEY_private_check(ctx) != 1
                   || EVP_PKEY_pairwise_check(ctx) != 1)) {
        result = fb_failure_of(STATUS_KEY_PAIR);
    }
    EVP_PKEY_CTX_free(ctx);
    return result;
}

CHECKED static status
check_edwards(EVP_PKEY *evp, const curve *on)
{
    unsigned char point[EDWARDS_MAX];
    size_t len;
    status result = fb_pkey_raw(evp, false, point, &len);
    if (result != STATUS_OK) {
        return result;
    }
    return len == on->bytes && fb_edwards_is_sound(on, point)
               ? STATUS_OK
               : fb_failure_of(STATUS_KEY_POINT);
}

CHECKED static status
check(EVP_PKEY *evp, const curve *on, bool is_private)
{
    return on == NULL            ? check_rsa(evp, is_private)
           : on->kind == KIND_EC ? check_ec(evp, is_private)
                                 : check_edwards(evp, on);
}

/* Where it only lacked the memory, libcrypto may not say so: two tries. */
status
fb_pkey_check(EVP_PKEY *evp, const curve *on, bool is_private)
{
    status result = check(evp, on, is_private);
    return result == STATUS_KEY_POINT ? check(evp, on, is_private) : result;
}
