/*
 * Base64url: the wide code and the narrow against a reader and a writer of
 * another kind, with blocks of exactly the size that is promised.
 */
#include "second_base64.h"

#define INPUT_MAX 1024

static const char alphabet[] = SECOND_LETTERS "-_";

/* Four characters at a time are too few for the wide code. */
static bool
narrow_decode(span text, unsigned char *bytes)
{
    bool is_good = true;
    for (; text.len > 4; text.p += 4, text.len -= 4, bytes += 3) {
        is_good = fb_b64url_decode(text.p, 4, bytes) && is_good;
    }
    return fb_b64url_decode(text.p, text.len, bytes) && is_good;
}

static void
check_wide_decode(span text, span expected)
{
    unsigned char *bytes = exact_room(fb_b64url_decoded(text.len));
    size_t done = fb_b64url_decode_wide(text.p, text.len, bytes), len;
    MUST(done % 4 == 0 && done <= text.len);
    unsigned char *again = exact_room(done);
    MUST(second_decode(alphabet, (span){text.p, done}, again, &len));
    MUST(len == done / 4 * 3 && (len == 0 || memcmp(bytes, again, len) == 0));
    MUST(expected.p == NULL || expected.len >= len);
    free(again);
    free(bytes);
}

static void
check_decode(span text)
{
    size_t size = fb_b64url_decoded(text.len), len;
    unsigned char *bytes = exact_room(size), *narrow = exact_room(size);
    unsigned char *second = exact_room(text.len);
    bool is_good = second_decode(alphabet, text, second, &len);
    MUST(fb_b64url_decode(text.p, text.len, bytes) == is_good);
    MUST(fb_b64url_check(text.p, text.len) == is_good);
    MUST(narrow_decode(text, narrow) == is_good);
    if (is_good) {
        const span expected = {(char *)second, len};
        MUST(is_same((span){(char *)bytes, size}, expected));
        MUST(is_same((span){(char *)narrow, size}, expected));
        check_wide_decode(text, expected);
    } else {
        check_wide_decode(text, (span){NULL, 0});
    }
    free(second);
    free(narrow);
    free(bytes);
}

static char *
narrow_encode(span bytes, char *text)
{
    for (; bytes.len > 3; bytes.p += 3, bytes.len -= 3) {
        text = fb_b64url_encode((const unsigned char *)bytes.p, 3, text);
    }
    return fb_b64url_encode((const unsigned char *)bytes.p, bytes.len, text);
}

static void
check_encode(span bytes)
{
    const unsigned char *in = (const unsigned char *)bytes.p;
    size_t size = fb_b64url_encoded(bytes.len);
    char *text = exact_room(size), *narrow = exact_room(size);
    char *wide = exact_room(size), *second = exact_room(2 * bytes.len);
    const span expected = {second, second_encode(alphabet, bytes, second)};
    MUST(fb_b64url_encode(in, bytes.len, text) == text + size);
    MUST(is_same((span){text, size}, expected));
    MUST(narrow_encode(bytes, narrow) == narrow + size);
    MUST(is_same((span){narrow, size}, expected));
    size_t done = fb_b64url_encode_wide(in, bytes.len, wide);
    MUST(done % 3 == 0 && done <= bytes.len);
    MUST(done == 0 || memcmp(wide, second, done / 3 * 4) == 0);
    MUST(fb_b64url_decoded(size) == bytes.len);
    check_decode((span){text, size});
    free(second);
    free(wide);
    free(narrow);
    free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > INPUT_MAX) {
        return 0;
    }
    const span input = {exact_copy(data, size), size};
    check_decode(input);
    check_encode(input);
    span_free(input);
    return 0;
}
