/* The names and strings of JSON: UTF-8, escapes and surrogates. */
#include "json/json.h"

#include <string.h>

/* The length of the UTF-8 sequence at p (RFC 3629 4), or 0. */
static size_t
utf8_length(const char *p, const char *end)
{
    const unsigned char *in = (const unsigned char *)p;
    size_t len = in[0] < 0xc2   ? 0
                 : in[0] < 0xe0 ? 2
                 : in[0] < 0xf0 ? 3
                 : in[0] < 0xf5 ? 4
                                : 0;
    if (len == 0 || (size_t)(end - p) < len) {
        return 0;
    }
    unsigned low = in[0] == 0xe0 ? 0xa0 : in[0] == 0xf0 ? 0x90 : 0x80;
    unsigned high = in[0] == 0xed ? 0x9f : in[0] == 0xf4 ? 0x8f : 0xbf;
    if (in[1] < low || in[1] > high) {
        return 0;
    }
    for (size_t i = 2; i < len; i++) {
        if ((in[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    return len;
}

/* Four hexadecimal digits, or -1. */
static int
hex4(const char *p, const char *end)
{
    int value = 0;
    if (end - p < 4) {
        return -1;
    }
    for (int i = 0; i < 4; i++) {
        char c = p[i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0) {
            return -1;
        }
        value = value << 4 | digit;
    }
    return value;
}

static bool
is_high_surrogate(int unit)
{
    return unit >= 0xd800 && unit < 0xdc00;
}

static bool
is_low_surrogate(int unit)
{
    return unit >= 0xdc00 && unit < 0xe000;
}

/* Moves past the escape at the cursor, which stands on a backslash. */
CHECKED static status
skip_escape(json_cursor *cursor)
{
    const char *p = cursor->p + 1;
    if (p == cursor->end || *p == '\0' || strchr("\"\\/bfnrtu", *p) == NULL) {
        return STATUS_JSON_SYNTAX;
    }
    if (*p++ != 'u') {
        cursor->p = p;
        return STATUS_OK;
    }
    int unit = hex4(p, cursor->end);
    if (unit < 0) {
        return STATUS_JSON_SYNTAX;
    }
    p += 4;
    if (is_low_surrogate(unit)) {
        return STATUS_JSON_SURROGATE;
    }
    if (is_high_surrogate(unit)) {
        if (cursor->end - p < 6 || p[0] != '\\' || p[1] != 'u'
            || !is_low_surrogate(hex4(p + 2, cursor->end))) {
            return STATUS_JSON_SURROGATE;
        }
        p += 6;
    }
    cursor->p = p;
    return STATUS_OK;
}

/* Moves past the special character at the cursor. */
CHECKED static status
skip_special(json_cursor *cursor)
{
    if (cursor->p == cursor->end || (unsigned char)*cursor->p < 0x20) {
        return STATUS_JSON_SYNTAX;
    }
    if (*cursor->p == '\\') {
        cursor->is_escaped = true;
        return skip_escape(cursor);
    }
    size_t len = utf8_length(cursor->p, cursor->end);
    cursor->is_ascii = false;
    cursor->p += len;
    return len == 0 ? STATUS_JSON_UTF8 : STATUS_OK;
}

status
fb_json_text_read(json_cursor *cursor)
{
    const char *start = cursor->p + 1;
    const char *p = json_skip_plain(start, cursor->end);
    cursor->is_ascii = true;
    cursor->is_escaped = false;
    while (p == cursor->end || *p != '"') {
        cursor->p = p;
        status error = skip_special(cursor);
        if (error != STATUS_OK) {
            return error;
        }
        p = json_skip_plain(cursor->p, cursor->end);
    }
    cursor->text = (span){start, (size_t)(p - start)};
    cursor->p = p + 1;
    return STATUS_OK;
}

static char *
utf8_put(char *out, int code)
{
    if (code < 0x80) {
        *out++ = (char)code;
    } else if (code < 0x800) {
        *out++ = (char)(0xc0 | code >> 6);
        *out++ = (char)(0x80 | (code & 63));
    } else if (code < 0x10000) {
        *out++ = (char)(0xe0 | code >> 12);
        *out++ = (char)(0x80 | (code >> 6 & 63));
        *out++ = (char)(0x80 | (code & 63));
    } else {
        *out++ = (char)(0xf0 | code >> 18);
        *out++ = (char)(0x80 | (code >> 12 & 63));
        *out++ = (char)(0x80 | (code >> 6 & 63));
        *out++ = (char)(0x80 | (code & 63));
    }
    return out;
}

size_t
fb_json_unescape(span text, char *out)
{
    static const char letters[] = "\"\\/bfnrt";
    static const char meanings[] = "\"\\/\b\f\n\r\t";
    const char *p = text.p, *end = text.p + text.len;
    char *start = out;
    while (p < end) {
        if (*p != '\\') {
            *out++ = *p++;
        } else if (p[1] != 'u') {
            *out++ = meanings[strchr(letters, p[1]) - letters];
            p += 2;
        } else {
            int code = hex4(p + 2, end);
            p += 6;
            if (is_high_surrogate(code)) {
                int low = hex4(p + 2, end);
                code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
                p += 6;
            }
            out = utf8_put(out, code);
        }
    }
    return (size_t)(out - start);
}
