/*
 * A second reader of JSON (RFC 8259) for the fuzz targets, which takes a
 * character at a time: what a text holds next, and what a string means.
 */
#ifndef FASTBEARER_SECOND_JSON_H
#define FASTBEARER_SECOND_JSON_H

#include "fuzz.h"
#include "json/json.h"

typedef struct {
    const unsigned char *at, *end;
    /* of the last string or number */
    span text;
    bool is_ascii, is_escaped;
    unsigned char *meaning; /* room for the whole text */
    size_t meaning_len;
} second_json;

static inline bool
second_take(second_json *from, char c)
{
    bool is_there = from->at < from->end && *from->at == (unsigned char)c;
    from->at += is_there;
    return is_there;
}

static inline void
second_skip_space(second_json *from)
{
    while (second_take(from, ' ') || second_take(from, '\t')
           || second_take(from, '\n') || second_take(from, '\r')) {
    }
}

static inline bool
second_take_word(second_json *from, const char *word)
{
    while (*word != '\0') {
        if (!second_take(from, *word++)) {
            return false;
        }
    }
    return true;
}

/* --- strings ------------------------------------------------------------- */

static inline bool
is_surrogate(long code)
{
    return code >> 11 == 0xd800 >> 11;
}

/* The code point of the sequence (RFC 3629 3), or -1. */
static inline long
second_utf8(second_json *from)
{
    static const long least[] = {0, 0x80, 0x800, 0x10000};
    unsigned c = *from->at++;
    int more = c < 0x80       ? 0
               : c >> 5 == 6  ? 1
               : c >> 4 == 14 ? 2
               : c >> 3 == 30 ? 3
                              : -1;
    long code = more > 0 ? (long)(c & (0x3fu >> more)) : (long)c;
    for (int i = 0; i < more; i++) {
        if (from->at == from->end || *from->at >> 6 != 2) {
            return -1;
        }
        code = code << 6 | (*from->at++ & 63);
    }
    return more < 0 || code < least[more] || code > 0x10ffff
                   || is_surrogate(code)
               ? -1
               : code;
}

static inline void
second_put(second_json *from, long code)
{
    unsigned char *out = from->meaning + from->meaning_len;
    int more = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    unsigned mark = more == 0 ? 0 : 0xff00u >> (more + 1) & 0xff;
    *out++ = (unsigned char)(mark | (unsigned long)code >> (6 * more));
    while (more-- > 0) {
        *out++ = (unsigned char)(0x80 | (code >> (6 * more) & 63));
    }
    from->meaning_len = (size_t)(out - from->meaning);
}

static inline long
second_unit(second_json *from)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    long unit = 0;
    for (int i = 0; i < 4; i++) {
        const char *digit = from->at == from->end || *from->at == '\0'
                                ? NULL
                                : strchr(digits, *from->at);
        if (digit == NULL) {
            return -1;
        }
        unit = unit * 16 + (digit - digits) % 16;
        from->at++;
    }
    return unit;
}

/* After the backslash: the code point, or -1. */
static inline long
second_escape(second_json *from)
{
    static const char letters[] = "\"\\/b\bf\fn\nr\rt\t";
    for (size_t i = 0; i < 3; i++) {
        if (second_take(from, letters[i])) {
            return letters[i];
        }
    }
    for (size_t i = 3; i < sizeof letters - 1; i += 2) {
        if (second_take(from, letters[i])) {
            return letters[i + 1];
        }
    }
    long unit = second_take(from, 'u') ? second_unit(from) : -1;
    if (!is_surrogate(unit)) {
        return unit;
    }
    long low = second_take_word(from, "\\u") ? second_unit(from) : -1;
    return unit < 0xdc00 && is_surrogate(low) && low >= 0xdc00
               ? 0x10000 + (unit & 0x3ff) * 0x400 + (low & 0x3ff)
               : -1;
}

static inline bool
second_string(second_json *from)
{
    const unsigned char *start = from->at + 1;
    from->meaning_len = 0;
    from->is_ascii = true;
    from->is_escaped = false;
    if (!second_take(from, '"')) {
        return false;
    }
    while (!second_take(from, '"')) {
        long code;
        if (from->at == from->end || *from->at < ' ') {
            return false;
        }
        from->is_ascii = from->is_ascii && *from->at < 0x80;
        if (second_take(from, '\\')) {
            from->is_escaped = true;
            code = second_escape(from);
        } else {
            code = second_utf8(from);
        }
        if (code < 0) {
            return false;
        }
        second_put(from, code);
    }
    from->text = (span){(const char *)start, (size_t)(from->at - 1 - start)};
    return true;
}

/* --- numbers ------------------------------------------------------------- */

static inline size_t
second_digits(second_json *from)
{
    size_t count = 0;
    while (from->at < from->end && *from->at >= '0' && *from->at <= '9') {
        from->at++;
        count++;
    }
    return count;
}

static inline json_event
second_number(second_json *from)
{
    const unsigned char *start = from->at;
    json_event event = JSON_INTEGER;
    (void)second_take(from, '-');
    bool is_zero = from->at < from->end && *from->at == '0';
    size_t digits = second_digits(from);
    if (digits == 0 || (is_zero && digits > 1)) {
        return JSON_REFUSED;
    }
    if (second_take(from, '.')) {
        event = second_digits(from) > 0 ? JSON_REAL : JSON_REFUSED;
    }
    if (event != JSON_REFUSED
        && (second_take(from, 'e') || second_take(from, 'E'))) {
        (void)(second_take(from, '+') || second_take(from, '-'));
        event = second_digits(from) > 0 ? JSON_REAL : JSON_REFUSED;
    }
    from->text = (span){(const char *)start, (size_t)(from->at - start)};
    return event == JSON_INTEGER && digits > JSON_DIGITS_MAX ? JSON_REFUSED
                                                             : event;
}

/* --- values -------------------------------------------------------------- */

/* What the text goes on with; of an object or an array its bracket only. */
static inline json_event
second_value(second_json *from, int depth)
{
    second_skip_space(from);
    switch (from->at < from->end ? *from->at : '\0') {
    case '"':
        return second_string(from) ? JSON_STRING : JSON_REFUSED;
    case '{':
    case '[':
        if (depth == JSON_DEPTH_MAX) {
            return JSON_REFUSED;
        }
        return *from->at++ == '{' ? JSON_OBJECT : JSON_ARRAY;
    case 't':
        return second_take_word(from, "true") ? JSON_TRUE : JSON_REFUSED;
    case 'f':
        return second_take_word(from, "false") ? JSON_FALSE : JSON_REFUSED;
    case 'n':
        return second_take_word(from, "null") ? JSON_NULL : JSON_REFUSED;
    default:
        return second_number(from);
    }
}

#endif
