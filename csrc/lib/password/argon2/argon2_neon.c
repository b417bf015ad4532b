/* G of argon2_fill.c for ARM of 64 bits, all of which have NEON. */
#include "password/password.h"

#include "password/argon2/argon2_inner.h"

#ifdef ARGON2_NEON
#include <arm_neon.h>

/*
 * In the order of argon2_word, a row of tiles is sixteen pairs of words, which
 * fit into the registers: two P of 3.6, one in the first two pairs of each
 * tile and one in the others. A column of tiles is two P as well, one in the
 * even pairs and one in the odd ones.
 *
 * Here too a, c and d are moved between the halves of P, and not b.
 */

#define INLINE __attribute__((always_inline)) inline

typedef uint64x2_t pair;

INLINE static pair
add_mul(pair x, pair y)
{
    pair product = vmull_u32(vmovn_u64(x), vmovn_u64(y));
    return vaddq_u64(vaddq_u64(x, y), vaddq_u64(product, product));
}

INLINE static pair
shuffle(pair x, const uint8_t order[16])
{
    return vreinterpretq_u64_u8(
        vqtbl1q_u8(vreinterpretq_u8_u64(x), vld1q_u8(order)));
}

INLINE static pair
rotate(pair x, int by)
{
    static const uint8_t by_24[16] = {3,  4,  5,  6,  7,  0, 1, 2,
                                      11, 12, 13, 14, 15, 8, 9, 10};
    static const uint8_t by_16[16] = {2,  3,  4,  5,  6,  7,  0, 1,
                                      10, 11, 12, 13, 14, 15, 8, 9};
    switch (by) {
    case 32:
        return vreinterpretq_u64_u32(vrev64q_u32(vreinterpretq_u32_u64(x)));
    case 24:
        return shuffle(x, by_24);
    case 16:
        return shuffle(x, by_16);
    default: /* 63 */
        return vsriq_n_u64(vaddq_u64(x, x), x, 63);
    }
}

INLINE static void
step(pair *x, const pair *y, pair *z, int by)
{
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
        x[i] = add_mul(x[i], y[i]);
        z[i] = rotate(veorq_u64(z[i], x[i]), by);
    }
}

INLINE static void
mix(pair v[4][4])
{
    step(v[0], v[1], v[3], 32);
    step(v[2], v[3], v[1], 24);
    step(v[0], v[1], v[3], 16);
    step(v[2], v[3], v[1], 63);
}

/* One word up or down, in each P's four. */
INLINE static void
shift(pair x[4], bool down)
{
#pragma GCC unroll 2
    for (int i = 0; i < 4; i += 2) {
        pair inner = vextq_u64(x[i], x[i + 1], 1);
        pair outer = vextq_u64(x[i + 1], x[i], 1);
        x[i] = down ? outer : inner;
        x[i + 1] = down ? inner : outer;
    }
}

INLINE static void
swap(pair x[4])
{
#pragma GCC unroll 2
    for (int i = 0; i < 4; i += 2) {
        pair first = x[i];
        x[i] = x[i + 1];
        x[i + 1] = first;
    }
}

INLINE static void
permute(pair v[4][4])
{
    mix(v);
    shift(v[0], true);
    shift(v[2], false);
    swap(v[3]);
    mix(v);
    shift(v[0], false);
    shift(v[2], true);
    swap(v[3]);
}

INLINE static pair
both(const argon2_block *x, const argon2_block *y, int at)
{
    return veorq_u64(vld1q_u64(x->words + at), vld1q_u64(y->words + at));
}

/* The word at which pair i of the 16 of a column of tiles begins. */
INLINE static int
column_at(int column, int i)
{
    return i / 4 * 32 + column * 8 + i % 2 * 4 + i / 2 % 2 * 2;
}

void
fb_argon2_fill_neon(const argon2_block *previous,
                    const argon2_block *reference, argon2_block *to, bool add,
                    argon2_next *next)
{
    argon2_block rows;
    pair v[4][4];
    for (int row = 0; row < ARGON2_WORDS; row += 32) {
#pragma GCC unroll 16
        for (int i = 0; i < 16; i++) {
            v[i / 4][i % 4] = both(previous, reference, row + 2 * i);
        }
        permute(v);
#pragma GCC unroll 16
        for (int i = 0; i < 16; i++) {
            vst1q_u64(rows.words + row + 2 * i, v[i / 4][i % 4]);
        }
    }
    for (int column = 0; column < 4; column++) {
#pragma GCC unroll 16
        for (int i = 0; i < 16; i++) {
            v[i / 4][i % 4] = vld1q_u64(rows.words + column_at(column, i));
        }
        permute(v);
#pragma GCC unroll 16
        for (int i = 0; i < 16; i++) {
            int at = column_at(column, i);
            pair sum =
                veorq_u64(v[i / 4][i % 4], both(previous, reference, at));
            uint64_t *out = to->words + at;
            vst1q_u64(out, add ? veorq_u64(sum, vld1q_u64(out)) : sum);
        }
        if (column == 0 && next != NULL) {
            argon2_next_find(next, to->words[0]);
        }
    }
}

#endif
