/* The shapes of asymmetric keys and certificates in DER. */
#include "jose/jose.h"

typedef struct {
    const unsigned char *p, *end;
} der;

/* Reads one element whose length is in definite, shortest form (X.690 10.1);
 * false when it does not fit. */
static bool
der_next(der *outer, unsigned char *tag, der *inner)
{
    const unsigned char *p = outer->p;
    if (outer->end - p < 2) {
        return false;
    }
    *tag = *p++;
    size_t len = *p++;
    if (len >= 0x80) {
        size_t count = len & 0x7f;
        if (count == 0 || count > 4 || (size_t)(outer->end - p) < count
            || p[0] == 0) {
            return false;
        }
        for (len = 0; count > 0; count--) {
            len = len << 8 | *p++;
        }
        if (len < 0x80) {
            return false;
        }
    }
    if ((size_t)(outer->end - p) < len) {
        return false;
    }
    *inner = (der){p, p + len};
    outer->p = p + len;
    return true;
}

#define INTEGER 0x02
#define BITS 0x03
#define OCTETS 0x04
#define OID 0x06
#define SEQUENCE 0x30
#define FIELDS_MAX 9

/* What the elements inside the outer SEQUENCE of a key are, in order. */
static const unsigned char key_shapes[][FIELDS_MAX + 1] = {
    {SEQUENCE, BITS},           /* SubjectPublicKeyInfo, RFC 5280 4.1.2.7 */
    {SEQUENCE, SEQUENCE, BITS}, /* Certificate, RFC 5280 4.1 */
    {INTEGER, INTEGER},         /* RSAPublicKey, RFC 8017 A.1.1 */
    {INTEGER, INTEGER, INTEGER, INTEGER, INTEGER, INTEGER, INTEGER, INTEGER,
     INTEGER},                         /* RSAPrivateKey, RFC 8017 A.1.2 */
    {INTEGER, SEQUENCE, OCTETS},       /* PKCS#8, RFC 5208 5 */
    {INTEGER, SEQUENCE, OCTETS, 0xa0}, /* ... with attributes */
    {INTEGER, SEQUENCE, OCTETS, 0x81}, /* ... and RFC 5958 2 */
    {INTEGER, SEQUENCE, OCTETS, 0xa0, 0x81},
    {SEQUENCE, OCTETS}, /* encrypted PKCS#8, RFC 5208 6 */
    {INTEGER, OCTETS},  /* ECPrivateKey, RFC 5915 3 */
    {INTEGER, OCTETS, 0xa0},
    {INTEGER, OCTETS, 0xa1},
    {INTEGER, OCTETS, 0xa0, 0xa1},
    {INTEGER, INTEGER, INTEGER, INTEGER, INTEGER, INTEGER}, /* DSA */
};

/* An element of a key is never empty, and a sequence is whole inside. */
static bool
is_sound_field(unsigned char tag, der field)
{
    unsigned char inner_tag;
    der inner;
    if (field.p == field.end) {
        return false;
    }
    if (tag != SEQUENCE) {
        return true;
    }
    while (field.p < field.end) {
        if (!der_next(&field, &inner_tag, &inner)) {
            return false;
        }
    }
    return true;
}

/* Files end with a line's end, and begin with anything. */
static der
skip_space(der from)
{
    while (from.p < from.end
           && (*from.p == ' ' || (*from.p >= '\t' && *from.p <= '\r'))) {
        from.p++;
    }
    return from;
}

/* Whether the whole value is one SEQUENCE of one of the key shapes. */
bool
fb_secret_is_der(span secret)
{
    const unsigned char *bytes = (const unsigned char *)secret.p;
    der whole = skip_space((der){bytes, bytes + secret.len}), key, field;
    unsigned char tag, tags[FIELDS_MAX + 1] = {0};
    size_t count = 0;
    if (!der_next(&whole, &tag, &key) || tag != SEQUENCE) {
        return false;
    }
    whole = skip_space(whole);
    if (whole.p != whole.end) {
        return false;
    }
    while (key.p < key.end) {
        if (count == FIELDS_MAX || !der_next(&key, &tag, &field)
            || !is_sound_field(tag, field)) {
            return false;
        }
        tags[count++] = tag;
    }
    for (size_t i = 0; i < sizeof key_shapes / sizeof key_shapes[0]; i++) {
        if (memcmp(tags, key_shapes[i], sizeof tags) == 0) {
            return true;
        }
    }
    return false;
}
