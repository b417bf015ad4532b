/*
 * Numbers in decimal digits. Of a real number, the fewest digits that are read
 * back as that number, by the Schubfach of R. Giulietti: one multiplication
 * with a power of ten for the number, and one for each end of what is rounded
 * to it.
 */
#include "json/json.h"

/* --- integers ------------------------------------------------------------ */

char *
fb_json_digits(char *end, uint64_t value)
{
    static const char pairs[] =
        "00010203040506070809101112131415161718192021222324"
        "25262728293031323334353637383940414243444546474849"
        "50515253545556575859606162636465666768697071727374"
        "75767778798081828384858687888990919293949596979899";
    while (value >= 100) {
        end -= 2;
        memcpy(end, pairs + value % 100 * 2, 2);
        value /= 100;
    }
    if (value >= 10) {
        end -= 2;
        memcpy(end, pairs + value * 2, 2);
    } else {
        *--end = (char)('0' + value);
    }
    return end;
}

/* --- the digits of a real number ----------------------------------------- */

#define FRACTION_BITS 52
#define EXPONENT_BIAS 1075 /* of the fraction, taken as an integer */
#define EXPONENT_MAX 0x7ff

typedef struct {
    uint64_t digits;
    int exponent; /* of ten */
} decimal;

#ifdef __SIZEOF_INT128__
typedef unsigned __int128 wide;

/* floor(log10(2^q)), floor(log10(3/4 * 2^q)) and floor(log2(10^e)), for all
 * exponents of a double. */
static int
log10_of_2(int q)
{
    return (q * 1262611) >> 22;
}

static int
log10_of_3_4(int q)
{
    return (q * 1262611 - 524031) >> 22;
}

static int
log2_of_10(int e)
{
    return (e * 1741647) >> 19;
}

/* The product's integral part, its last bit set if there is a fraction. The
 * power is at most one of its last bits too large, and so is the fraction. */
static uint64_t
scaled(const uint64_t *power, uint64_t value)
{
    wide product =
        (wide)power[0] * value + (uint64_t)((wide)power[1] * value >> 64);
    return (uint64_t)(product >> 64) | ((uint64_t)product > 1);
}

/* Which of two neighbours lies within what is rounded to the number: below is
 * `low`, above `low + 1`, in units of a quarter; 0 or 1, or -1 for both or
 * neither. */
static int
only_one(uint64_t low, uint64_t step, uint64_t first, uint64_t last)
{
    bool below = first <= low, above = low + step <= last;
    return below == above ? -1 : above;
}

/* Of fraction * 2^q; where that is even, the ends round to it, too. */
static decimal
shortest(uint64_t fraction, int q, bool is_lower_nearer)
{
    const int k = is_lower_nearer ? log10_of_3_4(q) : log10_of_2(q);
    const int shift = q + log2_of_10(-k) + 1;
    const uint64_t *power = fb_json_powers[-k - JSON_POWER_FIRST];
    const uint64_t odd = fraction & 1, four = fraction * 4;
    const uint64_t value = scaled(power, four << shift);
    const uint64_t first =
        scaled(power, (four - 2 + is_lower_nearer) << shift) + odd;
    const uint64_t last = scaled(power, (four + 2) << shift) - odd;
    const uint64_t whole = value / 4, tens = whole / 10;
    int up = whole < 10 ? -1 : only_one(tens * 40, 40, first, last);
    if (up >= 0) {
        return (decimal){tens + (uint64_t)up, k + 1};
    }
    up = only_one(whole * 4, 4, first, last);
    if (up < 0) { /* both are: the nearer one, or else the even one */
        const uint64_t middle = whole * 4 + 2;
        up = value > middle || (value == middle && (whole & 1) != 0);
    }
    return (decimal){whole + (uint64_t)up, k};
}

static bool
digits_of(uint64_t bits, decimal *found)
{
    const uint64_t low = bits & (((uint64_t)1 << FRACTION_BITS) - 1);
    const int exponent = (int)(bits >> FRACTION_BITS) & EXPONENT_MAX;
    const int q = exponent - EXPONENT_BIAS;
    const uint64_t fraction = low | (uint64_t)1 << FRACTION_BITS;
    const int k = log10_of_2(q);
    if (exponent == 0 || -k < JSON_POWER_FIRST
        || -k + 1 >= JSON_POWER_FIRST + JSON_POWERS) {
        return false;
    }
    if (q <= 0 && q > -FRACTION_BITS
        && (fraction & (((uint64_t)1 << -q) - 1)) == 0) {
        *found = (decimal){fraction >> -q, 0};
        return true;
    }
    *found = shortest(fraction, q, low == 0);
    while (found->digits % 10 == 0) {
        found->digits /= 10;
        found->exponent++;
    }
    return true;
}
#else
static bool
digits_of(uint64_t bits, decimal *found)
{
    (void)bits, (void)found;
    return false;
}
#endif

/* --- how they are written ------------------------------------------------ */

#define POINT_MIN (-3) /* where the point may stand, as repr() has it */
#define POINT_MAX 16

static char *
put_zeros(char *out, int count)
{
    memset(out, '0', (size_t)count);
    return out + count;
}

static char *
put_exponent(char *out, int exponent)
{
    char digits[4], *end = digits + sizeof digits;
    char *first =
        fb_json_digits(end, (uint64_t)(exponent < 0 ? -exponent : exponent));
    *out++ = 'e';
    *out++ = exponent < 0 ? '-' : '+';
    if (end - first < 2) {
        *out++ = '0';
    }
    memcpy(out, first, (size_t)(end - first));
    return out + (end - first);
}

/* Copies `len` digits with a point after the first `point` of them. */
static char *
put_pointed(char *out, const char *digits, int len, int point)
{
    memcpy(out, digits, (size_t)point);
    out[point] = '.';
    memcpy(out + point + 1, digits + point, (size_t)(len - point));
    return out + len + 1;
}

static char *
put_decimal(char *out, decimal number)
{
    char buffer[20], *end = buffer + sizeof buffer;
    const char *digits = fb_json_digits(end, number.digits);
    const int len = (int)(end - digits), point = len + number.exponent;
    if (point < POINT_MIN || point > POINT_MAX) {
        char *tail = len == 1 ? (*out = *digits, out + 1)
                              : put_pointed(out, digits, len, 1);
        return put_exponent(tail, point - 1);
    }
    if (point <= 0) {
        memcpy(out, "0.", 2);
        out = put_zeros(out + 2, -point);
        memcpy(out, digits, (size_t)len);
        return out + len;
    }
    if (point < len) {
        return put_pointed(out, digits, len, point);
    }
    memcpy(out, digits, (size_t)len);
    out = put_zeros(out + len, point - len);
    memcpy(out, ".0", 2);
    return out + 2;
}

size_t
fb_json_real_digits(char *out, double value)
{
    uint64_t bits;
    decimal number;
    memcpy(&bits, &value, sizeof bits);
    if (!digits_of(bits, &number)) {
        return 0;
    }
    char *start = out;
    if (bits >> 63 != 0) {
        *out++ = '-';
    }
    return (size_t)(put_decimal(out, number) - start);
}
