/*
 * Content encryption: what is sealed is what RFC 7518 5 says, computed here
 * with libcrypto's ciphers and HMAC; it opens, and not with a bit changed.
 * Bytes: the algorithm, the length of the additional data, the place of the
 * bit, 64 of the key, 16 of the IV; then the data and the text.
 */
#include "fuzz.h"

#include <openssl/err.h>
#include <openssl/hmac.h>

#define TEXT_MAX 2048

typedef struct {
    const aead *with;
    unsigned char *key, *iv, *tag;
    span aad, text;
} sealing;

static const struct {
    const char *name, *cipher, *mac; /* libcrypto's names; none for GCM */
} algorithms[] = {
    {"A128CBC-HS256", "AES-128-CBC", "SHA256"},
    {"A192CBC-HS384", "AES-192-CBC", "SHA384"},
    {"A256CBC-HS512", "AES-256-CBC", "SHA512"},
    {"A128GCM", "AES-128-GCM", NULL},
    {"A192GCM", "AES-192-GCM", NULL},
    {"A256GCM", "AES-256-GCM", NULL},
};
#define ALGORITHMS (sizeof algorithms / sizeof *algorithms)

/* --- the same, after the RFC --------------------------------------------- */

/* RFC 7518 5.2.2.1, step 5: the MAC over A || IV || E || AL. */
static void
second_mac(const sealing *of, const char *digest, span cipher,
           unsigned char *mac)
{
    size_t len = of->aad.len + 16 + cipher.len + 8, at = 0;
    unsigned char *whole = exact_room(len);
    unsigned size = 0;
    for (size_t i = 0; i < of->aad.len; i++) {
        whole[at++] = (unsigned char)of->aad.p[i];
    }
    for (size_t i = 0; i < 16; i++) {
        whole[at++] = of->iv[i];
    }
    for (size_t i = 0; i < cipher.len; i++) {
        whole[at++] = (unsigned char)cipher.p[i];
    }
    for (int shift = 56; shift >= 0; shift -= 8) {
        whole[at++] = (unsigned char)((uint64_t)of->aad.len * 8 >> shift);
    }
    MUST(HMAC(EVP_get_digestbyname(digest), of->key, (int)of->with->key / 2,
              whole, len, mac, &size)
         != NULL);
    MUST(size == 2 * of->with->tag);
    free(whole);
}

/* Writes the ciphertext and the tag. */
static size_t
second_seal(const sealing *of, size_t row, unsigned char *out,
            unsigned char *tag)
{
    bool is_gcm = algorithms[row].mac == NULL;
    const unsigned char *key = of->key + (is_gcm ? 0 : of->with->key / 2);
    int len = 0, last = 0;
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, algorithms[row].cipher, NULL);
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    MUST(EVP_EncryptInit_ex2(ctx, cipher, key, of->iv, NULL) == 1);
    if (is_gcm) {
        MUST(EVP_EncryptUpdate(ctx, NULL, &len,
                               (const unsigned char *)of->aad.p,
                               (int)of->aad.len)
             == 1);
    }
    MUST(EVP_EncryptUpdate(ctx, out, &len, (const unsigned char *)of->text.p,
                           (int)of->text.len)
         == 1);
    MUST(EVP_EncryptFinal_ex(ctx, out + len, &last) == 1);
    len += last;
    if (is_gcm) {
        MUST(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, 16, tag) == 1);
    } else {
        unsigned char mac[64];
        second_mac(of, algorithms[row].mac, (span){(char *)out, (size_t)len},
                   mac);
        memcpy(tag, mac, of->with->tag);
    }
    EVP_CIPHER_CTX_free(ctx);
    EVP_CIPHER_free(cipher);
    return (size_t)len;
}

/* --- opening ------------------------------------------------------------- */

