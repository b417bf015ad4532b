/*
 * Keys from the numbers of a JWK. What is accepted is, by arithmetic and by
 * libcrypto's groups, a key; and what is one is accepted. Bytes: the curve, or
 * RSA, and whether it is private; then the numbers, those of RSA with two
 * bytes of length before each.
 */
#include "fuzz.h"
#include "jose/jose.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/objects.h>

#define SLOW_BITS 3072 /* beyond which a signature takes long */
#define PARTS 8
#define NUMBER_MAX 1024 /* bytes, of which more than these are too many */

/* Numbers by libcrypto's names, which a key gives back as they were given. */
typedef struct {
    const char *name;
    span number;
} named;

static void
check_numbers(EVP_PKEY *evp, const named *numbers)
{
    for (; numbers->name != NULL; numbers++) {
        unsigned char *out = exact_room(SIGNATURE_MAX);
        size_t len = 0, width = numbers->number.len;
        MUST(fb_pkey_number(evp, numbers->name, width, out, &len)
             == STATUS_OK);
        MUST(is_same((span){(char *)out, len}, numbers->number));
        free(out);
    }
}

/* Takes over what was made, if anything was; says whether it is a key. */
static bool
is_taken(status made, EVP_PKEY *evp, bool is_private, const named *numbers)
{
    pkey key;
    const span message = {"message", 7};
    MUST((made == STATUS_OK) == (evp != NULL));
    if (evp == NULL
        || fb_pkey_make(&key, evp, NULL, all_digests()) != STATUS_OK) {
        return false;
    }
    unsigned char *signature = exact_room(key.signature);
    memset(signature, 1, key.signature);
    MUST(fb_pkey_verify(&key, message, signature) == STATUS_SIGNATURE_WRONG);
    if (!is_private) {
        MUST(fb_pkey_sign(&key, message, signature) == STATUS_KEY_NOT_PRIVATE);
    } else if (EVP_PKEY_get_bits(key.evp) <= SLOW_BITS) {
        MUST(fb_pkey_sign(&key, message, signature) == STATUS_OK);
        MUST(fb_pkey_verify(&key, message, signature) == STATUS_OK);
    }
    free(signature);
    check_numbers(key.evp, numbers);
    fb_pkey_clear(&key);
    return true;
}

/* --- curves -------------------------------------------------------------- */

static BIGNUM *
number_of(span bytes)
{
    BIGNUM *number =
        BN_bin2bn((const unsigned char *)bytes.p, (int)bytes.len, NULL);
    MUST(number != NULL);
    return number;
}

/* Whether the coordinates are of the field and on the curve and, with d, the
 * point is d times the generator. */
static bool
is_point(const curve *on, span x, span y, span d)
{
    EC_GROUP *group = EC_GROUP_new_by_curve_name(OBJ_sn2nid(on->group));
    EC_POINT *point = EC_POINT_new(group), *product = EC_POINT_new(group);
    BIGNUM *a = number_of(x), *b = number_of(y), *k = number_of(d);
    const BIGNUM *p = EC_GROUP_get0_field(group);
    bool is_good =
        BN_cmp(a, p) < 0 && BN_cmp(b, p) < 0
        && EC_POINT_set_affine_coordinates(group, point, a, b, NULL) == 1;
    if (is_good && d.len > 0) {
        is_good = !BN_is_zero(k) && BN_cmp(k, EC_GROUP_get0_order(group)) < 0
                  && EC_POINT_mul(group, product, k, NULL, NULL, NULL) == 1
                  && EC_POINT_cmp(group, product, point, NULL) == 0;
    }
    ERR_clear_error();
    BN_free(k);
    BN_free(b);
    BN_free(a);
    EC_POINT_free(product);
    EC_POINT_free(point);
    EC_GROUP_free(group);
    return is_good;
}

static void
check_ec(const curve *on, intake *from, bool is_private)
{
    EVP_PKEY *evp = NULL;
    unsigned char *numbers[] = {intake_block(from, on->bytes),
                                intake_block(from, on->bytes),
                                intake_block(from, on->bytes)};
    const span x = {(char *)numbers[0], on->bytes};
    const span y = {(char *)numbers[1], on->bytes};
    const span d = {(char *)numbers[2], is_private ? on->bytes : 0};
    bool expected = is_point(on, x, y, d);
    status made = fb_pkey_from_curve(on, x, y, d, &evp);
    const named numbers_of[] = {
        {OSSL_PKEY_PARAM_EC_PUB_X, x},
        {OSSL_PKEY_PARAM_EC_PUB_Y, y},
        {d.len > 0 ? OSSL_PKEY_PARAM_PRIV_KEY : NULL, d},
        {NULL, d}};
    MUST(is_taken(made, evp, is_private, numbers_of) == expected);
    for (int i = 0; i < 3; i++) {
        free(numbers[i]);
    }
}

/* The bytes that were given come back, and no private ones of a public key. */
static void
check_raw(EVP_PKEY *evp, span given, bool is_private)
{
    unsigned char *out = exact_room(EDWARDS_MAX);
    size_t len = 1;
    MUST(fb_pkey_raw(evp, is_private, out, &len) == STATUS_OK);
    MUST(is_same((span){(char *)out, len}, given));
    MUST(fb_pkey_raw(evp, true, out, &len) == STATUS_OK);
    MUST((len > 0) == is_private);
    free(out);
}

/* A private Edwards key makes its own public half, which is sound; of public
 * ones fuzz_edwards.c knows more. */
