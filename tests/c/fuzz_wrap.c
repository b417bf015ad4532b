/*
 * Key wrapping: AES against RFC 3394's own steps over single blocks, and
 * RSA-OAEP there and back. Bytes: which of them, the length of the key, the
 * place of a changed bit, 32 of the key; then what is wrapped, or unwrapped.
 */
#include "fuzz.h"

#include <openssl/err.h>

#define TEXT_MAX 512
#define RSA_TEST_BITS 1024 /* it is fast, and the room does not ask for more */

/* --- RFC 3394 2.2 -------------------------------------------------------- */

static void
block(EVP_CIPHER_CTX *ctx, unsigned char *both)
{
    unsigned char out[16];
    int len = 0;
    MUST(EVP_CipherUpdate(ctx, out, &len, both, 16) == 1 && len == 16);
    memcpy(both, out, 16);
}

static EVP_CIPHER_CTX *
blocks_of(span kek, bool encrypts)
{
    const EVP_CIPHER *cipher = kek.len == 16   ? EVP_aes_128_ecb()
                               : kek.len == 24 ? EVP_aes_192_ecb()
                                               : EVP_aes_256_ecb();
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    MUST(EVP_CipherInit_ex(ctx, cipher, NULL, (const unsigned char *)kek.p,
                           NULL, encrypts)
         == 1);
    EVP_CIPHER_CTX_set_padding(ctx, 0);
    return ctx;
}

/* The counter of a step, which is changed into the left half. */
static void
count(unsigned char *both, uint64_t step)
{
    for (int i = 7; i >= 0; i--, step >>= 8) {
        both[i] ^= (unsigned char)step;
    }
}

/* `all` is A || R[1] .. R[n]. */
static void
second_wrap(span kek, unsigned char *all, size_t n)
{
    EVP_CIPHER_CTX *ctx = blocks_of(kek, true);
    unsigned char both[16];
    memset(all, 0xa6, 8);
    for (uint64_t step = 1; step <= 6 * n; step++) {
        unsigned char *r = all + 8 + (step - 1) % n * 8;
        memcpy(both, all, 8);
        memcpy(both + 8, r, 8);
        block(ctx, both);
        count(both, step);
        memcpy(all, both, 8);
        memcpy(r, both + 8, 8);
    }
    EVP_CIPHER_CTX_free(ctx);
}

static bool
second_unwrap(span kek, unsigned char *all, size_t n)
{
    EVP_CIPHER_CTX *ctx = blocks_of(kek, false);
    unsigned char both[16];
    bool is_good = true;
    for (uint64_t step = 6 * n; step > 0; step--) {
        unsigned char *r = all + 8 + (step - 1) % n * 8;
        memcpy(both, all, 8);
        memcpy(both + 8, r, 8);
        count(both, step);
        block(ctx, both);
        memcpy(all, both, 8);
        memcpy(r, both + 8, 8);
    }
    for (int i = 0; i < 8; i++) {
        is_good = is_good && all[i] == 0xa6;
    }
    EVP_CIPHER_CTX_free(ctx);
    return is_good;
}

/* --- AES ----------------------------------------------------------------- */

static bool
is_a_kek(span kek)
{
    return kek.len == 16 || kek.len == 24 || kek.len == 32;
}

static void
check_unwrap(span kek, span wrapped)
{
    size_t room = wrapped.len < 8 ? 0 : wrapped.len - 8;
    unsigned char *out = exact_room(room);
    unsigned char *all = (unsigned char *)exact_copy(wrapped.p, wrapped.len);
    bool is_good = is_a_kek(kek) && wrapped.len % 8 == 0 && wrapped.len >= 24
                   && second_unwrap(kek, all, wrapped.len / 8 - 1);
    MUST(fb_key_unwrap_aes(kek, wrapped, out)
         == (is_good ? STATUS_OK : STATUS_SIGNATURE_WRONG));
    MUST(!is_good || memcmp(out, all + 8, room) == 0);
    free(all);
    free(out);
}

static void
check_aes(span kek, span text, uint8_t place)
{
    bool is_good = is_a_kek(kek) && text.len % 8 == 0 && text.len >= 16;
    unsigned char *out = exact_room(text.len + 8);
    MUST((fb_key_wrap_aes(kek, text, out) == STATUS_OK) == is_good);
    if (is_good) {
        unsigned char *all = exact_room(text.len + 8);
        memcpy(all + 8, text.p, text.len);
        second_wrap(kek, all, text.len / 8);
        MUST(memcmp(out, all, text.len + 8) == 0);
        check_unwrap(kek, (span){(char *)out, text.len + 8});
        out[place % (text.len + 8)] ^= (unsigned char)(1 << place % 8);
        check_unwrap(kek, (span){(char *)out, text.len + 8});
        free(all);
    }
    check_unwrap(kek, text);
    free(out);
}

/* --- RSA ----------------------------------------------------------------- */

static EVP_PKEY *
the_key(void)
{
    static EVP_PKEY *evp;
    if (evp == NULL) {
        evp = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)RSA_TEST_BITS);
        MUST(evp != NULL);
    }
    return evp;
}

static void
check_oaep(bool sha256, span text, uint8_t place)
{
    /* RFC 8017 7.1.1: what is longer than k - 2 hLen - 2 is refused */
    size_t size = RSA_TEST_BITS / 8, len = 0, again = 0;
    bool fits = text.len <= size - 2 * (sha256 ? 32 : 20) - 2;
    unsigned char *out = exact_room(RSA_BYTES_MAX);
    unsigned char *plain = exact_room(RSA_BYTES_MAX);
    MUST(fb_key_unwrap_oaep(the_key(), sha256, text, plain, &again)
         == STATUS_SIGNATURE_WRONG);
    status result = fb_key_wrap_oaep(the_key(), sha256, text, out, &len);
    MUST(result == (fits ? STATUS_OK : STATUS_CRYPTO_FAILED));
    if (fits) {
        MUST(len == size);
        char *wrapped = exact_copy(out, len);
        MUST(fb_key_unwrap_oaep(the_key(), sha256, (span){wrapped, len}, plain,
                                &again)
             == STATUS_OK);
        MUST(is_same((span){(char *)plain, again}, text));
        MUST(fb_key_unwrap_oaep(the_key(), !sha256, (span){wrapped, len},
                                plain, &again)
             == STATUS_SIGNATURE_WRONG);
        wrapped[place % len] ^= (char)(1 << place % 8);
        MUST(fb_key_unwrap_oaep(the_key(), sha256, (span){wrapped, len}, plain,
                                &again)
             == STATUS_SIGNATURE_WRONG);
        free(wrapped);
    }
    free(plain);
    free(out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const size_t keks[] = {16, 24, 32, 7, 0};
    intake from = {data, size};
    uint8_t which = intake_byte(&from);
    size_t len = keks[intake_byte(&from) % (sizeof keks / sizeof *keks)];
    uint8_t place = intake_byte(&from);
    if (which % 8 < 6) {
        unsigned char *kek = intake_block(&from, len);
        const span text = intake_span(&from, TEXT_MAX);
        check_aes((span){(char *)kek, len}, text, place);
        span_free(text);
        free(kek);
    } else {
        const span text = intake_span(&from, TEXT_MAX);
        check_oaep(which % 2 == 1, text, place);
        span_free(text);
    }
    MUST(ERR_peek_error() == 0);
    return 0;
}
