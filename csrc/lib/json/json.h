/* The room of JSON: texts, read strictly, and numbers, written. It may use
 * base. */
#ifndef FASTBEARER_JSON_H
#define FASTBEARER_JSON_H

#include "base/base.h"

#include <string.h>

#if defined(__SSE2__) && defined(__GNUC__)
#include <emmintrin.h>
#endif

/* --- json_scan.c: a strict JSON cursor (RFC 8259) ------------------------ */

#define JSON_DEPTH_MAX 32
#define JSON_DIGITS_MAX 4300

typedef enum {
    JSON_REFUSED, /* see cursor.error; nothing more may be asked */
    JSON_OBJECT,  /* fb_json_member follows, until JSON_OBJECT_END */
    JSON_OBJECT_END,
    JSON_ARRAY, /* fb_json_item follows, until JSON_ARRAY_END */
    JSON_ARRAY_END,
    JSON_NAME, /* fb_json_value follows */
    JSON_STRING,
    JSON_INTEGER,
    JSON_REAL,
    JSON_TRUE,
    JSON_FALSE,
    JSON_NULL
} json_event;

typedef struct {
    const char *p, *end;
    int depth;
    bool is_first; /* no comma stands before the next element */
    status error;
    /* What the last event read: */
    span text;       /* name or string without quotes, or the number's text */
    bool is_ascii;   /* of a name or string */
    bool is_escaped; /* it holds backslashes: see fb_json_unescape */
    bool is_small;   /* an integer of at most 18 digits, in `integer` */
    int64_t integer;
} json_cursor;

/*
 * A text is read as fb_json_begin, fb_json_value, what the events ask for, and
 * fb_json_end, which says whether nothing is left. Refused are what is not
 * UTF-8, a BOM, NaN and Infinity, lone surrogates, integers of more than
 * JSON_DIGITS_MAX digits, more than JSON_DEPTH_MAX levels and trailing bytes.
 * Duplicate names are the caller's to find.
 */
void fb_json_begin(json_cursor *cursor, span text);
json_event fb_json_value(json_cursor *cursor);
json_event fb_json_member(json_cursor *cursor);
json_event fb_json_item(json_cursor *cursor);
bool fb_json_end(json_cursor *cursor);

/* --- json_text.c: names and strings -------------------------------------- */

/* The high bit of each byte that is '"', '\\', a control or a non-ASCII
 * character; also, perhaps, of bytes after the first of them (a borrow). */
static inline uint64_t
json_special(uint64_t word)
{
    const uint64_t each = 0x0101010101010101u;
    uint64_t quote = word ^ each * '"', backslash = word ^ each * '\\';
    return (word | (word - each * 0x20) | (quote - each) | (backslash - each))
           & each * 0x80;
}

static inline bool
json_is_plain(char c)
{
    return c != '"' && c != '\\' && (unsigned char)c >= 0x20
           && (unsigned char)c < 0x80;
}

/* A stretch without special characters is skipped in large steps. */
#if defined(__SSE2__) && defined(__GNUC__)
static inline const char *
json_skip_plain(const char *p, const char *end)
{
    for (; end - p >= 16; p += 16) {
        __m128i block = _mm_loadu_si128((const void *)p);
        __m128i special = _mm_or_si128(
            _mm_or_si128(_mm_cmpeq_epi8(block, _mm_set1_epi8('"')),
                         _mm_cmpeq_epi8(block, _mm_set1_epi8('\\'))),
            /* signed: what is not ASCII is negative */
            _mm_cmplt_epi8(block, _mm_set1_epi8(0x20)));
        int found = _mm_movemask_epi8(special);
        if (found != 0) {
            return p + __builtin_ctz((unsigned)found);
        }
    }
    while (p < end && json_is_plain(*p)) {
        p++;
    }
    return p;
}
#else
static inline const char *
json_skip_plain(const char *p, const char *end)
{
    uint64_t word;
    for (; end - p >= 8; p += 8) {
        memcpy(&word, p, sizeof word);
        if (json_special(word) != 0) {
            break;
        }
    }
    while (p < end && json_is_plain(*p)) {
        p++;
    }
    return p;
}
#endif

/*
 * What most values are, read in one look: the byte after a value that begins
 * at p, which is before `end`; or NULL, for all else and all that is wrong.
 */

/* ASCII without escapes. */
static inline const char *
json_plain_text(const char *p, const char *end, span *text)
{
    const char *start = p + 1;
    const char *quote = *p == '"' ? json_skip_plain(start, end) : end;
    *text = (span){start, (size_t)(quote - start)};
    return quote < end && *quote == '"' ? quote + 1 : NULL;
}

#define JSON_SMALL_DIGITS 18 /* any number of this many digits is an int64_t */

/* Digits, not beginning with 0, and after them the end of a member or item. */
static inline const char *
json_plain_integer(const char *p, const char *end, int64_t *value)
{
    const char *most =
        end - p > JSON_SMALL_DIGITS ? p + JSON_SMALL_DIGITS : end;
    if (*p < '1' || *p > '9') {
        return NULL;
    }
    for (*value = 0; p < most && *p >= '0' && *p <= '9'; p++) {
        *value = *value * 10 + (*p - '0');
    }
    return p < end && (*p == ',' || *p == '}' || *p == ']') ? p : NULL;
}

/* Reads the text whose opening quote the cursor stands on. */
CHECKED status fb_json_text_read(json_cursor *cursor);

/* Writes the meaning of an escaped text, in UTF-8; never longer than it, and
 * `out` may be where the text stands. */
size_t fb_json_unescape(span text, char *out);

/* --- json_real.c: numbers with a fraction or an exponent ----------------- */

/* The double nearest to what a JSON_REAL says; false where that takes more
 * than 128 bits, or the compiler has not as many: ask strtod. */
bool fb_json_real(span text, double *value);

/* --- json_find.c: one member --------------------------------------------- */

#define JSON_FIND_MAX 16 /* bytes of a name, which is ASCII */

/*
 * Whether the whole text is an object with one member of that name, and no
 * second, which is a string: then `found` is as after that string was read.
 * Linear, and nothing is allocated. Whether other names come twice is not
 * looked at.
 */
bool fb_json_find_string(span text, span name, json_cursor *found);

/* --- json_digits.c: numbers in decimal digits ---------------------------- */

/* Writes digits before `end`, 20 at most; returns where they begin. */
char *fb_json_digits(char *end, uint64_t value);

/* Writes a real number as Python's repr() does, at most JSON_REAL_MAX bytes:
 * the fewest digits that are read back as the same number. Returns how many,
 * or 0 for what others have to write: what is not finite, 0, and what is far
 * from 1; without integers of 128 bits, everything. */
#define JSON_REAL_MAX 32
size_t fb_json_real_digits(char *out, double value);

/* --- json_powers.c: powers of ten, from 10^JSON_POWER_FIRST on ----------- */

/* Each is 128 bits, the highest one set, rounded up. */
#define JSON_POWER_FIRST (-64)
#define JSON_POWERS 128
extern const uint64_t fb_json_powers[JSON_POWERS][2];

#endif
