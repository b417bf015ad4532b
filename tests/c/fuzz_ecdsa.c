/*
 * ECDSA's two forms, against libcrypto's reader and writer. The first byte
 * chooses the curve's length; the rest is a signature in either form.
 */
#include "fuzz.h"
#include "jose/jose.h"

#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>

static ECDSA_SIG *
signature_of(span raw)
{
    const unsigned char *p = (const unsigned char *)raw.p;
    int half = (int)(raw.len / 2);
    ECDSA_SIG *signature = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(p, half, NULL), *s = BN_bin2bn(p + half, half, NULL);
    MUST(signature != NULL && ECDSA_SIG_set0(signature, r, s) == 1);
    return signature;
}

/* False for numbers that are longer than half of the raw form. */
static bool
raw_of(const ECDSA_SIG *signature, unsigned char *raw, size_t len)
{
    const BIGNUM *r, *s;
    int half = (int)(len / 2);
    ECDSA_SIG_get0(signature, &r, &s);
    return BN_bn2binpad(r, raw, half) == half
           && BN_bn2binpad(s, raw + half, half) == half;
}

static void
check_raw(span raw)
{
    const unsigned char *bytes = (const unsigned char *)raw.p;
    unsigned char *der = exact_room(ECDSA_DER_MAX), *expected = NULL;
    unsigned char *again = exact_room(raw.len);
    const BIGNUM *r, *s;
    ECDSA_SIG *signature = signature_of(raw);
    ECDSA_SIG_get0(signature, &r, &s);
    bool is_good = !BN_is_zero(r) && !BN_is_zero(s);
    size_t len = fb_ecdsa_to_der(bytes, raw.len, der);
    MUST(len <= ECDSA_DER_MAX && (len > 0) == is_good);
    if (is_good) {
        int written = i2d_ECDSA_SIG(signature, &expected);
        MUST(written > 0);
        MUST(is_same((span){(char *)der, len},
                     (span){(char *)expected, (size_t)written}));
        char *copy = exact_copy(der, len);
        MUST(fb_ecdsa_from_der((unsigned char *)copy, len, again, raw.len));
        MUST(memcmp(again, bytes, raw.len) == 0);
        free(copy);
        OPENSSL_free(expected);
    }
    ECDSA_SIG_free(signature);
    free(again);
    free(der);
}

/* What libcrypto would write itself is read, and as the same numbers. */
static void
check_der(span der, size_t len)
{
    const unsigned char *bytes = (const unsigned char *)der.p, *p = bytes;
    unsigned char *raw = exact_room(len), *expected = exact_room(len);
    unsigned char *again = NULL;
    bool is_read = fb_ecdsa_from_der(bytes, der.len, raw, len);
    ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &p, (long)der.len);
    bool is_whole = signature != NULL && p == bytes + der.len;
    int written = is_whole ? i2d_ECDSA_SIG(signature, &again) : 0;
    bool is_its_own =
        written > 0 && is_same((span){(char *)again, (size_t)written}, der);
    if (is_its_own) {
        bool fits = raw_of(signature, expected, len);
        MUST(is_read == fits);
        MUST(!fits || memcmp(raw, expected, len) == 0);
    }
    ECDSA_SIG_free(signature);
    OPENSSL_free(again);
    ERR_clear_error();
    free(expected);
    free(raw);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const size_t lengths[] = {64, 96, 132};
    intake from = {data, size};
    size_t len = lengths[intake_byte(&from) % 3];
    if (from.len > 2 * ECDSA_DER_MAX) {
        return 0;
    }
    intake rest = from;
    const span der = intake_span(&rest, rest.len);
    check_der(der, len);
    span_free(der);
    if (from.len >= len) {
        const span raw = intake_span(&from, len);
        check_raw(raw);
        span_free(raw);
    }
    return 0;
}
