/*
 * What of a private key is in the memory that is given back while it is read.
 * libcrypto takes its memory here, and each block is searched before it goes:
 * for the start of each private number, in either byte order, and for a piece
 * of each line of PEM. First a block that has one is given back, which must be
 * seen.
 *
 * It prints each reading that leaves something, and fails if there is one.
 */
#include "jose/jose.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

/* --- memory that is searched --------------------------------------------- */

#define NEEDLE 12 /* bytes */
#define NEEDLES_MAX 96

typedef union {
    size_t size;
    max_align_t alignment;
} block;

static unsigned char needles[NEEDLES_MAX][NEEDLE];
static size_t needle_count;
static int found;

static void
search(const unsigned char *p, size_t len)
{
    for (size_t i = 0; i < needle_count; i++) {
        for (size_t at = 0; at + NEEDLE <= len; at++) {
            if (memcmp(p + at, needles[i], NEEDLE) == 0) {
                found++;
                break;
            }
        }
    }
}

/* Empty, or it might have what others have left there. */
static void *
take(size_t size, const char *file, int line)
{
    block *made = calloc(1, sizeof *made + size);
    (void)file, (void)line;
    if (made == NULL) {
        return NULL;
    }
    made->size = size;
    return made + 1;
}

static void
give(void *p, const char *file, int line)
{
    block *old = p == NULL ? NULL : (block *)p - 1;
    (void)file, (void)line;
    if (old != NULL) {
        search(p, old->size);
        free(old);
    }
}

/* A block always moves, as it may anywhere. */
static void *
retake(void *p, size_t size, const char *file, int line)
{
    void *made = take(size, file, line);
    if (made != NULL && p != NULL) {
        size_t old = ((block *)p - 1)->size;
        memcpy(made, p, old < size ? old : size);
        give(p, file, line);
    }
    return made;
}

/* --- what is looked for -------------------------------------------------- */

/* Not its first bytes, where an allocator might write. */
static void
look_for(const unsigned char *bytes, size_t len)
{
    if (len >= 2 * NEEDLE && needle_count + 2 <= NEEDLES_MAX) {
        unsigned char *there = needles[needle_count++];
        unsigned char *back = needles[needle_count++];
        memcpy(there, bytes + 8, NEEDLE);
        for (size_t i = 0; i < NEEDLE; i++) {
            back[i] = bytes[len - 9 - i];
        }
    }
}

/* The private numbers by libcrypto's names; a key has some of them. */
static void
look_for_numbers(EVP_PKEY *evp)
{
    static const char *const names[] = {
        OSSL_PKEY_PARAM_PRIV_KEY,        OSSL_PKEY_PARAM_RSA_D,
        OSSL_PKEY_PARAM_RSA_FACTOR1,     OSSL_PKEY_PARAM_RSA_FACTOR2,
        OSSL_PKEY_PARAM_RSA_EXPONENT1,   OSSL_PKEY_PARAM_RSA_EXPONENT2,
        OSSL_PKEY_PARAM_RSA_COEFFICIENT1};
    unsigned char bytes[SIGNATURE_MAX];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        BIGNUM *number = NULL;
        size_t len = 0;
        if (EVP_PKEY_get_bn_param(evp, names[i], &number)) {
            len = (size_t)BN_bn2bin(number, bytes);
        } else {
            (void)EVP_PKEY_get_octet_string_param(evp, names[i], bytes,
                                                  sizeof bytes, &len);
        }
        look_for(bytes, len);
        BN_clear_free(number);
    }
}

