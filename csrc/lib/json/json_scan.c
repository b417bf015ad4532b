/* A strict JSON cursor: the whole grammar, no allocation, no recursion. */
#include "json/json.h"

#include <string.h>

void
fb_json_begin(json_cursor *cursor, span text)
{
    *cursor = (json_cursor){.p = text.p, .end = text.p + text.len};
}

static json_event
refuse(json_cursor *cursor, status error)
{
    cursor->error = error;
    return JSON_REFUSED;
}

/* The first character after white space; a NUL, which JSON never has, at
 * the end. */
static char
peek(json_cursor *cursor)
{
    const char *p = cursor->p, *end = cursor->end;
    while (p < end && (unsigned char)*p <= ' '
           && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t')) {
        p++;
    }
    cursor->p = p;
    return p < end ? *p : '\0';
}

/* --- numbers and words --------------------------------------------------- */

static const char *
skip_digits(const char *p, const char *end)
{
    while (p < end && *p >= '0' && *p <= '9') {
        p++;
    }
    return p;
}

/* The end of the fraction and the exponent, p itself if there are none, or
 * NULL. */
static const char *
skip_real_part(const char *p, const char *end)
{
    if (p < end && *p == '.') {
        const char *digits = ++p;
        p = skip_digits(digits, end);
        if (p == digits) {
            return NULL;
        }
    }
    if (p < end && (*p == 'e' || *p == 'E')) {
        p++;
        if (p < end && (*p == '+' || *p == '-')) {
            p++;
        }
        const char *digits = p;
        p = skip_digits(digits, end);
        if (p == digits) {
            return NULL;
        }
    }
    return p;
}

static void
read_small(json_cursor *cursor, const char *digits, size_t len)
{
    int64_t value = 0;
    for (size_t i = 0; i < len; i++) {
        value = value * 10 + (digits[i] - '0');
    }
    cursor->integer = *cursor->text.p == '-' ? -value : value;
}

static json_event
read_number(json_cursor *cursor)
{
    const char *start = cursor->p;
    const char *digits = start;
    if (digits < cursor->end && *digits == '-') {
        digits++;
    }
    const char *whole = skip_digits(digits, cursor->end);
    size_t len = (size_t)(whole - digits);
    if (len == 0 || (len > 1 && *digits == '0')) {
        return refuse(cursor, STATUS_JSON_SYNTAX);
    }
    const char *p = skip_real_part(whole, cursor->end);
    if (p == NULL) {
        return refuse(cursor, STATUS_JSON_SYNTAX);
    }
    cursor->p = p;
    cursor->text = (span){start, (size_t)(p - start)};
    if (p != whole) {
        return JSON_REAL;
    }
    if (len > JSON_DIGITS_MAX) {
        return refuse(cursor, STATUS_JSON_NUMBER);
    }
    cursor->is_small = len <= JSON_SMALL_DIGITS;
    if (cursor->is_small) {
        read_small(cursor, digits, len);
    }
    return JSON_INTEGER;
}

static json_event
read_word(json_cursor *cursor, const char *word, json_event event)
{
    size_t len = strlen(word);
    if ((size_t)(cursor->end - cursor->p) < len
        || memcmp(cursor->p, word, len) != 0) {
        return refuse(cursor, STATUS_JSON_SYNTAX);
    }
    cursor->p += len;
    return event;
}

/* --- structure ----------------------------------------------------------- */

static json_event
open_level(json_cursor *cursor, json_event event)
{
    if (cursor->depth == JSON_DEPTH_MAX) {
        return refuse(cursor, STATUS_JSON_DEPTH);
    }
    cursor->p++;
    cursor->depth++;
    cursor->is_first = true;
    return event;
}

static json_event
close_level(json_cursor *cursor, json_event event)
{
    cursor->p++;
    cursor->depth--;
    cursor->is_first = false;
    return event;
}

/* Moves past the comma that all but the first element have before them. */
static bool
skip_comma(json_cursor *cursor, char c)
{
    if (!cursor->is_first) {
        if (c != ',') {
            return false;
        }
        cursor->p++;
    }
    cursor->is_first = false;
    return true;
}

json_event
fb_json_value(json_cursor *cursor)
{
    status error;
    switch (peek(cursor)) {
    case '"':
        error = fb_json_text_read(cursor);
        return error == STATUS_OK ? JSON_STRING : refuse(cursor, error);
    case '{':
        return open_level(cursor, JSON_OBJECT);
    case '[':
        return open_level(cursor, JSON_ARRAY);
    case 't':
        return read_word(cursor, "true", JSON_TRUE);
    case 'f':
        return read_word(cursor, "false", JSON_FALSE);
    case 'n':
        return read_word(cursor, "null", JSON_NULL);
    default:
        return read_number(cursor);
    }
}

json_event
fb_json_item(json_cursor *cursor)
{
    char c = peek(cursor);
    if (c == ']') {
        return close_level(cursor, JSON_ARRAY_END);
    }
    return skip_comma(cursor, c) ? fb_json_value(cursor)
                                 : refuse(cursor, STATUS_JSON_SYNTAX);
}

json_event
fb_json_member(json_cursor *cursor)
{
    char c = peek(cursor);
    if (c == '}') {
        return close_level(cursor, JSON_OBJECT_END);
    }
    if (!skip_comma(cursor, c) || peek(cursor) != '"') {
        return refuse(cursor, STATUS_JSON_SYNTAX);
    }
    status error = fb_json_text_read(cursor);
    if (error != STATUS_OK) {
        return refuse(cursor, error);
    }
    if (peek(cursor) != ':') {
        return refuse(cursor, STATUS_JSON_SYNTAX);
    }
    cursor->p++;
    return JSON_NAME;
}

bool
fb_json_end(json_cursor *cursor)
{
    (void)peek(cursor);
    cursor->error = STATUS_JSON_SYNTAX;
    return cursor->p == cursor->end;
}
