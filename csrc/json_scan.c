/* A strict JSON cursor: the whole grammar, no allocation, no recursion. */
#include "core.h"

#include <string.h>

/* What may stand next. */
enum {
    EXPECT_VALUE,
    EXPECT_VALUE_OR_END, /* behind '[' */
    EXPECT_NAME,
    EXPECT_NAME_OR_END, /* behind '{' */
    EXPECT_MORE,        /* behind a value: comma or the level's end */
    EXPECT_NOTHING      /* behind the top value */
};

void
json_begin(json_cursor *cursor, span text)
{
    *cursor = (json_cursor){.p = text.p,
                            .end = text.p + text.len,
                            .expected = EXPECT_VALUE};
}

static json_event
refuse(json_cursor *cursor, status error)
{
    cursor->error = error;
    return JSON_REFUSED;
}

static void
skip_space(json_cursor *cursor)
{
    const char *p = cursor->p;
    while (p < cursor->end && (unsigned char)*p <= ' '
           && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t')) {
        p++;
    }
    cursor->p = p;
}

static bool
in_object(const json_cursor *cursor)
{
    return (cursor->is_object & 1) != 0;
}

static void
value_is_done(json_cursor *cursor)
{
    cursor->expected = cursor->depth == 0 ? EXPECT_NOTHING : EXPECT_MORE;
}

/* --- numbers and words ----------------------------------------------------- */

static const char *
skip_digits(const char *p, const char *end)
{
    while (p < end && *p >= '0' && *p <= '9') {
        p++;
    }
    return p;
}

/* Behind the fraction and the exponent, p itself if there are none, or NULL. */
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
    const char *digits = start + (*start == '-');
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
    value_is_done(cursor);
    if (p != whole) {
        return JSON_REAL;
    }
    if (len > JSON_DIGITS_MAX) {
        return refuse(cursor, STATUS_JSON_NUMBER);
    }
    cursor->is_small = len <= 18;
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
    value_is_done(cursor);
    return event;
}

/* --- structure --------------------------------------------------------------*/

static json_event
open_level(json_cursor *cursor, bool is_object)
{
    if (cursor->depth == JSON_DEPTH_MAX) {
        return refuse(cursor, STATUS_JSON_DEPTH);
    }
    cursor->p++;
    cursor->depth++;
    cursor->is_object = cursor->is_object << 1 | is_object;
    cursor->expected = is_object ? EXPECT_NAME_OR_END : EXPECT_VALUE_OR_END;
    return is_object ? JSON_OBJECT : JSON_ARRAY;
}

static json_event
close_level(json_cursor *cursor)
{
    json_event event = in_object(cursor) ? JSON_OBJECT_END : JSON_ARRAY_END;
    cursor->p++;
    cursor->depth--;
    cursor->is_object >>= 1;
    value_is_done(cursor);
    return event;
}

static bool
stands_at_close(const json_cursor *cursor)
{
    return *cursor->p == (in_object(cursor) ? '}' : ']');
}

static json_event
read_name(json_cursor *cursor)
{
    if (cursor->p == cursor->end || *cursor->p != '"') {
        return refuse(cursor, STATUS_JSON_SYNTAX);
    }
    status error = json_text_read(cursor);
    if (error != STATUS_OK) {
        return refuse(cursor, error);
    }
    skip_space(cursor);
    if (cursor->p == cursor->end || *cursor->p != ':') {
        return refuse(cursor, STATUS_JSON_SYNTAX);
    }
    cursor->p++;
    cursor->expected = EXPECT_VALUE;
    return JSON_NAME;
}

static json_event
read_string(json_cursor *cursor)
{
    status error = json_text_read(cursor);
    if (error != STATUS_OK) {
        return refuse(cursor, error);
    }
    value_is_done(cursor);
    return JSON_STRING;
}

static json_event
read_value(json_cursor *cursor)
{
    if (cursor->p == cursor->end) {
        return refuse(cursor, STATUS_JSON_SYNTAX);
    }
    switch (*cursor->p) {
    case '"':
        return read_string(cursor);
    case '{':
        return open_level(cursor, true);
    case '[':
        return open_level(cursor, false);
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

/* Behind a value: the next name or value, or the level's end. */
static json_event
read_more(json_cursor *cursor)
{
    if (stands_at_close(cursor)) {
        return close_level(cursor);
    }
    if (*cursor->p != ',') {
        return refuse(cursor, STATUS_JSON_SYNTAX);
    }
    cursor->p++;
    skip_space(cursor);
    return in_object(cursor) ? read_name(cursor) : read_value(cursor);
}

json_event
json_next(json_cursor *cursor)
{
    skip_space(cursor);
    bool at_end = cursor->p == cursor->end;
    if (cursor->expected == EXPECT_NOTHING) {
        return at_end ? JSON_END : refuse(cursor, STATUS_JSON_SYNTAX);
    }
    if (at_end) {
        return refuse(cursor, STATUS_JSON_SYNTAX);
    }
    switch (cursor->expected) {
    case EXPECT_MORE:
        return read_more(cursor);
    case EXPECT_NAME_OR_END:
    case EXPECT_VALUE_OR_END:
        if (stands_at_close(cursor)) {
            return close_level(cursor);
        }
        return in_object(cursor) ? read_name(cursor) : read_value(cursor);
    case EXPECT_NAME:
        return read_name(cursor);
    default:
        return read_value(cursor);
    }
}
