/* Edwards public keys (RFC 8032): libcrypto takes any 32 or 57 bytes, also
 * points of small order, under which anybody can sign. */
#include "jose/jose.h"

#include <openssl/bn.h>

/* The y of a point as it is encoded: little-endian, without the sign of x. */
typedef struct {
    unsigned char bytes[EDWARDS_MAX];
} encoded_y;

/* a x^2 + y^2 = 1 + d x^2 y^2 over p, in hexadecimal; and the y of the points
 * of small order, whose x is told by its sign: of order 1, 2 and 4 on both
 * curves (1, -1 and 0), and of order 8. */
typedef struct {
    int a;
    const char *p, *d;
    size_t small_count;
    encoded_y small[5];
} edwards;

static const edwards ed25519 = {
    -1,
    "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed",
    "52036cee2b6ffe738cc740797779e89800700a4d4141d8ab75eb4dca135978a3",
    5,
    {
        {"\x01"},
        {"\xec\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
         "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f"},
        {{0}},
        {"\xc7\x17\x6a\x70\x3d\x4d\xd8\x4f\xba\x3c\x0b\x76\x0d\x10\x67\x0f"
         "\x2a\x20\x53\xfa\x2c\x39\xcc\xc6\x4e\xc7\xfd\x77\x92\xac\x03\x7a"},
        {"\x26\xe8\x95\x8f\xc2\xb2\x27\xb0\x45\xc3\xf4\x89\xf2\xef\x98\xf0"
         "\xd5\xdf\xac\x05\xd3\xc6\x33\x39\xb1\x38\x02\x88\x6d\x53\xfc\x05"},
    },
};

static const edwards ed448 = {
    1,
    "fffffffffffffffffffffffffffffffffffffffffffffffffffffffe"
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "-98a9",
    3,
    {
        {"\x01"},
        {"\xfe\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
         "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff"
         "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
         "\xff\xff\xff\xff\xff\xff\xff\xff"},
        {{0}},
    },
};

static const edwards *
law_of(const curve *on)
{
    return on->bytes == 32 ? &ed25519 : &ed448;
}

static encoded_y
y_of(const unsigned char *point, size_t len)
{
    encoded_y y;
    memcpy(y.bytes, point, len);
    y.bytes[len - 1] &= 0x7f;
    return y;
}

bool
fb_edwards_is_small(const curve *on, const unsigned char *point)
{
    const edwards *law = law_of(on);
    encoded_y y = y_of(point, on->bytes);
    for (size_t i = 0; i < law->small_count; i++) {
        if (memcmp(y.bytes, law->small[i].bytes, on->bytes) == 0) {
            return true;
        }
    }
    return false;
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
    const edwards *law = law_of(on);
    encoded_y bytes = y_of(point, on->bytes);
    BN_CTX *ctx = BN_CTX_new();
    bool ok = false;
    if (ctx != NULL) {
        BN_CTX_start(ctx);
        BIGNUM *p = BN_CTX_get(ctx), *y = BN_CTX_get(ctx);
        ok = y != NULL && BN_hex2bn(&p, law->p)
             && BN_lebin2bn(bytes.bytes, (int)on->bytes, y) != NULL
             && BN_cmp(y, p) < 0 && !fb_edwards_is_small(on, point)
             && has_x(law, y, p, ctx);
        BN_CTX_end(ctx);
    }
    BN_CTX_free(ctx);
    return ok;
}
