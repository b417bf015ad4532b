/* Argon2's compression G (RFC 9106 3.5, 3.6), and which code does it. */
#include "password/password.h"

#include "password/argon2/argon2_inner.h"

static inline uint64_t
rotate(uint64_t word, int by)
{
    return word >> by | word << (64 - by);
}

static inline uint64_t
add_mul(uint64_t x, uint64_t y)
{
    return x + y + 2 * (x & UINT32_MAX) * (y & UINT32_MAX);
}

/* RFC 9106 3.6: GB */
static inline void
mix(uint64_t *v, int a, int b, int c, int d)
{
    v[a] = add_mul(v[a], v[b]);
    v[d] = rotate(v[d] ^ v[a], 32);
    v[c] = add_mul(v[c], v[d]);
    v[b] = rotate(v[b] ^ v[c], 24);
    v[a] = add_mul(v[a], v[b]);
    v[d] = rotate(v[d] ^ v[a], 16);
    v[c] = add_mul(v[c], v[d]);
    v[b] = rotate(v[b] ^ v[c], 63);
}

/* P over eight pairs of words: two of them stand `near` each other, the next
 * two `far` after these. */
static inline void
permute(uint64_t *words, size_t near, size_t far)
{
    uint64_t v[16];
#pragma GCC unroll 8
    for (size_t i = 0; i < 8; i++) {
        v[2 * i] = words[i / 2 * far + i % 2 * near];
        v[2 * i + 1] = words[i / 2 * far + i % 2 * near + 1];
    }
    mix(v, 0, 4, 8, 12);
    mix(v, 1, 5, 9, 13);
    mix(v, 2, 6, 10, 14);
    mix(v, 3, 7, 11, 15);
    mix(v, 0, 5, 10, 15);
    mix(v, 1, 6, 11, 12);
    mix(v, 2, 7, 8, 13);
    mix(v, 3, 4, 9, 14);
#pragma GCC unroll 8
    for (size_t i = 0; i < 8; i++) {
        words[i / 2 * far + i % 2 * near] = v[2 * i];
        words[i / 2 * far + i % 2 * near + 1] = v[2 * i + 1];
    }
}

static void
fill_portable(const argon2_block *previous, const argon2_block *reference,
              argon2_block *to, bool add, argon2_next *next)
{
    argon2_block mixed;
    for (size_t i = 0; i < ARGON2_WORDS; i++) {
        uint64_t word = previous->words[i] ^ reference->words[i];
        mixed.words[i] = word;
        to->words[i] = add ? to->words[i] ^ word : word;
    }
    for (size_t i = 0; i < 8; i++) {
        permute(mixed.words + argon2_word(16 * i), 2, 8);
    }
    for (size_t i = 0; i < 8; i++) {
        permute(mixed.words + argon2_word(2 * i), 4, 32);
    }
    for (size_t i = 0; i < ARGON2_WORDS; i++) {
        to->words[i] ^= mixed.words[i];
    }
    if (next != NULL) {
        argon2_next_find(next, to->words[0]);
    }
}

static bool
is_supported(void)
{
    return true;
}

static const argon2_engine portable = {"portable", is_supported, fill_portable,
                                       NULL};

static bool
suits(const argon2_engine *engine, const char *name)
{
    return (name == NULL || strcmp(name, engine->name) == 0)
           && engine->is_supported();
}

const argon2_engine *
fb_argon2_engine_find(const char *name)
{
    for (const argon2_engine *wide = fb_argon2_wide; wide->name != NULL;
         wide++) {
        if (suits(wide, name)) {
            return wide;
        }
    }
    if (suits(&portable, name)) {
        return &portable;
    }
    const argon2_engine *library = fb_argon2_library();
    return library != NULL && suits(library, name) ? library : NULL;
}

const char *
fb_argon2_engine_name(const argon2_engine *engine)
{
    return engine->name;
}
