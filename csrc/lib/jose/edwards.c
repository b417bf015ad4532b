/* Edwards public keys (RFC 8032): libcrypto takes any 32 or 57 bytes, also
 * points of small order, under which anybody can sign. */
#include "jose/jose.h"

#include <openssl/bn.h>

/* a x^2 + y^2 = 1 + d x^2 y^2 over p; hexadecimal numbers, and the y of the
 * points of order 8, where there are any. */
typedef struct {
    int a;
    const char *p, *d, *order_8[2];
} edwards;

static const edwards ed25519 = {
    -1,
    "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed",
    "52036cee2b6ffe738cc740797779e89800700a4d4141d8ab75eb4dca135978a3",
    {"7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7",
     "05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826"},
};

static const edwards ed448 = {
    1,
    "fffffffffffffffffffffffffffffffffffffffffffffffffffffffe"
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "-98a9",
    {NULL, NULL},
};

/* The y of an encoded point: little-endian, without the sign of x. */
static bool
read_y(const unsigned char *point, size_t len, BIGNUM *y)
{
    unsigned char bytes[57];
    memcpy(bytes, point, len);
    bytes[len - 1] &= 0x7f;
    return BN_lebin2bn(bytes, (int)len, y) != NULL;
}

/* Orders 1, 2 and 4 have y = 1, -1 and 0 on both curves. False, too, where it
 * could not be told. */
static bool
is_large_order(const edwards *on, const BIGNUM *y, const BIGNUM *p,
               BIGNUM *scratch)
{
    bool is_large = !BN_is_zero(y) && !BN_is_one(y)
                    && BN_copy(scratch, p) != NULL && BN_sub_word(scratch, 1)
                    && BN_cmp(y, scratch) != 0;
    for (int i = 0; i < 2 && on->order_8[i] != NULL; i++) {
        is_large = is_large && BN_hex2bn(&scratch, on->order_8[i])
                   && BN_cmp(y, scratch) != 0;
    }
    return is_large;
}

/* x^2 = (1 - y^2) / (a - d y^2) has a solution if the product of the two is a
 * square. */
static bool
has_x(const edwards *on, const BIGNUM *y, const BIGNUM *p, BN_CTX *ctx)
{
    BIGNUM *square = BN_CTX_get(ctx), *left = BN_CTX_get(ctx);
    BIGNUM *right = BN_CTX_get(ctx), *d = BN_CTX_get(ctx);
    return d != NULL && BN_mod_sqr(square, y, p, ctx) && BN_hex2bn(&d, on->d)
           && BN_one(left) && BN_mod_sub(left, left, square, p, ctx)
           && BN_mod_mul(right, d, square, p, ctx)
           && (on->a == 1 ? BN_sub_word(right, 1) : BN_add_word(right, 1))
           && BN_mod_mul(left, left, right, p, ctx)
           /* a - d y^2 is minus the right side, and -1 is a square or not */
           && (BN_set_negative(left, 1), BN_nnmod(left, left, p, ctx))
           && BN_kronecker(left, p, ctx) == 1;
}

bool
fb_edwards_is_sound(const curve *on, const unsigned char *point)
{
    const edwards *with = on->bytes == 32 ? &ed25519 : &ed448;
    BN_CTX *ctx = BN_CTX_new();
    bool ok = false;
    if (ctx != NULL) {
        BN_CTX_start(ctx);
        BIGNUM *p = BN_CTX_get(ctx), *y = BN_CTX_get(ctx);
        BIGNUM *scratch = BN_CTX_get(ctx);
        ok = scratch != NULL && BN_hex2bn(&p, with->p)
             && read_y(point, on->bytes, y) && BN_cmp(y, p) < 0
             && is_large_order(with, y, p, scratch) && has_x(with, y, p, ctx);
        BN_CTX_end(ctx);
    }
    BN_CTX_free(ctx);
    return ok;
}
