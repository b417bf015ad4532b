/* G of argon2_fill.c where the CPU has AVX2 or AVX-512, and which of the
 * faster engines there are. */
#include "password/password.h"

#include "password/argon2/argon2_inner.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>

/*
 * In the order of argon2_word, 64 bytes are a tile of two rows of four words,
 * a block is four by four tiles. A row of tiles is two P of 3.6, a column of
 * them too, so that no word ever leaves its tile: what is a, b, c and d for
 * the rows is v[0], v[1], v[2] and v[3], and likewise for the columns.
 *
 * Between the halves of P, a, c and d are moved rather than b, c and d: b is
 * made last, and everything would wait for it.
 */

/* --- AVX2: two P at once ------------------------------------------------- */

#define AVX2 __attribute__((target("avx2")))
#define AVX2_INLINE __attribute__((target("avx2"), always_inline)) inline

typedef __m256i half_tile;

AVX2_INLINE static half_tile
add_mul_avx2(half_tile x, half_tile y)
{
    half_tile product = _mm256_mul_epu32(x, y);
    return _mm256_add_epi64(_mm256_add_epi64(x, y),
                            _mm256_add_epi64(product, product));
}

AVX2_INLINE static half_tile
rotate_avx2(half_tile x, int by)
{
    const half_tile by_24 =
        _mm256_setr_epi8(3, 4, 5, 6, 7, 0, 1, 2, 11, 12, 13, 14, 15, 8, 9, 10,
                         3, 4, 5, 6, 7, 0, 1, 2, 11, 12, 13, 14, 15, 8, 9, 10);
    const half_tile by_16 =
        _mm256_setr_epi8(2, 3, 4, 5, 6, 7, 0, 1, 10, 11, 12, 13, 14, 15, 8, 9,
                         2, 3, 4, 5, 6, 7, 0, 1, 10, 11, 12, 13, 14, 15, 8, 9);
    switch (by) {
    case 32:
        return _mm256_shuffle_epi32(x, 0xb1);
    case 24:
        return _mm256_shuffle_epi8(x, by_24);
    case 16:
        return _mm256_shuffle_epi8(x, by_16);
    default: /* 63 */
        return _mm256_xor_si256(_mm256_srli_epi64(x, 63),
                                _mm256_add_epi64(x, x));
    }
}

AVX2_INLINE static void
step_avx2(half_tile *x, const half_tile *y, half_tile *z, int by)
{
#pragma GCC unroll 2
    for (int i = 0; i < 2; i++) {
        x[i] = add_mul_avx2(x[i], y[i]);
        z[i] = rotate_avx2(_mm256_xor_si256(z[i], x[i]), by);
    }
}

AVX2_INLINE static void
mix_avx2(half_tile v[4][2])
{
    step_avx2(v[0], v[1], v[3], 32);
    step_avx2(v[2], v[3], v[1], 24);
    step_avx2(v[0], v[1], v[3], 16);
    step_avx2(v[2], v[3], v[1], 63);
}

/* A half tile is four words of one row ... */
AVX2_INLINE static void
permute_rows_avx2(half_tile v[4][2])
{
    mix_avx2(v);
#pragma GCC unroll 2
    for (int i = 0; i < 2; i++) {
        v[0][i] = _mm256_permute4x64_epi64(v[0][i], 0x93);
        v[2][i] = _mm256_permute4x64_epi64(v[2][i], 0x39);
        v[3][i] = _mm256_permute4x64_epi64(v[3][i], 0x4e);
    }
    mix_avx2(v);
#pragma GCC unroll 2
    for (int i = 0; i < 2; i++) {
        v[0][i] = _mm256_permute4x64_epi64(v[0][i], 0x39);
        v[2][i] = _mm256_permute4x64_epi64(v[2][i], 0x93);
        v[3][i] = _mm256_permute4x64_epi64(v[3][i], 0x4e);
    }
}