static void
check_edwards(const curve *on, intake *from, bool is_private)
{
    EVP_PKEY *evp = NULL;
    unsigned char *bytes = intake_block(from, on->bytes);
    const span given = {(char *)bytes, on->bytes}, none = {"", 0};
    const named nothing = {NULL, none};
    status made =
        fb_pkey_from_curve(on, given, none, is_private ? given : none, &evp);
    MUST(made == STATUS_OK);
    check_raw(evp, given, is_private);
    MUST(is_taken(made, evp, is_private, &nothing)
         == (is_private || fb_edwards_is_sound(on, bytes)));
    free(bytes);
}

/* --- RSA ----------------------------------------------------------------- */

/* Whether a - 1 = 0 modulo b - 1. */
static bool
is_one_below(const BIGNUM *a, const BIGNUM *b, BN_CTX *ctx)
{
    BIGNUM *order = BN_dup(b), *rest = BN_dup(a);
    bool is_good = BN_sub_word(order, 1) && BN_sub_word(rest, 1)
                   && !BN_is_zero(order) && BN_mod(rest, rest, order, ctx)
                   && BN_is_zero(rest);
    BN_free(rest);
    BN_free(order);
    return is_good;
}

/* Whether d = part modulo factor - 1. */
static bool
is_reduced(const BIGNUM *d, const BIGNUM *factor, const BIGNUM *part,
           BN_CTX *ctx)
{
    BIGNUM *order = BN_dup(factor), *rest = BN_new();
    bool is_good = BN_sub_word(order, 1) && !BN_is_zero(order)
                   && BN_mod(rest, d, order, ctx) && BN_cmp(rest, part) == 0;
    BN_free(rest);
    BN_free(order);
    return is_good;
}

enum { N, E, D, P, Q, DP, DQ, QI };

/* RFC 8017 3.2. */
static bool
is_whole(BIGNUM *const *of)
{
    BN_CTX *ctx = BN_CTX_new();
    BIGNUM *product = BN_new();
    bool is_good = BN_mul(product, of[P], of[Q], ctx)
                   && BN_cmp(product, of[N]) == 0
                   && BN_mul(product, of[E], of[D], ctx)
                   && is_one_below(product, of[P], ctx)
                   && is_one_below(product, of[Q], ctx)
                   && is_reduced(of[D], of[P], of[DP], ctx)
                   && is_reduced(of[D], of[Q], of[DQ], ctx)
                   && BN_mod_mul(product, of[Q], of[QI], of[P], ctx)
                   && BN_is_one(product);
    BN_free(product);
    BN_CTX_free(ctx);
    return is_good;
}

/* RFC 7518 6.3, and limits.h; no private number is longer than n. */
static bool
is_sized(BIGNUM *const *of)
{
    int bits = BN_num_bits(of[N]);
    int e_max = bits > KEY_RSA_LONG_BITS ? KEY_RSA_LONG_E_BITS_MAX
                                         : KEY_RSA_E_BITS_MAX;
    for (int i = D; i < PARTS; i++) {
        if (BN_num_bits(of[i]) > bits) {
            return false;
        }
    }
    return bits >= KEY_RSA_BITS_MIN && bits <= KEY_RSA_BITS_MAX
           && BN_is_odd(of[N]) && BN_is_odd(of[E]) && !BN_is_one(of[E])
           && BN_num_bits(of[E]) <= e_max;
}

/* The parts are all there, or only those of a public key, or n, e and d: so
 * does whoever reads a JWK ask. */
static void
check_rsa(intake *from, bool is_private)
{
    rsa_parts parts;
    span *each[PARTS] = {&parts.n, &parts.e,  &parts.d,  &parts.p,
                         &parts.q, &parts.dp, &parts.dq, &parts.qi};
    BIGNUM *numbers[PARTS];
    EVP_PKEY *evp = NULL;
    bool has_factors = is_private;
    for (int i = 0; i < PARTS; i++) {
        size_t len = (size_t)intake_byte(from) << 8;
        len = (len | intake_byte(from)) % NUMBER_MAX;
        *each[i] = intake_span(from, is_private || i < D ? len : 0);
        numbers[i] = number_of(*each[i]);
        has_factors = has_factors && (i < P || each[i]->len > 0);
    }
    bool is_asked = parts.n.len > 0 && parts.e.len > 0
                    && BN_num_bits(numbers[N]) <= SLOW_BITS
                    && (parts.d.len > 0) == is_private;
    for (int i = P; i < PARTS && !has_factors; i++) {
        span_free(*each[i]);
        *each[i] = (span){exact_room(0), 0};
        BN_zero(numbers[i]);
    }
    if (is_asked) {
        status made = fb_pkey_from_rsa(&parts, &evp);
        const named given[] = {
            {OSSL_PKEY_PARAM_RSA_N, parts.n},
            {is_private ? OSSL_PKEY_PARAM_RSA_D : NULL, parts.d},
            {NULL, parts.d}};
        bool is_good = is_taken(made, evp, is_private, given);
        MUST(!is_good || is_sized(numbers));
        if (has_factors) { /* of the others, it cannot be told here */
            MUST(is_good == (is_sized(numbers) && is_whole(numbers)));
        }
    }
    for (int i = 0; i < PARTS; i++) {
        BN_free(numbers[i]);
        span_free(*each[i]);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"P-256",     "P-384",   "P-521",
                                        "secp256k1", "Ed25519", "Ed448"};
    intake from = {data, size};
    uint8_t which = intake_byte(&from);
    bool is_private = which & 1;
    size_t row = which / 2 % (sizeof names / sizeof *names + 1);
    if (row == sizeof names / sizeof *names) {
        check_rsa(&from, is_private);
    } else {
        const curve *on = fb_alg_find_curve(names[row], strlen(names[row]));
        MUST(on != NULL);
        if (on->kind == KIND_EC) {
            check_ec(on, &from, is_private);
        } else {
            check_edwards(on, &from, is_private);
        }
    }
    MUST(ERR_peek_error() == 0);
    return 0;
}
