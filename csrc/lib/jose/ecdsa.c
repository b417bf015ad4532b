/* ECDSA signatures: fixed-width r || s on the wire, DER in libcrypto. */
#include "jose/jose.h"

/* One INTEGER of a fixed-width number; returns its end, NULL for zero. */
static unsigned char *
put_integer(unsigned char *out, const unsigned char *number, size_t len)
{
    while (len > 0 && *number == 0) {
        number++;
        len--;
    }
    if (len == 0) {
        return NULL;
    }
    bool needs_sign = (*number & 0x80) != 0;
    *out++ = 0x02;
    *out++ = (unsigned char)(len + needs_sign);
    if (needs_sign) {
        *out++ = 0;
    }
    memcpy(out, number, len);
    return out + len;
}

size_t
fb_ecdsa_to_der(const unsigned char *raw, size_t len, unsigned char *der)
{
    unsigned char body[ECDSA_DER_MAX];
    unsigned char *end = put_integer(body, raw, len / 2);
    if (end != NULL) {
        end = put_integer(end, raw + len / 2, len / 2);
    }
    if (end == NULL) {
        return 0;
    }
    size_t body_len = (size_t)(end - body), head = 0;
    der[head++] = 0x30;
    if (body_len >= 0x80) {
        der[head++] = 0x81;
    }
    der[head++] = (unsigned char)body_len;
    memcpy(der + head, body, body_len);
    return head + body_len;
}

/* One INTEGER at *p, right-aligned in len bytes; libcrypto wrote it. */
static bool
take_integer(const unsigned char **p, const unsigned char *end,
             unsigned char *number, size_t len)
{
    if (end - *p < 2 || (*p)[0] != 0x02 || end - *p - 2 < (*p)[1]) {
        return false;
    }
    const unsigned char *from = *p + 2;
    size_t from_len = (*p)[1];
    *p = from + from_len;
    if (from_len > 0 && *from == 0) {
        from++;
        from_len--;
    }
    if (from_len > len) {
        return false;
    }
    memset(number, 0, len - from_len);
    memcpy(number + len - from_len, from, from_len);
    return true;
}

bool
fb_ecdsa_from_der(const unsigned char *der, size_t der_len, unsigned char *raw,
                  size_t len)
{
    const unsigned char *p = der, *end = der + der_len;
    if (der_len < 3 || *p++ != 0x30) {
        return false;
    }
    p += *p == 0x81 ? 2 : 1;
    return take_integer(&p, end, raw, len / 2)
           && take_integer(&p, end, raw + len / 2, len / 2) && p == end;
}