/* The base64 of PEM says the numbers as well. */
static void
look_for_lines(span pem)
{
    const char *at = pem.p, *end = pem.p + pem.len, *stop;
    while ((stop = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        if (*at != '-') {
            look_for((const unsigned char *)at, (size_t)(stop - at));
        }
        at = stop + 1;
    }
}

/* --- forms --------------------------------------------------------------- */

#define FORM_MAX 8192

static const span password = {"password", 8};

static span
written(unsigned char *out, int len)
{
    return (span){(const char *)out, len > 0 ? (size_t)len : 0};
}

static span
as_pkcs8(EVP_PKEY *evp, unsigned char *out)
{
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(evp);
    unsigned char *end = out;
    int len = i2d_PKCS8_PRIV_KEY_INFO(info, &end);
    PKCS8_PRIV_KEY_INFO_free(info);
    return written(out, len);
}

static span
as_sealed(EVP_PKEY *evp, unsigned char *out)
{
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(evp);
    X509_SIG *sealed = PKCS8_encrypt(-1, EVP_aes_128_cbc(), password.p,
                                     (int)password.len, NULL, 0, 10, info);
    unsigned char *end = out;
    int len = i2d_X509_SIG(sealed, &end);
    X509_SIG_free(sealed);
    PKCS8_PRIV_KEY_INFO_free(info);
    return written(out, len);
}

static span
as_older(EVP_PKEY *evp, unsigned char *out)
{
    unsigned char *end = out;
    return written(out, i2d_PrivateKey(evp, &end));
}

/* SEC 1 without the point, which has to be computed. */
static span
as_pointless(EVP_PKEY *evp, unsigned char *out)
{
    (void)EVP_PKEY_set_int_param(evp, OSSL_PKEY_PARAM_EC_INCLUDE_PUBLIC, 0);
    return as_older(evp, out);
}

/* The last byte is a private number's, or its point's: of another key. */
static span
as_forged(EVP_PKEY *evp, unsigned char *out)
{
    span text = as_pkcs8(evp, out);
    out[text.len - 1] ^= 2;
    return text;
}

static span
as_trailing(EVP_PKEY *evp, unsigned char *out)
{
    span text = as_older(evp, out);
    out[text.len] = 0;
    return (span){text.p, text.len + 1};
}

/* --- readings ------------------------------------------------------------ */

typedef struct {
    const char *type, *group, *what;
    size_t bits; /* of RSA */
    span (*form)(EVP_PKEY *evp, unsigned char *out);
    const char *label;
    bool is_taken;
} sample;

#define PKCS8 as_pkcs8, "PRIVATE KEY"
#define SEALED as_sealed, "ENCRYPTED PRIVATE KEY"

static const sample samples[] = {
    {"RSA", NULL, "PKCS#8", 2048, PKCS8, true},
    {"RSA", NULL, "sealed", 2048, SEALED, true},
    {"RSA", NULL, "PKCS#1", 2048, as_older, "RSA PRIVATE KEY", true},
    {"RSA", NULL, "forged", 2048, as_forged, "PRIVATE KEY", false},
    {"RSA", NULL, "trailing", 2048, as_trailing, "RSA PRIVATE KEY", false},
    {"RSA", NULL, "short PKCS#8", 1024, PKCS8, false},
    {"RSA", NULL, "short PKCS#1", 1024, as_older, "RSA PRIVATE KEY", false},
    {"RSA-PSS", NULL, "PKCS#8", 2048, PKCS8, true},
    {"EC", "prime256v1", "PKCS#8", 0, PKCS8, true},
    {"EC", "prime256v1", "sealed", 0, SEALED, true},
    {"EC", "prime256v1", "SEC 1", 0, as_older, "EC PRIVATE KEY", true},
    {"EC", "prime256v1", "no point", 0, as_pointless, "EC PRIVATE KEY", true},
    {"EC", "prime256v1", "forged", 0, as_forged, "PRIVATE KEY", false},
    {"EC", "prime256v1", "trailing", 0, as_trailing, "EC PRIVATE KEY", false},
    {"EC", "secp384r1", "PKCS#8", 0, PKCS8, true},
    {"EC", "secp521r1", "PKCS#8", 0, PKCS8, true},
    {"EC", "secp521r1", "sealed", 0, SEALED, true},
    {"EC", "secp521r1", "SEC 1", 0, as_older, "EC PRIVATE KEY", true},
    {"EC", "secp521r1", "no point", 0, as_pointless, "EC PRIVATE KEY", true},
    {"EC", "secp256k1", "PKCS#8", 0, PKCS8, true},
    {"EC", "secp256k1", "no point", 0, as_pointless, "EC PRIVATE KEY", true},
    {"EC", "secp224r1", "another curve", 0, PKCS8, false},
    {"ED25519", NULL, "PKCS#8", 0, PKCS8, true},
    {"ED25519", NULL, "sealed", 0, SEALED, true},
    {"ED448", NULL, "PKCS#8", 0, PKCS8, true},
    {"ED448", NULL, "sealed", 0, SEALED, true},
};

static EVP_PKEY *
generate(const sample *of)
{
    EVP_PKEY *evp = NULL;
    size_t bits = of->bits;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_end(),
        OSSL_PARAM_construct_end(),
    };
    if (of->group != NULL) {
        params[0] = OSSL_PARAM_construct_utf8_string(
            OSSL_PKEY_PARAM_GROUP_NAME, (char *)of->group, 0);
    } else if (bits != 0) {
        params[0] =
            OSSL_PARAM_construct_size_t(OSSL_PKEY_PARAM_RSA_BITS, &bits);
    }
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, of->type, NULL);
    (void)(EVP_PKEY_keygen_init(ctx) && EVP_PKEY_CTX_set_params(ctx, params)
           && EVP_PKEY_generate(ctx, &evp));
    EVP_PKEY_CTX_free(ctx);
    return evp;
}

