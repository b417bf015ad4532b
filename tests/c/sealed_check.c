/*
 * How often an encrypted key is opened for one text. The linker puts the
 * function below, which counts itself, in the place of libcrypto's.
 *
 * It prints each text that is opened another number of times, and fails if
 * there is one.
 */
#include "jose/jose.h"

#include <stdio.h>
#include <string.h>

#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

#define SEALED_MAX 1024

static int opened;

PKCS8_PRIV_KEY_INFO *__real_PKCS8_decrypt(const X509_SIG *sealed,
                                          const char *password, int len);
PKCS8_PRIV_KEY_INFO *
__wrap_PKCS8_decrypt(const X509_SIG *sealed, const char *password, int len)
{
    opened++;
    return __real_PKCS8_decrypt(sealed, password, len);
}

/* A key that the password "right" opens, and what else the DER shall hold. */
static size_t
seal(unsigned char *out, size_t trailing)
{
    EVP_PKEY *evp = NULL;
    if (fb_pkey_generate(fb_alg_find("ES256", 5), &evp) != STATUS_OK) {
        return 0;
    }
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(evp);
    X509_SIG *sealed =
        PKCS8_encrypt(-1, EVP_aes_128_cbc(), "right", 5, NULL, 0, 10, info);
    int len = i2d_X509_SIG(sealed, NULL);
    unsigned char *end = out;
    if (len <= 0 || (size_t)len + trailing > SEALED_MAX) {
        return 0;
    }
    (void)i2d_X509_SIG(sealed, &end);
    memset(end, 0, trailing);
    X509_SIG_free(sealed);
    PKCS8_PRIV_KEY_INFO_free(info);
    EVP_PKEY_free(evp);
    return (size_t)len + trailing;
}

typedef struct {
    const char *name, *password;
    int blocks;      /* of a PEM text; 0 is DER */
    size_t trailing; /* in the first block */
    int opened;
    status result;
} sample;

static const sample samples[] = {
    {"DER", "right", 0, 0, 1, STATUS_OK},
    {"DER and a byte", "right", 0, 1, 0, STATUS_KEY_UNREADABLE},
    {"DER, not opened", "wrong", 0, 0, 1, STATUS_KEY_PASSWORD},
    {"one block", "right", 1, 0, 1, STATUS_OK},
    {"a block and a byte", "right", 1, 1, 0, STATUS_KEY_UNREADABLE},
    {"16 blocks", "right", 16, 0, 1, STATUS_OK},
    {"16 blocks, not opened", "wrong", 16, 0, 1, STATUS_KEY_PASSWORD},
    {"16 blocks and a byte", "right", 16, 1, 0, STATUS_KEY_UNREADABLE},
};

static status
read(const sample *of, const unsigned char *der, size_t len, EVP_PKEY **out)
{
    span password = {of->password, strlen(of->password)};
    if (of->blocks == 0) {
        return fb_pkey_from_der((span){(const char *)der, len}, password, out);
    }
    BIO *bio = BIO_new(BIO_s_mem());
    for (int i = 0; i < of->blocks; i++) {
        size_t here = i == 0 ? len : len - of->trailing;
        (void)PEM_write_bio(bio, "ENCRYPTED PRIVATE KEY", "", der, (long)here);
    }
    char *text = NULL;
    long size = BIO_get_mem_data(bio, &text);
    status result =
        fb_pkey_from_pem((span){text, (size_t)size}, password, out);
    BIO_free(bio);
    return result;
}

int
main(void)
{
    int failed = 0;
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        const sample *of = &samples[i];
        unsigned char der[SEALED_MAX];
        EVP_PKEY *evp = NULL;
        size_t len = seal(der, of->trailing);
        opened = 0;
        status result = read(of, der, len, &evp);
        EVP_PKEY_free(evp);
        if (len == 0 || opened != of->opened || result != of->result) {
            printf("%s: opened %d times, status %d\n", of->name, opened,
                   (int)result);
            failed = 1;
        }
    }
    return failed;
}
