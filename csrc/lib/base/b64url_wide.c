/* Base64url, 32 characters at a time, where the CPU has AVX2. Its portable
 * twin is the loop in b64url.c, which goes on where this one stops. */
#include "base/base.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>

#define AVX2 __attribute__((target("avx2")))

AVX2 static inline __m256i
twice(__m128i half)
{
    return _mm256_broadcastsi128_si256(half);
}

/*
 * A character is known by its two halves: the high one names the sets of low
 * ones that are in the alphabet (bit 0 for 2x, 1 for 3x, 2 for 4x and 6x, 3
 * for 5x, 4 for 7x), and what takes it to its value; '_' alone needs more.
 */
AVX2 static inline bool
to_values(__m256i text, __m256i *values)
{
    const __m256i sets_of_low =
        twice(_mm_setr_epi8(0x1a, 0x1e, 0x1e, 0x1e, 0x1e, 0x1e, 0x1e, 0x1e,
                            0x1e, 0x1e, 0x1c, 0x04, 0x04, 0x05, 0x04, 0x0c));
    const __m256i set_of_high = twice(_mm_setr_epi8(
        0, 0, 0x01, 0x02, 0x04, 0x08, 0x04, 0x10, 0, 0, 0, 0, 0, 0, 0, 0));
    const __m256i shifts =
        twice(_mm_setr_epi8(0, 0, 62 - '-', 52 - '0', -'A', -'A', 26 - 'a',
                            26 - 'a', 0, 0, 0, 0, 0, 0, 0, 0));
    const __m256i nibble = _mm256_set1_epi8(15);
    __m256i high = _mm256_and_si256(_mm256_srli_epi32(text, 4), nibble);
    __m256i low = _mm256_and_si256(text, nibble);
    __m256i known = _mm256_and_si256(_mm256_shuffle_epi8(sets_of_low, low),
                                     _mm256_shuffle_epi8(set_of_high, high));
    __m256i is_underscore = _mm256_cmpeq_epi8(text, _mm256_set1_epi8('_'));
    __m256i shift = _mm256_add_epi8(
        _mm256_shuffle_epi8(shifts, high),
        _mm256_and_si256(is_underscore, _mm256_set1_epi8(63 - '_' + 'A')));
    *values = _mm256_add_epi8(text, shift);
    return _mm256_movemask_epi8(
               _mm256_cmpeq_epi8(known, _mm256_setzero_si256()))
           == 0;
}

/* Four values of six bits to three bytes, in each half. */
AVX2 static inline __m256i
pack(__m256i values)
{
    const __m256i order = _mm256_setr_epi8(
        2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1, 2, 1, 0, 6, 5,
        4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1);
    __m256i pairs =
        _mm256_maddubs_epi16(values, _mm256_set1_epi32(0x01400140));
    __m256i groups = _mm256_madd_epi16(pairs, _mm256_set1_epi32(0x00011000));
    return _mm256_shuffle_epi8(groups, order);
}

#define DECODED 32 /* characters, in a block of 24 bytes */

AVX2 static inline bool
decode_block(const char *text, unsigned char *bytes)
{
    __m256i values;
    if (!to_values(_mm256_loadu_si256((const void *)text), &values)) {
        return false;
    }
    const __m256i both_halves = _mm256_setr_epi32(0, 1, 2, 4, 5, 6, 7, 7);
    values = _mm256_permutevar8x32_epi32(pack(values), both_halves);
    _mm_storeu_si128((void *)bytes, _mm256_castsi256_si128(values));
    _mm_storel_epi64((void *)(bytes + 16),
                     _mm256_extracti128_si256(values, 1));
    return true;
}

/* The last block overlaps the ones before, so that little is left behind. */
AVX2 static size_t
decode(const char *text, size_t len, unsigned char *bytes)
{
    size_t last = (len - DECODED) / 4 * 4;
    for (size_t at = 0; at < last; at += DECODED) {
        if (!decode_block(text + at, bytes + at / 4 * 3)) {
            return at;
        }
    }
    return decode_block(text + last, bytes + last / 4 * 3) ? last + DECODED
                                                           : last;
}

/* Twelve bytes of each half, the first and the last of them, to sixteen
 * values. */
AVX2 static inline __m256i
unpack(__m256i bytes)
{
    const __m256i order =
        _mm256_setr_epi8(1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10, 5,
                         4, 6, 5, 8, 7, 9, 8, 11, 10, 12, 11, 14, 13, 15, 14);
    __m256i groups = _mm256_shuffle_epi8(bytes, order);
    __m256i high = _mm256_mulhi_epu16(
        _mm256_and_si256(groups, _mm256_set1_epi32(0x0fc0fc00)),
        _mm256_set1_epi32(0x04000040));
    __m256i low = _mm256_mullo_epi16(
        _mm256_and_si256(groups, _mm256_set1_epi32(0x003f03f0)),
        _mm256_set1_epi32(0x01000010));
    return _mm256_or_si256(high, low);
}

/* The shift of each class of values, looked up by 0 for a-z, 1-10 for 0-9,
 * 11 for '-', 12 for '_' and 13 for A-Z. */
AVX2 static inline __m256i
to_text(__m256i values)
{
    const __m128i half = _mm_setr_epi8(
        'a' - 26, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52,
        '0' - 52, '0' - 52, '0' - 52, '0' - 52, '-' - 62, '_' - 63, 'A', 0, 0);
    const __m256i shifts = twice(half);
    __m256i class = _mm256_subs_epu8(values, _mm256_set1_epi8(51));
    __m256i is_upper = _mm256_cmpgt_epi8(_mm256_set1_epi8(26), values);
    class = _mm256_or_si256(class,
                            _mm256_and_si256(is_upper, _mm256_set1_epi8(13)));
    return _mm256_add_epi8(values, _mm256_shuffle_epi8(shifts, class));
}

#define ENCODED 24 /* bytes, in a block of 32 characters */

AVX2 static inline void
encode_block(const unsigned char *bytes, char *text)
{
    __m256i in = _mm256_inserti128_si256(
        _mm256_castsi128_si256(_mm_loadu_si128((const void *)bytes)),
        _mm_loadu_si128((const void *)(bytes + 8)), 1);
    _mm256_storeu_si256((void *)text, to_text(unpack(in)));
}

AVX2 static size_t
encode(const unsigned char *bytes, size_t len, char *text)
{
    size_t last = (len - ENCODED) / 3 * 3;
    for (size_t at = 0; at < last; at += ENCODED) {
        encode_block(bytes + at, text + at / 3 * 4);
    }
    encode_block(bytes + last, text + last / 3 * 4);
    return last + ENCODED;
}

size_t
fb_b64url_decode_wide(const char *text, size_t len, unsigned char *bytes)
{
    return len >= DECODED && fb_cpu_has_avx2() ? decode(text, len, bytes) : 0;
}

size_t
fb_b64url_encode_wide(const unsigned char *bytes, size_t len, char *text)
{
    return len >= ENCODED && fb_cpu_has_avx2() ? encode(bytes, len, text) : 0;
}

#else

size_t
fb_b64url_decode_wide(const char *text, size_t len, unsigned char *bytes)
{
    (void)text, (void)len, (void)bytes;
    return 0;
}

size_t
fb_b64url_encode_wide(const unsigned char *bytes, size_t len, char *text)
{
    (void)bytes, (void)len, (void)text;
    return 0;
}

#endif
