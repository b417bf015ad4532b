/* libsodium, where it is there: it verifies Ed25519 in half of libcrypto's
 * time, and computes scrypt in two thirds of it. It proves itself once, before
 * it is asked about anybody's token or password. */
#include "crypto/crypto.h"

#ifdef FASTBEARER_LIBSODIUM

#include <sodium.h>

const char *
fb_sodium_version(void)
{
    return sodium_version_string();
}

bool
fb_sodium_verify(const unsigned char *point, span message,
                 const unsigned char *signature)
{
    return crypto_sign_ed25519_verify_detached(
               signature, (const unsigned char *)message.p, message.len, point)
           == 0;
}

bool
fb_sodium_scrypt(span password, span salt, uint64_t n, uint32_t r, uint32_t p,
                 unsigned char *key, size_t size)
{
    return crypto_pwhash_scryptsalsa208sha256_ll(
               (const uint8_t *)password.p, password.len,
               (const uint8_t *)salt.p, salt.len, n, r, p, key, size)
           == 0;
}

/* sodium_init() looks which instructions the CPU has; it may be called again,
 * and by several threads. */
bool
fb_sodium_has_ed25519(void)
{
    static const span message = {"fastbearer", 10};
    static const unsigned char point[] = {
        0x03, 0xa1, 0x07, 0xbf, 0xf3, 0xce, 0x10, 0xbe, 0x1d, 0x70, 0xdd,
        0x18, 0xe7, 0x4b, 0xc0, 0x99, 0x67, 0xe4, 0xd6, 0x30, 0x9b, 0xa5,
        0x0d, 0x5f, 0x1d, 0xdc, 0x86, 0x64, 0x12, 0x55, 0x31, 0xb8};
    static const unsigned char right[] = {
        0x9d, 0x42, 0x28, 0x2b, 0x66, 0xf6, 0xd8, 0x8c, 0x3b, 0xa2, 0x5e,
        0x06, 0x35, 0x94, 0x43, 0xf4, 0xde, 0xce, 0x14, 0x03, 0xa9, 0x44,
        0xe5, 0xf3, 0x70, 0xd4, 0x95, 0x3c, 0x13, 0xc0, 0x38, 0xf1, 0xd9,
        0x00, 0x29, 0x3e, 0xd9, 0xfa, 0xc4, 0x5d, 0xe5, 0x52, 0x2a, 0x69,
        0x4d, 0x2e, 0xbf, 0x60, 0x3d, 0xae, 0xa2, 0x84, 0x04, 0x0f, 0xce,
        0x47, 0xe0, 0x2f, 0xd8, 0xc4, 0x01, 0xf2, 0xff, 0x0f};
    /* RFC 8032 5.1.7 leaves it open whether both sides are first multiplied by
     * the cofactor; who does that takes this one, whose R has a part of order
     * 8. libcrypto does not, and later libsodiums may. */
    static const unsigned char loose[] = {
        0x60, 0xe4, 0xa0, 0x9a, 0xa0, 0x45, 0xdb, 0x8e, 0xd7, 0x32, 0x17,
        0xef, 0x8d, 0x2f, 0x56, 0xbd, 0xe6, 0x9b, 0xf9, 0x62, 0x4d, 0x46,
        0xbd, 0xd3, 0x40, 0x7d, 0x4d, 0xe2, 0xae, 0x88, 0x71, 0xff, 0x8a,
        0xdc, 0x3c, 0x7a, 0x0e, 0xd9, 0x2a, 0x5c, 0xcf, 0x2f, 0x0d, 0x0b,
        0xd3, 0xa8, 0x97, 0xfc, 0x9a, 0x1a, 0x44, 0x61, 0xdb, 0x1f, 0x1e,
        0xb5, 0x30, 0x55, 0xc4, 0x61, 0x1a, 0x3d, 0x9f, 0x00};
    /* The right one with its order added to S, which one that was built for
     * older signatures takes. */
    static const unsigned char beyond[] = {
        0xc6, 0xd4, 0x1e, 0x9b, 0xf3, 0x5d, 0xd7, 0xb5, 0xbb, 0xef, 0x21,
        0x0c, 0x2c, 0x28, 0x9e, 0x75, 0x3d, 0xae, 0xa2, 0x84, 0x04, 0x0f,
        0xce, 0x47, 0xe0, 0x2f, 0xd8, 0xc4, 0x01, 0xf2, 0xff, 0x1f};
    unsigned char malleable[sizeof right];
    memcpy(malleable, right, sizeof right);
    memcpy(malleable + 32, beyond, sizeof beyond);
    return sodium_init() >= 0 && fb_sodium_verify(point, message, right)
           && !fb_sodium_verify(point, message, loose)
           && !fb_sodium_verify(point, message, malleable);
}

/* The first of RFC 7914 12 has r = p = 1, so that nothing is mixed between
 * blocks; this is libcrypto's answer to more of both. */
bool
fb_sodium_has_scrypt(void)
{
    static const span password = {"fastbearer", 10}, salt = {"salt", 4};
    static const unsigned char right[] = {
        0xdc, 0x5d, 0xca, 0xc8, 0x15, 0x1f, 0xa1, 0xb3, 0x80, 0xa4, 0x9c,
        0x48, 0x4a, 0xdf, 0x3f, 0xcd, 0x6e, 0xc1, 0xd8, 0x63, 0x90, 0xb6,
        0x76, 0x7d, 0x06, 0x70, 0x36, 0xee, 0x04, 0xe8, 0x13, 0x84};
    unsigned char key[sizeof right] = {0};
    return sodium_init() >= 0
           && fb_sodium_scrypt(password, salt, 16, 3, 2, key, sizeof key)
           && memcmp(key, right, sizeof right) == 0; /* public */
}

#else

const char *
fb_sodium_version(void)
{
    return NULL;
}

bool
fb_sodium_has_ed25519(void)
{
    return false;
}

bool
fb_sodium_has_scrypt(void)
{
    return false;
}

bool
fb_sodium_verify(const unsigned char *point, span message,
                 const unsigned char *signature)
{
    (void)point, (void)message, (void)signature;
    return false;
}

bool
fb_sodium_scrypt(span password, span salt, uint64_t n, uint32_t r, uint32_t p,
                 unsigned char *key, size_t size)
{
    (void)password, (void)salt, (void)n, (void)r, (void)p;
    (void)key, (void)size;
    return false;
}

#endif
