/* SHA-2 by value: no allocation, no shared counter, so a third faster than an
 * EVP_MD_CTX for messages of a token's size. The only file that calls
 * functions which OpenSSL 3.0 deprecates. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "crypto/crypto.h"

#include <string.h>

/* --- SHA-384 and SHA-512: libcrypto's states ----------------------------- */

bool
fb_sha2_init(sha512 *state, digest_id digest)
{
    return digest == DIGEST_SHA384 ? SHA384_Init(state) == 1
                                   : SHA512_Init(state) == 1;
}

bool
fb_sha2_update(sha512 *state, const void *bytes, size_t len)
{
    return SHA512_Update(state, bytes, len) == 1;
}

/* SHA512_Final gives as many bytes as SHA384_Init asked for. */
bool
fb_sha2_final(sha512 *state, unsigned char *out)
{
    return SHA512_Final(out, state) == 1;
}

/* --- SHA-256: its padding written here, libcrypto's rounds --------------- */

#define BLOCK SHA256_CBLOCK
#define LENGTH 8 /* bytes at the end of the last block (FIPS 180-4 5.1.1) */

typedef uint32_t four_words __attribute__((vector_size(16)));

static four_words
big_endian(four_words words)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    return words;
#else
    const four_words odd = {0xff00ff, 0xff00ff, 0xff00ff, 0xff00ff};
    words = words << 16 | words >> 16;
    return (words & odd) << 8 | ((words >> 8) & odd);
#endif
}

/* A digest in two halves: the next block is loaded by 16 bytes, which narrower
 * stores would hold up. */
static void
turn(const void *from, void *to)
{
    for (size_t at = 0; at < SHA256_DIGEST_LENGTH; at += sizeof(four_words)) {
        four_words half;
        memcpy(&half, (const char *)from + at, sizeof half);
        half = big_endian(half);
        memcpy((char *)to + at, &half, sizeof half);
    }
}

void
fb_sha2_get(const unsigned char *bytes, uint32_t *words)
{
    turn(bytes, words);
}

void
fb_sha2_put(const uint32_t *words, unsigned char *bytes)
{
    turn(words, bytes);
}

static void
put_length(size_t bytes, unsigned char *end)
{
    uint64_t bits = (uint64_t)bytes * 8;
    for (int i = 0; i < LENGTH; i++) {
        end[i - LENGTH] = (unsigned char)(bits >> (56 - 8 * i));
    }
}

/* What a compiler does not leave out, and a call of OPENSSL_cleanse need not
 * do. */
static void
forget(void *bytes, size_t len)
{
    memset(bytes, 0, len);
    __asm__ volatile("" : : "r"(bytes) : "memory");
}

/* The rest of a message of which `before` bytes have been taken. */
static void
take_all(SHA256_CTX *state, size_t before, span rest)
{
    const unsigned char *p = (const unsigned char *)rest.p;
    unsigned char last[2 * BLOCK] __attribute__((aligned(16))) = {0};
    size_t left = rest.len % BLOCK;
    const unsigned char *end = p + (rest.len - left);
    for (; p != end; p += BLOCK) {
        SHA256_Transform(state, p);
    }
    if (left > 0) {
        memcpy(last, p, left);
    }
    last[left] = 0x80;
    size_t padded = left < BLOCK - LENGTH ? BLOCK : 2 * BLOCK;
    put_length(before + rest.len, last + padded);
    for (size_t at = 0; at < padded; at += BLOCK) {
        SHA256_Transform(state, last + at);
    }
    forget(last, padded);
}

/* The state after the one block that a digest fills with its padding. */
static void
take_digest(SHA256_CTX *state, const uint32_t *words)
{
    unsigned char block[BLOCK]
        __attribute__((aligned(16))) = {[SHA256_DIGEST_LENGTH] = 0x80};
    turn(words, block);
    put_length(BLOCK + SHA256_DIGEST_LENGTH, block + BLOCK);
    SHA256_Transform(state, block);
    forget(block, SHA256_DIGEST_LENGTH);
}

static void
begin(SHA256_CTX *state, const uint32_t *words)
{
    memcpy(state->h, words, SHA256_DIGEST_LENGTH);
}

bool
fb_sha2_prepare(sha256_mac *key, const unsigned char *inner,
                const unsigned char *outer)
{
    SHA256_CTX state;
    const struct {
        const unsigned char *block;
        uint32_t *words;
    } both[] = {{inner, key->inner}, {outer, key->outer}};
    for (int i = 0; i < 2; i++) {
        if (SHA256_Init(&state) != 1) {
            return false;
        }
        SHA256_Transform(&state, both[i].block);
        memcpy(both[i].words, state.h, SHA256_DIGEST_LENGTH);
    }
    forget(&state, sizeof state);
    return true;
}

void
fb_sha2_mac(const sha256_mac *key, span message, unsigned char *mac)
{
    SHA256_CTX state;
    uint32_t digest[SHA256_DIGEST_LENGTH / 4];
    begin(&state, key->inner);
    take_all(&state, BLOCK, message);
    memcpy(digest, state.h, sizeof digest);
    begin(&state, key->outer);
    take_digest(&state, digest);
    turn(state.h, mac);
}

void
fb_sha2_mac_again(const sha256_mac *key, uint32_t *words)
{
    SHA256_CTX state;
    begin(&state, key->inner);
    take_digest(&state, words);
    memcpy(words, state.h, SHA256_DIGEST_LENGTH);
    begin(&state, key->outer);
    take_digest(&state, words);
    memcpy(words, state.h, SHA256_DIGEST_LENGTH);
}

/* --- whether they may be used -------------------------------------------- */

static bool
digest_512(digest_id digest, span message, unsigned char *out)
{
    sha512 state;
    return fb_sha2_init(&state, digest)
           && fb_sha2_update(&state, message.p, message.len)
           && fb_sha2_final(&state, out);
}

static bool
digest_256(span message, unsigned char *out)
{
    SHA256_CTX state;
    if (SHA256_Init(&state) != 1) {
        return false;
    }
    take_all(&state, 0, message);
    turn(state.h, out);
    return true;
}

bool
fb_sha2_agrees(digest_id digest, const EVP_MD *md)
{
    /* One block of padding, two, and whole blocks before it. */
    static const char text[BLOCK + BLOCK] = "fastbearer";
    static const size_t lengths[] = {11, BLOCK - LENGTH, sizeof text};
    unsigned char ours[EVP_MAX_MD_SIZE], theirs[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    bool agrees = true;
    for (size_t i = 0; agrees && i < sizeof lengths / sizeof *lengths; i++) {
        const span message = {text, lengths[i]};
        agrees = (digest == DIGEST_SHA256 ? digest_256(message, ours)
                                          : digest_512(digest, message, ours))
                 && EVP_Digest(text, message.len, theirs, &len, md, NULL) == 1
                 && memcmp(ours, theirs, len) == 0; /* public */
    }
    return agrees;
}
