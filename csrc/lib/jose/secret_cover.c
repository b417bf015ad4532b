/* What a text may be written in: people paste keys into settings as base64 or
 * hexadecimal, between quotes, and escaped for a shell, for JSON or a URL. */
#include "jose/jose.h"

static bool
is_blank(char c)
{
    return c == '\0' || c == ' ' || (c >= '\t' && c <= '\r');
}

/* A byte order mark, and the b of bytes that Python has printed. */
static span
skip_marks(span text)
{
    static const char utf_8[] = "\xef\xbb\xbf";
    span rest = text;
    if (!fb_text_skip(&rest, utf_8) && !fb_text_skip(&rest, "\xff\xfe")) {
        (void)fb_text_skip(&rest, "\xfe\xff");
    }
    bool is_printed = rest.len > 1 && rest.p[0] == 'b'
                      && (rest.p[1] == '\'' || rest.p[1] == '"');
    return is_printed ? (span){rest.p + 1, rest.len - 1} : rest;
}

size_t
fb_secret_unescape(const char *p, size_t len, char *c)
{
    char low[2] = {0, 0};
    for (size_t i = 0; len >= 3 && i < 2; i++) {
        char of = p[i + 1];
        low[i] = of >= 'A' && of <= 'F' ? (char)(of - 'A' + 'a') : of;
    }
    int high = fb_text_hex_digit(low[0], 'a');
    int rest = fb_text_hex_digit(low[1], 'a');
    *c = p[0];
    if (p[0] != '%' || high < 0 || rest < 0) {
        return 1;
    }
    *c = (char)(high << 4 | rest);
    return 3;
}

/* How many characters of a line end that is written as one, or of the
 * backslash of anything else. */
static size_t
skip_backslash(const char *p, size_t len)
{
    return len >= 2 && (p[1] == 'n' || p[1] == 'r' || p[1] == 't') ? 2 : 1;
}

size_t
fb_secret_bare(span secret, char *out)
{
    span text = skip_marks(secret);
    size_t len = 0, at = 0;
    while (at < text.len) {
        char c;
        size_t left = text.len - at;
        if (text.p[at] == '\\') {
            at += skip_backslash(text.p + at, left);
            continue;
        }
        at += fb_secret_unescape(text.p + at, left, &c);
        if (!is_blank(c) && c != '"' && c != '\'' && c != ':' && c != '=') {
            out[len++] = c;
        }
    }
    return len;
}

bool
fb_secret_from_base64(span bare, char *text, unsigned char *bytes, size_t *len)
{
    for (size_t i = 0; i < bare.len; i++) {
        char c = bare.p[i];
        text[i] = c == '+' ? '-' : c == '/' ? '_' : c;
    }
    *len = fb_b64url_decoded(bare.len);
    return fb_b64url_decode(text, bare.len, bytes);
}

bool
fb_secret_from_hex(span bare, unsigned char *bytes, size_t *len)
{
    *len = bare.len / 2;
    for (size_t i = 0; i < bare.len; i++) {
        char c = bare.p[i];
        int digit = fb_text_hex_digit(c, c >= 'a' ? 'a' : 'A');
        if (digit < 0) {
            return false;
        }
        bytes[i / 2] =
            (unsigned char)(i % 2 == 0 ? digit << 4 : bytes[i / 2] | digit);
    }
    return bare.len % 2 == 0;
}
