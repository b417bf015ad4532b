/*
 * Whether a key is refused as unreadable where one allocation of libcrypto
 * fails: it has to be read, or to be refused for another reason.
 *
 * It prints each kind of key of which that was said, and fails if there is
 * one.
 */
#include "jose/jose.h"

#include <stdio.h>
#include <stdlib.h>

#include <openssl/crypto.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#define DER_MAX 4096
#define TRIES_MAX 20000

/* --- the allocation that fails ------------------------------------------- */

static long wanted, seen; /* counted from 1; none fails for 0 */

static bool
fails(void)
{
    return ++seen == wanted;
}

static void *
take(size_t size, const char *file, int line)
{
    (void)file, (void)line;
    return fails() ? NULL : malloc(size);
}

static void *
retake(void *p, size_t size, const char *file, int line)
{
    (void)file, (void)line;
    return fails() ? NULL : realloc(p, size);
}

static void
give(void *p, const char *file, int line)
{
    (void)file, (void)line;
    free(p);
}

/* --- forms --------------------------------------------------------------- */

static int
as_pkcs8(const EVP_PKEY *evp, unsigned char **out)
{
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(evp);
    int len = i2d_PKCS8_PRIV_KEY_INFO(info, out);
    PKCS8_PRIV_KEY_INFO_free(info);
    return len;
}

static const struct {
    const char *alg, *label;
    int (*form)(const EVP_PKEY *evp, unsigned char **out);
} samples[] = {
    {"RS256", "PRIVATE KEY", as_pkcs8},
    {"RS256", "RSA PRIVATE KEY", i2d_PrivateKey},
    {"RS256", "PUBLIC KEY", i2d_PUBKEY},
    {"ES256", "PRIVATE KEY", as_pkcs8},
    {"ES256", "EC PRIVATE KEY", i2d_PrivateKey},
    {"ES256", "PUBLIC KEY", i2d_PUBKEY},
    {"Ed25519", "PRIVATE KEY", as_pkcs8},
    {"Ed25519", "PUBLIC KEY", i2d_PUBKEY},
};

/* What a reading says whose n-th allocation fails, if it has so many. */
static status
read_key(span pem, long n)
{
    EVP_PKEY *evp = NULL;
    seen = 0;
    wanted = n;
    status result = fb_pkey_from_pem(pem, (span){"", 0}, &evp);
    wanted = 0;
    EVP_PKEY_free(evp);
    return result;
}

/* How many tries ended in the wrong answer. */
static int
count(span pem)
{
    int wrong = 0;
    long n = 0;
    do {
        wrong += read_key(pem, ++n) == STATUS_KEY_UNREADABLE;
    } while (seen >= n && n < TRIES_MAX);
    return wrong;
}

/* The same of a new key, or -1 if it cannot even be read undisturbed, which
 * also fetches what it needs. */
static int
check(size_t i)
{
    unsigned char der[DER_MAX], *end = der;
    const char *name = samples[i].alg;
    EVP_PKEY *evp = NULL;
    char *text = NULL;
    if (fb_pkey_generate(fb_alg_find(name, strlen(name)), &evp) != STATUS_OK) {
        return -1;
    }
    BIO *bio = BIO_new(BIO_s_mem());
    (void)PEM_write_bio(bio, samples[i].label, "", der,
                        samples[i].form(evp, &end));
    EVP_PKEY_free(evp);
    size_t len = (size_t)BIO_get_mem_data(bio, &text);
    span pem = {text, len};
    int wrong = read_key(pem, 0) == STATUS_OK ? count(pem) : -1;
    BIO_free(bio);
    return wrong;
}

int
main(void)
{
    int failed = 0;
    if (!CRYPTO_set_mem_functions(take, retake, give)) {
        return 2;
    }
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        int wrong = check(i);
        if (wrong != 0) {
            printf("%s, %s: %d\n", samples[i].alg, samples[i].label, wrong);
            failed = 1;
        }
    }
    return failed;
}