static const char *
name_of(const sample *of)
{
    return of->group != NULL ? of->group : of->type;
}

/* Whether it is a key; nothing is done with it. */
static bool
read_key(span text, bool is_pem, const digests *all)
{
    EVP_PKEY *evp = NULL;
    pkey key;
    status result = is_pem ? fb_pkey_from_pem(text, password, &evp)
                           : fb_pkey_from_der(text, password, &evp);
    if (result == STATUS_OK) {
        result = fb_pkey_make(&key, evp, NULL, all);
    }
    if (result == STATUS_OK) {
        fb_pkey_clear(&key);
    }
    return result == STATUS_OK;
}

/* How often something was left by a reading that went as it should. */
static bool
passes(const sample *of, span text, bool is_pem, const digests *all)
{
    found = 0;
    bool is_taken = read_key(text, is_pem, all);
    int left = found;
    if (is_taken != of->is_taken || left > 0) {
        printf("%s, %s, %s: %s, left %d times\n", name_of(of), of->what,
               is_pem ? "PEM" : "DER", is_taken ? "taken" : "refused", left);
    }
    return is_taken == of->is_taken && left == 0;
}

static bool
check(const sample *of, const digests *all)
{
    unsigned char der[FORM_MAX];
    EVP_PKEY *evp = generate(of);
    needle_count = 0;
    span text = of->form(evp, der);
    look_for_numbers(evp);
    EVP_PKEY_free(evp);
    if (needle_count == 0 || text.len == 0) {
        printf("%s, %s: cannot be made\n", name_of(of), of->what);
        return false;
    }
    BIO *bio = BIO_new(BIO_s_mem());
    (void)PEM_write_bio(bio, of->label, "", der, (long)text.len);
    char *pem = NULL;
    size_t len = (size_t)BIO_get_mem_data(bio, &pem);
    bool is_der_clean = passes(of, text, false, all);
    look_for_lines((span){pem, len});
    bool is_pem_clean = passes(of, (span){pem, len}, true, all);
    BIO_free(bio);
    return is_der_clean && is_pem_clean;
}

/* What is given back with a number in it has to be seen. */
static bool
sees(void)
{
    unsigned char number[2 * NEEDLE];
    for (size_t i = 0; i < sizeof number; i++) {
        number[i] = (unsigned char)(i + 1);
    }
    needle_count = 0;
    look_for(number, sizeof number);
    found = 0;
    OPENSSL_free(OPENSSL_memdup(number, sizeof number));
    return found > 0;
}

int
main(void)
{
    digests all = {.by_value = false};
    if (!CRYPTO_set_mem_functions(take, retake, give)
        || !fb_digest_fetch_all(&all, false) || !sees()) {
        printf("cannot begin\n");
        return 2;
    }
    int failed = 0;
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        failed |= !check(&samples[i], &all);
    }
    fb_digest_free_all(&all);
    return failed;
}
