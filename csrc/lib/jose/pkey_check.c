/* The rules of RFC 7518 6 and RFC 8725 3.4 that libcrypto's import does not
 * enforce. */
#include "jose/jose.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>

/* --- which curve --------------------------------------------------------- */

/* A curve given by its equation is refused, even where it is a named one
 * (CVE-2020-0601). */
static bool
is_explicit(EVP_PKEY *evp)
{
    int is_one = 0;
    return EVP_PKEY_get_int_param(
               evp, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS, &is_one)
           && is_one != 0;
}

status
pkey_curve(EVP_PKEY *evp, const curve **out)
{
    char group[32];
    size_t len = 0;
    *out = NULL;
    switch (EVP_PKEY_get_base_id(evp)) {
    case EVP_PKEY_RSA:
    case EVP_PKEY_RSA_PSS:
        return STATUS_OK;
    case EVP_PKEY_ED25519:
        *out = alg_find_curve("Ed25519", 7);
        return STATUS_OK;
    case EVP_PKEY_ED448:
        *out = alg_find_curve("Ed448", 5);
        return STATUS_OK;
    case EVP_PKEY_EC:
        if (!is_explicit(evp)
            && EVP_PKEY_get_utf8_string_param(evp, OSSL_PKEY_PARAM_GROUP_NAME,
                                              group, sizeof group, &len)) {
            *out = alg_find_curve(group, len);
        }
        ERR_clear_error();
        return *out != NULL && (*out)->kind == KIND_EC ? STATUS_OK
                                                       : STATUS_KEY_CURVE;
    default:
        return STATUS_KEY_UNREADABLE;
    }
}

bool
pkey_is_private(EVP_PKEY *evp)
{
    BIGNUM *number = NULL;
    size_t len = 0;
    int id = EVP_PKEY_get_base_id(evp);
    bool is_edwards = id == EVP_PKEY_ED25519 || id == EVP_PKEY_ED448;
    const char *name =
        id == EVP_PKEY_EC ? OSSL_PKEY_PARAM_PRIV_KEY : OSSL_PKEY_PARAM_RSA_D;
    bool has = is_edwards ? EVP_PKEY_get_raw_private_key(evp, NULL, &len) == 1
                          : EVP_PKEY_get_bn_param(evp, name, &number) == 1;
    BN_clear_free(number);
    ERR_clear_error();
    return has;
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
    if (bits < KEY_RSA_BITS_MIN || bits > KEY_RSA_BITS_MAX || !BN_is_odd(n)) {
        return STATUS_KEY_RSA_SIZE;
    }
    if (!BN_is_odd(e) || BN_is_one(e) || BN_num_bits(e) > KEY_RSA_E_BITS_MAX
        || BN_is_negative(e)) {
        return STATUS_KEY_RSA_EXPONENT;
    }
    return has_roca_fingerprint(n) ? STATUS_KEY_RSA_ROCA : STATUS_OK;
}

typedef struct {
    BIGNUM *n, *e, *d, *p, *q, *dp, *dq, *qi;
} rsa_numbers;

static void
rsa_read(EVP_PKEY *evp, rsa_numbers *all)
{
    *all = (rsa_numbers){0};
    (void)EVP_PKEY_get_bn_param(evp, OSSL_PKEY_PARAM_RSA_N, &all->n);
    (void)EVP_PKEY_get_bn_param(evp, OSSL_PKEY_PARAM_RSA_E, &all->e);
    (void)EVP_PKEY_get_bn_param(evp, OSSL_PKEY_PARAM_RSA_D, &all->d);
    (void)EVP_PKEY_get_bn_param(evp, OSSL_PKEY_PARAM_RSA_FACTOR1, &all->p);
    (void)EVP_PKEY_get_bn_param(evp, OSSL_PKEY_PARAM_RSA_FACTOR2, &all->q);
    (void)EVP_PKEY_get_bn_param(evp, OSSL_PKEY_PARAM_RSA_EXPONENT1, &all->dp);
    (void)EVP_PKEY_get_bn_param(evp, OSSL_PKEY_PARAM_RSA_EXPONENT2, &all->dq);
    (void)EVP_PKEY_get_bn_param(evp, OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
                                &all->qi);
    ERR_clear_error();
}

static void
rsa_clear(rsa_numbers *all)
{
    BN_free(all->n);
    BN_free(all->e);
    BN_clear_free(all->d);
    BN_clear_free(all->p);
    BN_clear_free(all->q);
    BN_clear_free(all->dp);
    BN_clear_free(all->dq);
    BN_clear_free(all->qi);
}

/* a * b = 1 modulo m, which may be NULL for "not given". */
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
           && are_inverse(all->e, all->d, order, ctx)
           && (exponent == NULL
               || (BN_nnmod(reduced, all->d, order, ctx)
                   && BN_cmp(reduced, exponent) == 0));
}

static bool
factors_agree(const rsa_numbers *all)
{
    BN_CTX *ctx = BN_CTX_new();
    bool ok = false;
    if (ctx != NULL) {
        BN_CTX_start(ctx);
        BIGNUM *product = BN_CTX_get(ctx);
        ok = product != NULL && BN_mul(product, all->p, all->q, ctx)
             && BN_cmp(product, all->n) == 0
             && factor_agrees(all, all->p, all->dp, ctx)
             && factor_agrees(all, all->q, all->dq, ctx)
             && (all->qi == NULL || are_inverse(all->qi, all->q, all->p, ctx));
        BN_CTX_end(ctx);
    }
    BN_CTX_free(ctx);
    return ok;
}

/* A key that has only n, e and d is tried. */
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
    const BIGNUM *numbers[] = {all->d,  all->p,  all->q,
                               all->dp, all->dq, all->qi};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (numbers[i] != NULL
            && BN_num_bits(numbers[i]) > BN_num_bits(all->n)) {
            return false;
        }
    }
    return true;
}

CHECKED static status
check_rsa(EVP_PKEY *evp, bool is_private)
{
    rsa_numbers all;
    rsa_read(evp, &all);
    status result = all.n == NULL || all.e == NULL
                        ? STATUS_KEY_UNREADABLE
                        : check_rsa_public(all.n, all.e);
    if (result == STATUS_OK && is_private) {
        bool ok = has_private_sizes(&all)
                  && (all.p != NULL && all.q != NULL ? factors_agree(&all)
                                                     : round_trips(evp));
        result = ok ? STATUS_OK : STATUS_KEY_PAIR;
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
        result = STATUS_KEY_POINT;
    } else if (is_private
               && (EVP_PKEY_private_check(ctx) != 1
                   || EVP_PKEY_pairwise_check(ctx) != 1)) {
        result = STATUS_KEY_PAIR;
    }
    EVP_PKEY_CTX_free(ctx);
    return result;
}

CHECKED static status
check_edwards(EVP_PKEY *evp, const curve *on)
{
    unsigned char point[57];
    size_t len = sizeof point;
    return EVP_PKEY_get_raw_public_key(evp, point, &len) == 1
                   && len == on->bytes && edwards_is_sound(on, point)
               ? STATUS_OK
               : STATUS_KEY_POINT;
}

status
pkey_check(EVP_PKEY *evp, const curve *on, bool is_private)
{
    status result = on == NULL            ? check_rsa(evp, is_private)
                    : on->kind == KIND_EC ? check_ec(evp, is_private)
                                          : check_edwards(evp, on);
    ERR_clear_error();
    return result;
}
