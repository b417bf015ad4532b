/*
 * Whether verifying does the work of the hash once, whatever the password is:
 * also one of which no hash was ever made. The linker puts the functions below,
 * which count themselves, in the place of what computes.
 *
 * It prints each hash and password for which the work is another, and fails if
 * there is one.
 */
#include "password/kdf.h"
#include "password/password.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "password/blowfish/blowfish.h"

static unsigned computed;

status __real_fb_argon2_compute(const argon2_engine *engine,
                                const argon2_params *params, span password,
                                void *blocks, unsigned threads,
                                unsigned char *tag);
status
__wrap_fb_argon2_compute(const argon2_engine *engine,
                         const argon2_params *params, span password,
                         void *blocks, unsigned threads, unsigned char *tag)
{
    computed++;
    return __real_fb_argon2_compute(engine, params, password, blocks, threads,
                                    tag);
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
    computed++;
    return __real_EVP_PBE_scrypt(pass, pass_len, salt, salt_len, n, r, p,
                                 memory, key, key_len);
}

bool __real_fb_sodium_scrypt(span password, span salt, uint64_t n, uint32_t r,
                             uint32_t p, unsigned char *key, size_t size);
bool
__wrap_fb_sodium_scrypt(span password, span salt, uint64_t n, uint32_t r,
                        uint32_t p, unsigned char *key, size_t size)
{
    computed++;
    return __real_fb_sodium_scrypt(password, salt, n, r, p, key, size);
}

bool __real_fb_pbkdf2_sha256(const kdf *with, const digests *all,
                             span password, size_t size, unsigned char *key);
bool
__wrap_fb_pbkdf2_sha256(const kdf *with, const digests *all, span password,
                        size_t size, unsigned char *key)
{
    computed++;
    return __real_fb_pbkdf2_sha256(with, all, password, size, key);
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
    computed++;
    return __real_PKCS5_PBKDF2_HMAC(pass, pass_len, salt, salt_len, rounds,
                                    digest, key_len, key);
}

void __real_fb_blowfish_setup(blowfish *state, unsigned cost,
                              const blowfish_key *key,
                              const blowfish_salt *salt);
void
__wrap_fb_blowfish_setup(blowfish *state, unsigned cost,
                         const blowfish_key *key, const blowfish_salt *salt)
{
    computed++;
    __real_fb_blowfish_setup(state, cost, key, salt);
}

#define COUNTED(name)                                                         \
    status __real_##name(const format *row, const old_hash *with,             \
                         span password, unsigned char *digest);               \
    status __wrap_##name(const format *row, const old_hash *with,             \
                         span password, unsigned char *digest)                \
    {                                                                         \
        computed++;                                                           \
        return __real_##name(row, with, password, digest);                    \
    }

COUNTED(fb_sha_crypt_compute)
COUNTED(fb_md5_crypt_compute)
COUNTED(fb_phpass_compute)
COUNTED(fb_salted_salt_last)

#define BCRYPT "abcdefghijklmnopqrstuu..............................."
#define SHA256 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define SHA1 "AAAAAAAAAAAAAAAAAAAAAAAAAAA"

static const char *const samples[] = {
    "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$" SHA256,
    "argon2$argon2i$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$" SHA256,
    "$2b$04$" BCRYPT,
    "$2x$04$" BCRYPT,
    "$2$04$" BCRYPT,
    "bcrypt$$2b$04$" BCRYPT,
    "bcrypt_sha256$$2b$04$" BCRYPT,
    "$bcrypt-sha256$v=2,t=2b,r=4$abcdefghijklmnopqrstuu"
    "$...............................",
    "$scrypt$ln=4,r=8,p=1$c2FsdA$" SHA256,
    "$pbkdf2$9$c2FsdA$" SHA1,
    "$pbkdf2-sha256$9$c2FsdA$" SHA256,
    "pbkdf2_sha1$9$salt$" SHA1 "=",
    "$5$rounds=1000$salt$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA.",
    "$6$rounds=1000$salt$" SHA256
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA.",
    "$1$salt$AAAAAAAAAAAAAAAAAAAAA.",
    "$apr1$salt$AAAAAAAAAAAAAAAAAAAAA.",
    "$P$5saltsaltAAAAAAAAAAAAAAAAAAAAA.",
    "{SSHA}AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==",
    "{CRYPT}$1$salt$AAAAAAAAAAAAAAAAAAAAA.",
    "{bcrypt}$2a$04$" BCRYPT,
    "$wp$2y$04$" BCRYPT,
    "{PBKDF2-SHA256}9$c2FsdA$" SHA256,
    "AHNhbHRzYWx0c2FsdHNhbHT+hLF7wd7hi0oZG44kZFNaPTTNUya7lmRCzE1D2h6opw==",
    "AQAAAAIAAAAyAAAAEOMwvh3+FZxqkdMBz2ekgGhwQ4B6pZWND6zgESBuWiHw",
    "$fbscrypt$v=1,n=4,r=8,p=1,ss=Bw==,sk=c2lnbmVyIGtleSBzaWduZXI=$c2FsdA==$"
    "AAAAAAAAAAAAAAAAAAAAAAA=",
};

static char long_one[4096];
static const span passwords[] = {
    {"wrong", 5},
    {"", 0},
    {"\0", 1},
    {"a\0b", 3},
    {"ab\0", 3},
    {"\xff", 1},
    {long_one, sizeof long_one},
};

static int
failures_of(const hash_means *means, const char *text)
{
    int failures = 0;
    for (size_t i = 0; i < sizeof passwords / sizeof *passwords; i++) {
        bool matches;
        computed = 0;
        status result =
            fb_format_verify(means, passwords[i], (span){text, strlen(text)},
                             1, true, &matches);
        if (result != STATUS_OK || matches || computed != 1) {
            printf("%s, password %u: status %d, computed %u times\n", text,
                   (unsigned)i, (int)result, computed);
            failures++;
        }
    }
    return failures;
}

int
main(void)
{
    static arenas kept;
    hash_means means = {fb_argon2_engine_find(NULL), &kept, false, false,
                        NULL};
    int failures = 0;
    memset(long_one, 'x', sizeof long_one);
    digests all;
    if (!fb_digest_fetch_all(&all, false)) {
        return 2;
    }
    for (int other = 0; other < 2; other++) {
        means.by_sodium = other == 1 && fb_sodium_has_scrypt();
        means.digests = other == 1 ? &all : NULL;
        for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
            failures += failures_of(&means, samples[i]);
        }
    }
    fb_digest_free_all(&all);
    return failures == 0 ? 0 : 1;
}
