/*
 * The codes and numbers of password hashes against readers of another kind.
 * The first byte chooses the code, the second how many bytes may come of it.
 */
#include "second_base64.h"

#include <ctype.h>

#define CODED_MAX 512 /* characters that are read */

static const char *const alphabets[] = {
    [CODE_B64] = SECOND_LETTERS "+/",
    [CODE_B64_PADDED] = SECOND_LETTERS "+/",
    [CODE_AB64] = SECOND_LETTERS "./",
};

static bool
second_hex(span text, unsigned char *bytes, size_t *len)
{
    *len = text.len / 2;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (!isdigit(c) && !(c >= 'a' && c <= 'f')) {
            return false;
        }
        char digits[] = {(char)c, '\0'};
        unsigned value = (unsigned)strtoul(digits, NULL, 16);
        bytes[i / 2] =
            (unsigned char)(i % 2 ? bytes[i / 2] | value : value << 4);
    }
    return text.len % 2 == 0;
}

/* RFC 4648 3.2: as many characters of padding as a group wants. */
static bool
second_unpad(span *text)
{
    size_t len = text->len;
    while (text->len > 0 && text->p[text->len - 1] == '=') {
        text->len--;
    }
    return len % 4 == 0 && len - text->len <= 2;
}

static bool
second_code(span text, text_code code, unsigned char *bytes, size_t *len)
{
    if (code == CODE_HEX) {
        return second_hex(text, bytes, len);
    }
    if (code == CODE_B64_PADDED && !second_unpad(&text)) {
        return false;
    }
    return text.len <= CODED_MAX
           && second_decode(alphabets[code], text, bytes, len);
}

static void
check_decode(span text, text_code code, size_t max)
{
    unsigned char *bytes = exact_room(max), *second = exact_room(text.len + 1);
    size_t len = 0, expected = 0;
    bool is_good = second_code(text, code, second, &expected);
    MUST(fb_text_decode(text, code, bytes, max, &len)
         == (is_good && expected <= max));
    if (is_good && expected <= max) {
        MUST(len == expected);
        MUST(len == 0 || memcmp(bytes, second, len) == 0);
    }
    free(second);
    free(bytes);
}

static void
check_encode(span bytes, text_code code)
{
    char *text = exact_room(2 * bytes.len + 4);
    unsigned char *again = exact_room(bytes.len);
    size_t len = 0;
    char *end =
        fb_text_encode((const unsigned char *)bytes.p, bytes.len, code, text);
    const span coded = {text, (size_t)(end - text)};
    MUST(coded.len <= 2 * bytes.len + 4);
    if (code == CODE_HEX || coded.len <= CODED_MAX) {
        MUST(fb_text_decode(coded, code, again, bytes.len, &len));
        MUST(is_same((span){(char *)again, len}, bytes));
        check_decode(coded, code, bytes.len);
    }
    free(again);
    free(text);
}

static void
check_number(span text)
{
    size_t digits = 0;
    uint32_t value = 0;
    span rest = text;
    while (digits < text.len && isdigit((unsigned char)text.p[digits])) {
        digits++;
    }
    bool is_good =
        digits >= 1 && digits <= 9 && (digits == 1 || text.p[0] != '0');
    MUST(fb_text_number(&rest, &value) == is_good);
    MUST(is_within(rest, text));
    if (is_good) {
        char copy[10] = {0};
        memcpy(copy, text.p, digits);
        MUST(value == strtoul(copy, NULL, 10));
        MUST(rest.len == text.len - digits);
    }
}

static void
check_cutting(span text)
{
    span rest = text, part = {NULL, 0};
    size_t at = 0;
    while (at < text.len && text.p[at] != '$') {
        at++;
    }
    MUST(fb_text_until(&rest, '$', &part) == (at < text.len));
    if (at < text.len) {
        MUST(part.p == text.p && part.len == at);
        MUST(rest.p == text.p + at + 1 && rest.len == text.len - at - 1);
    } else {
        MUST(rest.p == text.p && rest.len == text.len);
    }
    rest = text;
    bool begins = text.len >= 3 && memcmp(text.p, "$2b", 3) == 0;
    MUST(fb_text_skip(&rest, "$2b") == begins);
    MUST(rest.len == text.len - (begins ? 3 : 0));
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.p[i];
        bool is_lower = isdigit(c) || (c >= 'a' && c <= 'f');
        bool is_upper = isdigit(c) || (c >= 'A' && c <= 'F');
        MUST((fb_text_hex_digit((char)c, 'a') >= 0) == is_lower);
        MUST((fb_text_hex_digit((char)c, 'A') >= 0) == is_upper);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    intake from = {data, size};
    text_code code = (text_code)(intake_byte(&from) % 4);
    size_t max = intake_byte(&from);
    const span text = intake_span(&from, 1024);
    check_decode(text, code, max);
    check_encode(text, code);
    check_number(text);
    check_cutting(text);
    span_free(text);
    return 0;
}