/* One word up or down a column of four that stands in two half tiles. */
AVX2_INLINE static void
shift_avx2(half_tile x[2], bool down)
{
    half_tile inner = _mm256_alignr_epi8(x[1], x[0], 8);
    half_tile outer = _mm256_alignr_epi8(x[0], x[1], 8);
    x[0] = down ? outer : inner;
    x[1] = down ? inner : outer;
}

AVX2_INLINE static void
swap_avx2(half_tile x[2])
{
    half_tile first = x[0];
    x[0] = x[1];
    x[1] = first;
}

/* ... and two words each of two columns. */
AVX2_INLINE static void
permute_columns_avx2(half_tile v[4][2])
{
    mix_avx2(v);
    shift_avx2(v[0], true);
    shift_avx2(v[2], false);
    swap_avx2(v[3]);
    mix_avx2(v);
    shift_avx2(v[0], false);
    shift_avx2(v[2], true);
    swap_avx2(v[3]);
}

AVX2 static void
fill_avx2(const argon2_block *previous, const argon2_block *reference,
          argon2_block *to, bool add, argon2_next *next)
{
    const half_tile *p = (const void *)previous, *r = (const void *)reference;
    half_tile *out = (void *)to, rows[16][2], v[4][2];
    for (int row = 0; row < 16; row += 4) {
#pragma GCC unroll 8
        for (int i = 0; i < 8; i++) {
            v[i / 2][i % 2] = _mm256_xor_si256(p[2 * row + i], r[2 * row + i]);
        }
        permute_rows_avx2(v);
#pragma GCC unroll 8
        for (int i = 0; i < 8; i++) {
            rows[row + i / 2][i % 2] = v[i / 2][i % 2];
        }
    }
    for (int column = 0; column < 4; column++) {
#pragma GCC unroll 8
        for (int i = 0; i < 8; i++) {
            v[i / 2][i % 2] = rows[column + i / 2 * 4][i % 2];
        }
        permute_columns_avx2(v);
#pragma GCC unroll 8
        for (int i = 0; i < 8; i++) {
            int at = 2 * (column + i / 2 * 4) + i % 2;
            half_tile sum = _mm256_xor_si256(v[i / 2][i % 2],
                                             _mm256_xor_si256(p[at], r[at]));
            out[at] = add ? _mm256_xor_si256(sum, out[at]) : sum;
        }
        if (column == 0 && next != NULL) {
            argon2_next_find(next, to->words[0]);
        }
    }
}

/* --- AVX-512: eight P at once -------------------------------------------- */

#define AVX512 __attribute__((target("avx512f")))
#define AVX512_INLINE __attribute__((target("avx512f"), always_inline)) inline

typedef __m512i tile;

AVX512_INLINE static tile
add_mul_avx512(tile x, tile y)
{
    tile product = _mm512_mul_epu32(x, y);
    return _mm512_add_epi64(_mm512_add_epi64(x, y),
                            _mm512_add_epi64(product, product));
}

/* Of four times four tiles, those of the rows or columns from..to; unrolled,
 * they are registers. This is a macro because the instruction holds the
 * number of bits. */
#define STEP_AVX512(x, y, z, by)                                              \
    do {                                                                      \
        _Pragma("GCC unroll 4") for (int i = from; i < to; i++)               \
        {                                                                     \
            (x)[i] = add_mul_avx512((x)[i], (y)[i]);                          \
            (z)[i] = _mm512_ror_epi64(_mm512_xor_si512((z)[i], (x)[i]), by);  \
        }                                                                     \
    } while (0)

AVX512_INLINE static void
mix_avx512(tile v[4][4], int from, int to)
{
    STEP_AVX512(v[0], v[1], v[3], 32);
    STEP_AVX512(v[2], v[3], v[1], 24);
    STEP_AVX512(v[0], v[1], v[3], 16);
    STEP_AVX512(v[2], v[3], v[1], 63);
}

