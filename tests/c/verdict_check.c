/*
 * Whether a computation that reports success and writes nothing can make a
 * wrong password, or a wrong session token, right. The linker puts the empty
 * functions below in the place of what computes:
 *
 *   make build/check/verdict_check && build/check/verdict_check [hash...]
 *
 * It prints each hash that was accepted, and fails if there is one.
 */
#include "better_auth/session.h"
#include "password/blowfish/blowfish.h"
#include "password/kdf.h"
#include "password/password.h"

#include <stdio.h>
#include <stdlib.h>

#include "hash_samples.h"

status
__wrap_fb_argon2_compute(const argon2_engine *engine,
                         const argon2_params *params, span password,
                         void *blocks, unsigned threads, unsigned char *tag)
{
    (void)engine, (void)params, (void)password;
    (void)blocks, (void)threads, (void)tag;
    return STATUS_OK;
}

int
__wrap_EVP_PBE_scrypt(const char *pass, size_t pass_len,
                      const unsigned char *salt, size_t salt_len, uint64_t n,
                      uint64_t r, uint64_t p, uint64_t memory,
                      unsigned char *key, size_t key_len)
{
    (void)pass, (void)pass_len, (void)salt, (void)salt_len, (void)n;
    (void)r, (void)p, (void)memory, (void)key, (void)key_len;
    return 1;
}

bool
__wrap_fb_sodium_scrypt(span password, span salt, uint64_t n, uint32_t r,
                        uint32_t p, unsigned char *key, size_t size)
{
    (void)password, (void)salt, (void)n, (void)r, (void)p;
    (void)key, (void)size;
    return true;
}

bool
__wrap_fb_pbkdf2_sha256(const kdf *with, const digests *all, span password,
                        size_t size, unsigned char *key)
{
    (void)with, (void)all, (void)password, (void)size, (void)key;
    return true;
}

int
__wrap_PKCS5_PBKDF2_HMAC(const char *pass, int pass_len,
                         const unsigned char *salt, int salt_len, int rounds,
                         const EVP_MD *digest, int key_len, unsigned char *key)
{
    (void)pass, (void)pass_len, (void)salt, (void)salt_len, (void)rounds;
    (void)digest, (void)key_len, (void)key;
    return 1;
}

void
__wrap_fb_blowfish_encrypt(const blowfish *state, uint32_t *left,
                           uint32_t *right)
{
    (void)state, (void)left, (void)right;
}

int
__wrap_EVP_DigestFinal_ex(EVP_MD_CTX *context, unsigned char *digest,
                          unsigned *len)
{
    (void)context, (void)digest, (void)len;
    return 1;
}

unsigned char *
__wrap_HMAC(const EVP_MD *md, const void *secret, int secret_len,
            const unsigned char *text, size_t len, unsigned char *mac,
            unsigned *mac_len)
{
    (void)md, (void)secret, (void)secret_len, (void)text, (void)len;
    (void)mac_len;
    return mac;
}

int
__wrap_EVP_EncryptUpdate(EVP_CIPHER_CTX *context, unsigned char *out, int *len,
                         const unsigned char *in, int in_len)
{
    (void)context, (void)out, (void)in;
    *len = in_len;
    return 1;
}

status
__wrap_fb_hmac_sign(const hmac_key *key, const void *message, size_t len,
                    unsigned char *mac)
{
    (void)key, (void)message, (void)len, (void)mac;
    return STATUS_OK;
}

static bool
accepts(const hash_means *means, const char *text)
{
    bool matches = false;
    span hash = {text, strlen(text)}, password = {"wrong", 5};
    status result = fb_format_verify(means, password, hash, 1, true, &matches);
    if (result != STATUS_OK) {
        printf("REFUSED %d: %s\n", (int)result, text);
        exit(2);
    }
    if (matches) {
        printf("accepted: %s\n", text);
    }
    return matches;
}

/* A token whose signature is base64 of 32 bytes of 0xff, as good as any. */
static bool
accepts_token(void)
{
    digests all;
    session_secret secret;
    char token[SESSION_TOKEN];
    char value[SESSION_SIGNED + 1] = "abcdefghijklmnopqrstuvwxyz012345."
                                     "//////////////////////////////////"
                                     "////////8=";
    if (!fb_digest_fetch_all(&all, false)
        || fb_session_secret_init(&secret, &all, (span){"secret", 6})
               != STATUS_OK) {
        exit(3);
    }
    status result =
        fb_session_token_read(&secret, (span){value, SESSION_SIGNED}, token);
    fb_session_secret_clear(&secret);
    fb_digest_free_all(&all);
    if (result != STATUS_OK && result != STATUS_SIGNATURE_WRONG) {
        exit(4);
    }
    return result == STATUS_OK;
}

int
main(int count, char **hashes)
{
    static arenas kept;
    hash_means ours = {fb_argon2_engine_find(NULL), &kept, false, false, NULL};
    int accepted = accepts_token() ? 1 : 0;
    digests all;
    if (!fb_digest_fetch_all(&all, false)) {
        return 2;
    }
    for (int other = 0; other < 2; other++) {
        ours.by_sodium = other == 1;
        ours.digests = other == 1 ? &all : NULL;
        for (size_t i = 0; i < HASH_SAMPLES; i++) {
            accepted += accepts(&ours, hash_samples[i]);
        }
        for (int i = 1; i < count; i++) {
            accepted += accepts(&ours, hashes[i]);
        }
    }
    fb_digest_free_all(&all);
    return accepted == 0 ? 0 : 1;
}
