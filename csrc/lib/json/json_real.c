/* The double that is nearest to a decimal number, by exact integers. */
#include "json/json.h"

#ifdef __SIZEOF_INT128__
#include <math.h>

typedef unsigned __int128 wide;

#define FIVES_MAX 27 /* 5^27 < 2^63 */
#define EXPONENT_MAX 999
#define DIGITS_LIMIT 1000000000000000000u /* times ten, it is below 2^64 */

typedef struct {
    uint64_t digits; /* the number is digits * 10^exponent */
    int exponent;
} decimal;

/* clang-format off */
static const uint64_t fives[FIVES_MAX + 1] = {
    1u, 5u, 25u, 125u, 625u, 3125u, 15625u, 78125u, 390625u, 1953125u,
    9765625u, 48828125u, 244140625u, 1220703125u, 6103515625u, 30517578125u,
    152587890625u, 762939453125u, 3814697265625u, 19073486328125u,
    95367431640625u, 476837158203125u, 2384185791015625u, 11920928955078125u,
    59604644775390625u, 298023223876953125u, 1490116119384765625u,
    7450580596923828125u,
};
/* clang-format on */

/* False for more digits than fit. */
static bool
read_digits(const char **at, const char *end, decimal *out)
{
    bool is_fraction = false;
    const char *p = *at;
    *out = (decimal){0};
    for (; p < end && *p != 'e' && *p != 'E'; p++) {
        if (*p == '.') {
            is_fraction = true;
            continue;
        }
        if (out->digits >= DIGITS_LIMIT) {
            return false;
        }
        out->digits = out->digits * 10 + (uint64_t)(*p - '0');
        out->exponent -= is_fraction;
    }
    *at = p;
    return true;
}

/* What follows the digits: nothing, or an exponent with its sign. */
static bool
read_exponent(const char *p, const char *end, decimal *out)
{
    int exponent = 0;
    bool is_negative = p < end && p[1] == '-';
    for (; p < end && exponent <= EXPONENT_MAX; p++) {
        if (*p >= '0' && *p <= '9') {
            exponent = exponent * 10 + (*p - '0');
        }
    }
    out->exponent += is_negative ? -exponent : exponent;
    return exponent <= EXPONENT_MAX;
}

/* The double nearest to (whole + a rest below 1) * 2^exponent, of which at
 * least 64 bits are in `whole`. A rest is told by the lowest bit kept, which
 * the conversion rounds away. */
static double
nearest(wide whole, bool has_rest, int exponent)
{
    uint64_t high = (uint64_t)(whole >> 64);
    int shift = high == 0 ? 0 : 64 - __builtin_clzll(high);
    uint64_t kept = (uint64_t)(whole >> shift);
    has_rest = has_rest || (wide)kept << shift != whole;
    return ldexp((double)(kept | has_rest), exponent + shift);
}

/* A number that is not 0. */
static double
to_double(decimal number)
{
    int shift = __builtin_clzll(number.digits);
    wide whole = number.digits << shift;
    int exponent = number.exponent - shift; /* 10^n is 5^n * 2^n */
    if (number.exponent >= 0) {
        return nearest(whole * fives[number.exponent], false, exponent);
    }
    wide quotient = (whole << 64) / fives[-number.exponent];
    bool has_rest = quotient * fives[-number.exponent] != whole << 64;
    return nearest(quotient, has_rest, exponent - 64);
}

bool
fb_json_real(span text, double *value)
{
    const char *p = text.p, *end = text.p + text.len;
    bool is_negative = *p == '-';
    decimal read;
    p += is_negative ? 1 : 0;
    if (!read_digits(&p, end, &read) || !read_exponent(p, end, &read)
        || read.exponent < -FIVES_MAX || read.exponent > FIVES_MAX) {
        return false;
    }
    double size = read.digits == 0 ? 0 : to_double(read);
    *value = is_negative ? -size : size;
    return true;
}

#else

bool
fb_json_real(span text, double *value)
{
    (void)text, (void)value;
    return false;
}

#endif
