/*
 * Whether anything that is done with the digest of a password takes another
 * time, or touches other memory, for another digest: in every format, from the
 * end of the computation to the verdict. `make secrets` runs it under
 * valgrind; see secrets.h. The linker puts the functions below, which make a
 * secret of what they have computed, in the place of what computes.
 *
 * Not watched is the computation: bcrypt, scrypt, and Argon2 after its first
 * half pass look up memory by the password, as they are defined.
 */
#include "secrets.h"

#include "password/blowfish/blowfish.h"
#include "password/kdf.h"
#include "password/password.h"

#include "hash_samples.h"

static unsigned made_secret;

static void
hide(void *digest, size_t len)
{
    SECRET(digest, len);
    made_secret++;
}

status __real_fb_argon2_compute(const argon2_engine *engine,
                                const argon2_params *params, span password,
                                void *blocks, unsigned threads,
                                unsigned char *tag);
status
__wrap_fb_argon2_compute(const argon2_engine *engine,
                         const argon2_params *params, span password,
                         void *blocks, unsigned threads, unsigned char *tag)
{
    status result = __real_fb_argon2_compute(engine, params, password, blocks,
                                             threads, tag);
    hide(tag, params->size);
    return result;
}

int __real_EVP_PBE_scrypt(const char *pass, size_t pass_len,
                          const unsigned char *salt, size_t salt_len,
                          uint64_t n, uint64_t r, uint64_t p, uint64_t memory,
                          unsigned char *key, size_t key_len);
int
__wrap_EVP_PBE_scrypt(const char *pass, size_t pass_len,
                      const unsigned char *salt, size_t salt_len, uint64_t n,
                      uint64_t r, uint64_t p, uint64_t memory,
                      unsigned char *key, size_t key_len)
{
    int result = __real_EVP_PBE_scrypt(pass, pass_len, salt, salt_len, n, r, p,
                                       memory, key, key_len);
    hide(key, key_len);
    return result;
}

bool __real_fb_sodium_scrypt(span password, span salt, uint64_t n, uint32_t r,
                             uint32_t p, unsigned char *key, size_t size);
bool
__wrap_fb_sodium_scrypt(span password, span salt, uint64_t n, uint32_t r,
                        uint32_t p, unsigned char *key, size_t size)
{
    bool ok = __real_fb_sodium_scrypt(password, salt, n, r, p, key, size);
    hide(key, size);
    return ok;
}

bool __real_fb_pbkdf2_sha256(const kdf *with, const digests *all,
                             span password, size_t size, unsigned char *key);
bool
__wrap_fb_pbkdf2_sha256(const kdf *with, const digests *all, span password,
                        size_t size, unsigned char *key)
{
    bool ok = __real_fb_pbkdf2_sha256(with, all, password, size, key);
    hide(key, size);
    return ok;
}

int __real_PKCS5_PBKDF2_HMAC(const char *pass, int pass_len,
                             const unsigned char *salt, int salt_len,
                             int rounds, const EVP_MD *digest, int key_len,
                             unsigned char *key);
int
__wrap_PKCS5_PBKDF2_HMAC(const char *pass, int pass_len,
                         const unsigned char *salt, int salt_len, int rounds,
                         const EVP_MD *digest, int key_len, unsigned char *key)
{
    int result = __real_PKCS5_PBKDF2_HMAC(pass, pass_len, salt, salt_len,
                                          rounds, digest, key_len, key);
    hide(key, (size_t)key_len);
    return result;
}

/* bcrypt encrypts its three blocks 64 times each; the last three are it. */
#define BCRYPT_CALLS (64 * 3)

void __real_fb_blowfish_encrypt(const blowfish *state, uint32_t *left,
                                uint32_t *right);
void
__wrap_fb_blowfish_encrypt(const blowfish *state, uint32_t *left,
                           uint32_t *right)
{
    static unsigned calls;
    __real_fb_blowfish_encrypt(state, left, right);
    if (calls++ % BCRYPT_CALLS >= BCRYPT_CALLS - 3) {
        hide(left, sizeof *left);
        hide(right, sizeof *right);
    }
}

#define HIDDEN(name)                                                          \
    status __real_##name(const format *row, const old_hash *with,             \
                         span password, unsigned char *digest);               \
    status __wrap_##name(const format *row, const old_hash *with,             \
                         span password, unsigned char *digest)                \
    {                                                                         \
        status result = __real_##name(row, with, password, digest);           \
        hide(digest, row->key);                                               \
        return result;                                                        \
    }

HIDDEN(fb_sha_crypt_compute)
HIDDEN(fb_md5_crypt_compute)
HIDDEN(fb_phpass_compute)
HIDDEN(fb_salted_salt_last)
HIDDEN(fb_salted_salt_first)
HIDDEN(fb_salted_hmac)

static void
try_hash(const hash_means *means, const char *text)
{
    static const span passwords[] = {{"right", 5}, {"wrong", 5}};
    for (int i = 0; i < 2; i++) {
        bool matches = false;
        made_secret = 0;
        MUST(fb_format_verify(means, passwords[i], (span){text, strlen(text)},
                              1, true, &matches)
             == STATUS_OK);
        MUST(matches == (i == 0) && made_secret > 0);
    }
}

int
main(void)
{
    static arenas kept;
    hash_means means = {fb_argon2_engine_find(NULL), &kept, false, false,
                        NULL};
    int leaks = 0;
    digests all;
    MUST(fb_digest_fetch_all(&all, false));
    for (int other = 0; other < 2; other++) {
        means.by_sodium = other == 1 && fb_sodium_has_scrypt();
        means.digests = other == 1 ? &all : NULL;
        for (size_t i = 0; i < HASH_SAMPLES; i++) {
            unsigned before = SECRETS_SEEN;
            try_hash(&means, hash_samples[i]);
            leaks += secrets_leaked(before, hash_samples[i]);
        }
    }
    fb_digest_free_all(&all);
    return leaks == 0 ? 0 : 1;
}
