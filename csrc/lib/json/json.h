/* The room of JSON texts, read strictly. It may use base. */
#ifndef FASTBEARER_JSON_H
#define FASTBEARER_JSON_H

#include "base/base.h"

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

/* Reads the text whose opening quote the cursor stands on. */
CHECKED status fb_json_text_read(json_cursor *cursor);

/* Writes the meaning of an escaped text, in UTF-8; never longer than it, and
 * `out` may be where the text stands. */
size_t fb_json_unescape(span text, char *out);

/* --- json_find.c: one member --------------------------------------------- */

#define JSON_FIND_MAX 16 /* bytes of a name, which is ASCII */

/*
 * Whether the whole text is an object with one member of that name, and no
 * second, which is a string: then `found` is as after that string was read.
 * Linear, and nothing is allocated. Whether other names come twice is not
 * looked at.
 */
bool fb_json_find_string(span text, span name, json_cursor *found);

#endif
