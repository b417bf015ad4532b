/* Blowfish (Schneier 1993), and the key schedule of bcrypt (Provos and
 * Mazieres 1999, 3.1), which is all that its cost is made of. */
#include "password/password.h"

#include "password/blowfish/blowfish.h"

static inline uint32_t
mix(const blowfish *state, uint32_t x)
{
    return ((state->s[x >> 24] + state->s[256 + (x >> 16 & 0xff)])
            ^ state->s[512 + (x >> 8 & 0xff)])
           + state->s[768 + (x & 0xff)];
}

/* The chain from one mix to the next is what takes the time: the subkey is
 * added beside it, and compilers must not move it back. */
#ifdef __GNUC__
#define KEEP(x) __asm__("" : "+r"(x))
#else
#define KEEP(x) (void)(x)
#endif

static inline uint32_t
round_of(const blowfish *state, size_t n, uint32_t to, uint32_t from)
{
    to ^= state->p[n];
    KEEP(to);
    return to ^ mix(state, from);
}

/* Two rounds, so that left and right need no exchange. */
#define ROUNDS(n)                                                             \
    right = round_of(state, n, right, left);                                  \
    left = round_of(state, (n) + 1, left, right)

typedef struct {
    uint32_t left, right;
} pair;

static inline pair
encrypt(const blowfish *state, pair block)
{
    uint32_t left = block.left ^ state->p[0];
    uint32_t right = block.right;
    ROUNDS(1);
    ROUNDS(3);
    ROUNDS(5);
    ROUNDS(7);
    ROUNDS(9);
    ROUNDS(11);
    ROUNDS(13);
    ROUNDS(15);
    return (pair){right ^ state->p[17], left};
}

void
fb_blowfish_encrypt(const blowfish *state, uint32_t *left, uint32_t *right)
{
    pair block = encrypt(state, (pair){*left, *right});
    *left = block.left;
    *right = block.right;
}

static void
mix_key(blowfish *state, const uint32_t *words, size_t count)
{
    for (size_t i = 0; i < BLOWFISH_SUBKEYS; i++) {
        state->p[i] ^= words[i % count];
    }
}

/* Every subkey and box entry becomes what encrypting goes on to, with a half
 * of the salt before each encryption. */
static void
expand_salted(blowfish *state, const blowfish_salt *salt)
{
    pair block = {0, 0};
    uint32_t *const parts[] = {state->p, state->s};
    const size_t counts[] = {BLOWFISH_SUBKEYS, BLOWFISH_BOXES};
    size_t half = 0;
    for (size_t part = 0; part < 2; part++) {
        for (size_t i = 0; i < counts[part]; i += 2, half ^= 2) {
            block.left ^= salt->words[half];
            block.right ^= salt->words[half + 1];
            block = encrypt(state, block);
            parts[part][i] = block.left;
            parts[part][i + 1] = block.right;
        }
    }
}

/* The same without a salt: nearly all the time is spent here. */
static void
expand(blowfish *state)
{
    pair block = {0, 0};
    for (size_t i = 0; i < BLOWFISH_SUBKEYS; i += 2) {
        block = encrypt(state, block);
        state->p[i] = block.left;
        state->p[i + 1] = block.right;
    }
    for (size_t i = 0; i < BLOWFISH_BOXES; i += 2) {
        block = encrypt(state, block);
        state->s[i] = block.left;
        state->s[i + 1] = block.right;
    }
}

void
fb_blowfish_setup(blowfish *state, unsigned cost, const blowfish_key *key,
                  const blowfish_salt *salt)
{
    *state = fb_blowfish_pi;
    state->p[0] ^= key->first;
    mix_key(state, key->words, BLOWFISH_SUBKEYS);
    expand_salted(state, salt);
    for (uint64_t round = (uint64_t)1 << cost; round > 0; round--) {
        mix_key(state, key->words, BLOWFISH_SUBKEYS);
        expand(state);
        mix_key(state, salt->words, 4);
        expand(state);
    }
}
