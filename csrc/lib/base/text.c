/* The alphabets and numbers of password hashes. */
#include "base/base.h"

#define CODED_MAX 512 /* characters: HASH_TEXT_MAX holds them all */

bool
fb_text_begins(span text, span start)
{
    return text.len >= start.len && memcmp(text.p, start.p, start.len) == 0;
}

bool
fb_text_cut_padding(span *text)
{
    if (text->len % 4 != 0) {
        return false;
    }
    for (int i = 0; i < 2 && text->len > 0; i++) {
        text->len -= text->p[text->len - 1] == '=';
    }
    return true;
}

int
fb_text_hex_digit(char c, char ten)
{
    return c >= '0' && c <= '9'       ? c - '0'
           : c >= ten && c - ten <= 5 ? c - ten + 10
                                      : -1;
}

bool
fb_text_skip(span *rest, const char *word)
{
    size_t len = strlen(word);
    if (!fb_text_begins(*rest, (span){word, len})) {
        return false;
    }
    *rest = (span){rest->p + len, rest->len - len};
    return true;
}

bool
fb_text_number(span *rest, uint32_t *value)
{
    size_t len = 0;
    *value = 0;
    while (len < rest->len && len < 10 && rest->p[len] >= '0'
           && rest->p[len] <= '9') {
        *value = *value * 10 + (uint32_t)(rest->p[len++] - '0');
    }
    bool ok = len > 0 && len < 10 && (len == 1 || rest->p[0] != '0');
    *rest = (span){rest->p + len, rest->len - len};
    return ok;
}

bool
fb_text_until(span *rest, char end, span *part)
{
    const char *found = memchr(rest->p, end, rest->len);
    if (found == NULL) {
        return false;
    }
    *part = (span){rest->p, (size_t)(found - rest->p)};
    *rest = (span){found + 1, rest->len - part->len - 1};
    return true;
}

/* --- base64: fb_b64url_decode does the work, in its own alphabet --------- */

static char
to_url(char c, text_code code)
{
    switch (c) {
    case '+':
        return code == CODE_AB64 ? '!' : '-';
    case '.':
        return code == CODE_AB64 ? '-' : '!';
    case '/':
        return '_';
    case '-':
    case '_':
        return '!'; /* in none of these alphabets */
    default:
        return c;
    }
}

static char
from_url(char c, text_code code)
{
    return c == '_' ? '/' : c != '-' ? c : code == CODE_AB64 ? '.' : '+';
}

static bool
decode_base64(span text, text_code code, unsigned char *bytes, size_t max,
              size_t *len)
{
    char url[CODED_MAX];
    if ((code == CODE_B64_PADDED && !fb_text_cut_padding(&text))
        || text.len > sizeof url) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        url[i] = to_url(text.p[i], code);
    }
    *len = fb_b64url_decoded(text.len);
    return *len <= max && fb_b64url_decode(url, text.len, bytes);
}

/* --- hexadecimal --------------------------------------------------------- */

static bool
decode_hex(span text, unsigned char *bytes, size_t max, size_t *len)
{
    *len = text.len / 2;
    if (text.len % 2 != 0 || *len > max) {
        return false;
    }
    for (size_t i = 0; i < *len; i++) {
        int high = fb_text_hex_digit(text.p[2 * i], 'a');
        int low = fb_text_hex_digit(text.p[2 * i + 1], 'a');
        if (high < 0 || low < 0) {
            return false;
        }
        bytes[i] = (unsigned char)(high << 4 | low);
    }
    return true;
}

static char *
encode_hex(const unsigned char *bytes, size_t len, char *text)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        *text++ = digits[bytes[i] >> 4];
        *text++ = digits[bytes[i] & 15];
    }
    return text;
}

/* --- all of them --------------------------------------------------------- */

bool
fb_text_decode(span text, text_code code, unsigned char *bytes, size_t max,
               size_t *len)
{
    return code == CODE_HEX ? decode_hex(text, bytes, max, len)
                            : decode_base64(text, code, bytes, max, len);
}

char *
fb_text_encode(const unsigned char *bytes, size_t len, text_code code,
               char *text)
{
    if (code == CODE_HEX) {
        return encode_hex(bytes, len, text);
    }
    char *end = fb_b64url_encode(bytes, len, text);
    for (char *p = text; p < end; p++) {
        *p = from_url(*p, code);
    }
    while (code == CODE_B64_PADDED && (end - text) % 4 != 0) {
        *end++ = '=';
    }
    return end;
}