static status
open_it(const sealing *of, span sealed, unsigned char *out, size_t *len)
{
    *len = 1;
    status result = fb_aead_open(of->with, all_digests(), of->key, of->iv,
                                 of->aad, sealed, of->tag, out, len);
    MUST(ERR_peek_error() == 0);
    if (of->with->mac >= 0) { /* the same with its MAC prepared */
        hmac_key mac;
        size_t again = 1;
        unsigned char *other = exact_room(sealed.len + AEAD_BLOCK);
        MUST(fb_aead_mac_init(&mac, of->with, all_digests(), of->key)
             == STATUS_OK);
        MUST(fb_aead_open_cbc(of->with, &mac, of->key, of->iv, of->aad, sealed,
                              of->tag, other, &again)
             == result);
        MUST(again == *len);
        MUST(result != STATUS_OK || again == 0
             || memcmp(other, out, again) == 0);
        fb_hmac_key_clear(&mac);
        free(other);
    }
    return result;
}

/* Changes a bit of one part. The MAC does not cover the half of a CBC key that
 * encrypts. */
static void
alter(const sealing *of, span sealed, uint8_t place)
{
    size_t key = of->with->mac < 0 ? of->with->key : of->with->key / 2;
    const span parts[] = {{(char *)of->tag, of->with->tag},
                          {(char *)of->iv, of->with->iv},
                          {(char *)of->key, key},
                          of->aad,
                          sealed};
    const span *part = &parts[place % 5];
    part = part->len > 0 ? part : &parts[0];
    ((char *)part->p)[place / 8 % part->len] ^= (char)(1 << place % 8);
}

static void
check_sealed(const sealing *of, size_t row, uint8_t place)
{
    size_t room = of->text.len + AEAD_BLOCK, len = 0, opened;
    unsigned char *made = exact_room(room), *expected = exact_room(room);
    unsigned char tag[AEAD_TAG_MAX];
    MUST(fb_aead_seal(of->with, all_digests(), of->key, of->iv, of->aad,
                      of->text, made, &len, of->tag)
         == STATUS_OK);
    MUST(len <= room);
    size_t size = second_seal(of, row, expected, tag);
    MUST(is_same((span){(char *)made, len}, (span){(char *)expected, size}));
    MUST(memcmp(tag, of->tag, of->with->tag) == 0);
    const span sealed = {exact_copy(made, len), len};
    unsigned char *out = exact_room(len + AEAD_BLOCK);
    MUST(open_it(of, sealed, out, &opened) == STATUS_OK);
    MUST(is_same((span){(char *)out, opened}, of->text));
    alter(of, sealed, place);
    MUST(open_it(of, sealed, out, &opened) == STATUS_SIGNATURE_WRONG);
    MUST(opened == 0);
    free(out);
    span_free(sealed);
    free(expected);
    free(made);
}

static void
check_foreign(const sealing *of)
{
    unsigned char *out = exact_room(of->text.len + AEAD_BLOCK);
    size_t len;
    MUST(open_it(of, of->text, out, &len) == STATUS_SIGNATURE_WRONG);
    MUST(len == 0);
    free(out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    intake from = {data, size};
    size_t row = intake_byte(&from) % ALGORITHMS;
    size_t aad = intake_byte(&from);
    uint8_t place = intake_byte(&from);
    const char *name = algorithms[row].name;
    sealing of = {.with = fb_aead_find(name, strlen(name))};
    MUST(of.with != NULL && of.with->tag <= AEAD_TAG_MAX);
    of.key = intake_block(&from, of.with->key);
    of.iv = intake_block(&from, of.with->iv);
    of.aad = intake_span(&from, aad);
    of.text = intake_span(&from, TEXT_MAX);
    of.tag = exact_room(of.with->tag);
    memset(of.tag, place, of.with->tag);
    check_foreign(&of);
    check_sealed(&of, row, place);
    free(of.tag);
    span_free(of.text);
    span_free(of.aad);
    free(of.iv);
    free(of.key);
    return 0;
}
