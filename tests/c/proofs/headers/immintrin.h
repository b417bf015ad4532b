/*
 * Of the intrinsics of AVX2, what they read and write, for the proofs: what a
 * register holds is anything at all, so that a proof is about the memory.
 */
#ifndef FASTBEARER_PROOF_IMMINTRIN_H
#define FASTBEARER_PROOF_IMMINTRIN_H

#include "proof.h"

typedef struct {
    int any;
} __m128i;
typedef struct {
    int any;
} __m256i;

static inline void
touch(const void *p, size_t size)
{
    const unsigned char *bytes = p;
    unsigned char first = bytes[0], last = bytes[size - 1];
    (void)first, (void)last;
}

static inline void
fill(void *p, size_t size)
{
    unsigned char *bytes = p;
    bytes[0] = nondet_uchar();
    bytes[size - 1] = nondet_uchar();
}

#define ANY_128 ((__m128i){nondet_int()})
#define ANY_256 ((__m256i){nondet_int()})

#define _mm_setr_epi8(...) ANY_128
#define _mm256_setr_epi8(...) ANY_256
#define _mm256_setr_epi32(...) ANY_256
#define _mm256_set1_epi8(x) ANY_256
#define _mm256_set1_epi32(x) ANY_256
#define _mm256_setzero_si256() ANY_256
#define _mm256_broadcastsi128_si256(a) ((void)(a), ANY_256)
#define _mm256_castsi128_si256(a) ((void)(a), ANY_256)
#define _mm256_castsi256_si128(a) ((void)(a), ANY_128)
#define _mm256_extracti128_si256(a, n) ((void)(a), ANY_128)
#define _mm256_inserti128_si256(a, b, n) ((void)(a), (void)(b), ANY_256)
#define _mm256_srli_epi32(a, n) ((void)(a), ANY_256)
#define _mm256_and_si256(a, b) ((void)(a), (void)(b), ANY_256)
#define _mm256_or_si256(a, b) ((void)(a), (void)(b), ANY_256)
#define _mm256_add_epi8(a, b) ((void)(a), (void)(b), ANY_256)
#define _mm256_cmpeq_epi8(a, b) ((void)(a), (void)(b), ANY_256)
#define _mm256_cmpgt_epi8(a, b) ((void)(a), (void)(b), ANY_256)
#define _mm256_subs_epu8(a, b) ((void)(a), (void)(b), ANY_256)
#define _mm256_shuffle_epi8(a, b) ((void)(a), (void)(b), ANY_256)
#define _mm256_permutevar8x32_epi32(a, b) ((void)(a), (void)(b), ANY_256)
#define _mm256_maddubs_epi16(a, b) ((void)(a), (void)(b), ANY_256)
#define _mm256_madd_epi16(a, b) ((void)(a), (void)(b), ANY_256)
#define _mm256_mulhi_epu16(a, b) ((void)(a), (void)(b), ANY_256)
#define _mm256_mullo_epi16(a, b) ((void)(a), (void)(b), ANY_256)
#define _mm256_movemask_epi8(a) ((void)(a), nondet_int())
#define _mm_loadu_si128(p) (touch(p, 16), ANY_128)
#define _mm256_loadu_si256(p) (touch(p, 32), ANY_256)
#define _mm_storel_epi64(p, a) ((void)(a), fill(p, 8))
#define _mm_storeu_si128(p, a) ((void)(a), fill(p, 16))
#define _mm256_storeu_si256(p, a) ((void)(a), fill(p, 32))

#endif