AVX512_INLINE static void
permute_rows_avx512(tile v[4][4])
{
    mix_avx512(v, 0, 4);
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
        v[0][i] = _mm512_permutex_epi64(v[0][i], 0x93);
        v[2][i] = _mm512_permutex_epi64(v[2][i], 0x39);
        v[3][i] = _mm512_permutex_epi64(v[3][i], 0x4e);
    }
    mix_avx512(v, 0, 4);
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
        v[0][i] = _mm512_permutex_epi64(v[0][i], 0x39);
        v[2][i] = _mm512_permutex_epi64(v[2][i], 0x93);
        v[3][i] = _mm512_permutex_epi64(v[3][i], 0x4e);
    }
}

/* Words 0, 1, 4 and 5 of a tile are one column's, the others another's. */
AVX512_INLINE static void
permute_columns_avx512(tile v[4][4], int from, int to)
{
    const tile down = _mm512_setr_epi64(5, 0, 7, 2, 1, 4, 3, 6);
    const tile up = _mm512_setr_epi64(1, 4, 3, 6, 5, 0, 7, 2);
    mix_avx512(v, from, to);
#pragma GCC unroll 4
    for (int i = from; i < to; i++) {
        v[0][i] = _mm512_permutexvar_epi64(down, v[0][i]);
        v[2][i] = _mm512_permutexvar_epi64(up, v[2][i]);
        v[3][i] = _mm512_shuffle_i64x2(v[3][i], v[3][i], 0x4e);
    }
    mix_avx512(v, from, to);
#pragma GCC unroll 4
    for (int i = from; i < to; i++) {
        v[0][i] = _mm512_permutexvar_epi64(up, v[0][i]);
        v[2][i] = _mm512_permutexvar_epi64(down, v[2][i]);
        v[3][i] = _mm512_shuffle_i64x2(v[3][i], v[3][i], 0x4e);
    }
}

AVX512_INLINE static void
finish_avx512(tile v[4][4], const tile *p, const tile *r, tile *out, bool add,
              int from)
{
#pragma GCC unroll 8
    for (int i = 0; i < 8; i++) {
        int at = i / 2 * 4 + from + i % 2;
        tile sum = _mm512_ternarylogic_epi64(v[i / 2][from + i % 2], p[at],
                                             r[at], 0x96);
        out[at] = add ? _mm512_xor_si512(sum, out[at]) : sum;
    }
}

AVX512 static void
fill_avx512(const argon2_block *previous, const argon2_block *reference,
            argon2_block *to, bool add, argon2_next *next)
{
    const tile *p = (const void *)previous, *r = (const void *)reference;
    tile *out = (void *)to, rows[4][4], columns[4][4];
#pragma GCC unroll 16
    for (int i = 0; i < 16; i++) {
        rows[i % 4][i / 4] = _mm512_xor_si512(p[i], r[i]);
    }
    permute_rows_avx512(rows);
#pragma GCC unroll 16
    for (int i = 0; i < 16; i++) {
        columns[i / 4][i % 4] = rows[i % 4][i / 4];
    }
    permute_columns_avx512(columns, 0, 2);
    finish_avx512(columns, p, r, out, add, 0);
    if (next != NULL) {
        argon2_next_find(next, to->words[0]);
    }
    permute_columns_avx512(columns, 2, 4);
    finish_avx512(columns, p, r, out, add, 2);
}

const argon2_engine fb_argon2_wide[] = {
    {"avx512", fb_cpu_has_avx512f, fill_avx512, NULL},
    {"avx2", fb_cpu_has_avx2, fill_avx2, NULL},
    {0},
};

#elif defined(ARGON2_NEON)

static bool
is_supported(void)
{
    return true;
}

const argon2_engine fb_argon2_wide[] = {
    {"neon", is_supported, fb_argon2_fill_neon, NULL},
    {0},
};

#else

const argon2_engine fb_argon2_wide[] = {{0}};

#endif
