/*
 * Edwards public keys, against the curves' own law: a sound one is canonical,
 * has an x, and eight times (four times on Ed448) it is not the neutral point.
 * The first byte chooses the curve; the point follows.
 */
#include "fuzz.h"
#include "jose/jose.h"

#include <openssl/bn.h>
#include <openssl/err.h>

typedef struct {
    BIGNUM *p, *a, *d;
    int doublings; /* to the cofactor */
} edwards_curve;

typedef struct {
    BIGNUM *x, *y;
} point;

static BN_CTX *ctx;

/* RFC 8032 5.1: d = -121665 / 121666. */
static edwards_curve
make_25519(void)
{
    edwards_curve on = {BN_new(), BN_new(), BN_new(), 3};
    BIGNUM *below = BN_new();
    MUST(BN_set_bit(on.p, 255) && BN_sub_word(on.p, 19));
    MUST(BN_copy(on.a, on.p) != NULL && BN_sub_word(on.a, 1));
    MUST(BN_set_word(below, 121666));
    MUST(BN_mod_inverse(below, below, on.p, ctx) != NULL);
    MUST(BN_mul_word(below, 121665) && BN_nnmod(below, below, on.p, ctx));
    MUST(BN_sub(on.d, on.p, below));
    BN_free(below);
    return on;
}

/* RFC 8032 5.2: p = 2^448 - 2^224 - 1, d = -39081. */
static edwards_curve
make_448(void)
{
    edwards_curve on = {BN_new(), BN_new(), BN_new(), 2};
    BIGNUM *middle = BN_new();
    MUST(BN_set_bit(middle, 224) && BN_set_bit(on.p, 448));
    MUST(BN_sub(on.p, on.p, middle) && BN_sub_word(on.p, 1));
    MUST(BN_one(on.a));
    MUST(BN_copy(on.d, on.p) != NULL && BN_sub_word(on.d, 39081));
    BN_free(middle);
    return on;
}

/* x^2 = (y^2 - 1) / (d y^2 - a); false where that has no root. */
static bool
find_x(const edwards_curve *on, point *of)
{
    BIGNUM *square = BN_new(), *above = BN_new(), *below = BN_new();
    MUST(BN_mod_sqr(square, of->y, on->p, ctx));
    MUST(BN_copy(above, square) != NULL);
    MUST(BN_mod_sub(above, above, BN_value_one(), on->p, ctx));
    MUST(BN_mod_mul(below, square, on->d, on->p, ctx));
    MUST(BN_mod_sub(below, below, on->a, on->p, ctx));
    bool is_there = BN_mod_inverse(below, below, on->p, ctx) != NULL
                    && BN_mod_mul(square, above, below, on->p, ctx)
                    && BN_mod_sqrt(of->x, square, on->p, ctx) != NULL;
    ERR_clear_error();
    BN_free(below);
    BN_free(above);
    BN_free(square);
    return is_there;
}

/* x = 2xy / (1 + d x^2 y^2), y = (y^2 - a x^2) / (1 - d x^2 y^2): the law is
 * complete, so that nothing is divided by zero. */
static void
twice(const edwards_curve *on, point *of)
{
    BIGNUM *xy = BN_new(), *mixed = BN_new(), *below = BN_new();
    BIGNUM *xx = BN_new(), *yy = BN_new();
    MUST(BN_mod_mul(xy, of->x, of->y, on->p, ctx));
    MUST(BN_mod_sqr(xx, of->x, on->p, ctx));
    MUST(BN_mod_sqr(yy, of->y, on->p, ctx));
    MUST(BN_mod_sqr(mixed, xy, on->p, ctx));
    MUST(BN_mod_mul(mixed, mixed, on->d, on->p, ctx));
    MUST(BN_mod_add(below, BN_value_one(), mixed, on->p, ctx));
    MUST(BN_mod_inverse(below, below, on->p, ctx) != NULL);
    MUST(BN_mod_add(xy, xy, xy, on->p, ctx));
    MUST(BN_mod_mul(of->x, xy, below, on->p, ctx));
    MUST(BN_mod_sub(below, BN_value_one(), mixed, on->p, ctx));
    MUST(BN_mod_inverse(below, below, on->p, ctx) != NULL);
    MUST(BN_mod_mul(xx, xx, on->a, on->p, ctx));
    MUST(BN_mod_sub(yy, yy, xx, on->p, ctx));
    MUST(BN_mod_mul(of->y, yy, below, on->p, ctx));
    BN_free(yy);
    BN_free(xx);
    BN_free(below);
    BN_free(mixed);
    BN_free(xy);
}

static bool
is_sound(const edwards_curve *on, const unsigned char *bytes, size_t len)
{
    point of = {BN_new(), BN_new()};
    unsigned char *unsigned_y = exact_room(len);
    memcpy(unsigned_y, bytes, len);
    unsigned_y[len - 1] &= 0x7f;
    MUST(BN_lebin2bn(unsigned_y, (int)len, of.y) != NULL);
    bool is_good = BN_cmp(of.y, on->p) < 0 && find_x(on, &of);
    if (is_good) {
        for (int i = 0; i < on->doublings; i++) {
            twice(on, &of);
        }
        is_good = !(BN_is_zero(of.x) && BN_is_one(of.y));
    }
    free(unsigned_y);
    BN_free(of.y);
    BN_free(of.x);
    return is_good;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static edwards_curve both[2];
    intake from = {data, size};
    bool is_448 = intake_byte(&from) % 2 == 1;
    const curve *on = is_448 ? fb_alg_find_curve("Ed448", 5)
                             : fb_alg_find_curve("Ed25519", 7);
    if (ctx == NULL) {
        ctx = BN_CTX_new();
        both[0] = make_25519();
        both[1] = make_448();
    }
    unsigned char *bytes = intake_block(&from, on->bytes);
    MUST(fb_edwards_is_sound(on, bytes)
         == is_sound(&both[is_448], bytes, on->bytes));
    MUST(ERR_peek_error() == 0);
    free(bytes);
    return 0;
}
