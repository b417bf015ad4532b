/* BLAKE2b (RFC 7693) and the long hash that Argon2 makes of it. */
#include "password/password.h"

#include <string.h>

#include <openssl/crypto.h>

#include "password/argon2/argon2_inner.h"

/* RFC 7693 2.6, 2.7 */
static const uint64_t iv[8] = {0x6a09e667f3bcc908, 0xbb67ae8584caa73b,
                               0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
                               0x510e527fade682d1, 0x9b05688c2b3e6c1f,
                               0x1f83d9abfb41bd6b, 0x5be0cd19137e2179};

static const unsigned char order[10][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
    {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
    {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
    {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
    {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
    {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
    {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
    {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
    {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
    {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0},
};

#define ROUNDS 12

static inline uint64_t
rotate(uint64_t word, int by)
{
    return word >> by | word << (64 - by);
}

static uint64_t
load(const unsigned char *bytes)
{
    uint64_t word = 0;
    for (int i = 7; i >= 0; i--) {
        word = word << 8 | bytes[i];
    }
    return word;
}

static void
store(uint64_t word, unsigned char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++, word >>= 8) {
        bytes[i] = (unsigned char)word;
    }
}

/* RFC 7693 3.1 */
static inline void
mix(uint64_t *v, int a, int b, int c, int d, uint64_t x, uint64_t y)
{
    v[a] += v[b] + x;
    v[d] = rotate(v[d] ^ v[a], 32);
    v[c] += v[d];
    v[b] = rotate(v[b] ^ v[c], 24);
    v[a] += v[b] + y;
    v[d] = rotate(v[d] ^ v[a], 16);
    v[c] += v[d];
    v[b] = rotate(v[b] ^ v[c], 63);
}

/* RFC 7693 3.2 */
static void
compress(blake2b *state, const unsigned char *block, bool is_last)
{
    uint64_t v[16], m[16] = {0};
    memcpy(v, state->chain, sizeof state->chain);
    memcpy(v + 8, iv, sizeof iv);
    for (int i = 0; i < 16; i++) {
        m[i] = load(block + 8 * i);
    }
    v[12] ^= state->count;
    v[14] ^= is_last ? UINT64_MAX : 0;
    for (int round = 0; round < ROUNDS; round++) {
        const unsigned char *s = order[round % 10];
        for (int i = 0; i < 4; i++) {
            mix(v, i, 4 + i, 8 + i, 12 + i, m[s[2 * i]], m[s[2 * i + 1]]);
        }
        for (int i = 0; i < 4; i++) {
            mix(v, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4,
                m[s[8 + 2 * i]], m[s[9 + 2 * i]]);
        }
    }
    for (int i = 0; i < 8; i++) {
        state->chain[i] ^= v[i] ^ v[8 + i];
    }
    OPENSSL_cleanse(v, sizeof v);
    OPENSSL_cleanse(m, sizeof m);
}

void
fb_blake2b_init(blake2b *state, size_t size)
{
    *state = (blake2b){.size = size};
    memcpy(state->chain, iv, sizeof iv);
    state->chain[0] ^= 0x01010000 ^ size; /* RFC 7693 2.5, without a key */
}

/* A full block waits until more comes: the last one is compressed
 * otherwise. */
void
fb_blake2b_update(blake2b *state, const void *bytes, size_t len)
{
    const unsigned char *p = bytes;
    while (len > 0) {
        if (state->used == BLAKE2B_BLOCK) {
            compress(state, state->block, false);
            state->used = 0;
        }
        size_t left = BLAKE2B_BLOCK - state->used;
        size_t some = len < left ? len : left;
        memcpy(state->block + state->used, p, some);
        state->used += some;
        state->count += some;
        p += some;
        len -= some;
    }
}

void
fb_blake2b_final(blake2b *state, unsigned char *out)
{
    memset(state->block + state->used, 0, BLAKE2B_BLOCK - state->used);
    compress(state, state->block, true);
    for (size_t at = 0; at < state->size; at += 8) {
        size_t left = state->size - at;
        store(state->chain[at / 8], out + at, left < 8 ? left : 8);
    }
    OPENSSL_cleanse(state, sizeof *state);
}

/* Every digest but the last gives its first half, and makes the next one. */
void
fb_blake2b_long(span message, unsigned char *out, size_t size)
{
    unsigned char digest[BLAKE2B_MAX], length[4];
    blake2b state;
    store(size, length, sizeof length);
    fb_blake2b_init(&state, size < BLAKE2B_MAX ? size : BLAKE2B_MAX);
    fb_blake2b_update(&state, length, sizeof length);
    fb_blake2b_update(&state, message.p, message.len);
    while (size > BLAKE2B_MAX) {
        fb_blake2b_final(&state, digest);
        memcpy(out, digest, BLAKE2B_MAX / 2);
        out += BLAKE2B_MAX / 2;
        size -= BLAKE2B_MAX / 2;
        fb_blake2b_init(&state, size < BLAKE2B_MAX ? size : BLAKE2B_MAX);
        fb_blake2b_update(&state, digest, sizeof digest);
    }
    fb_blake2b_final(&state, out);
    OPENSSL_cleanse(digest, sizeof digest);
}
