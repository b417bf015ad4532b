/* The first byte says whether padding is allowed; the rest is a token. */
#include "fuzz.h"
#include "jose/jose.h"

static void
check_segment(span segment)
{
    unsigned char *bytes = exact_room(fb_b64url_decoded(segment.len));
    bool is_good = fb_b64url_decode(segment.p, segment.len, bytes);
    MUST(is_good == fb_b64url_check(segment.p, segment.len));
    if (is_good) {
        size_t len = fb_b64url_decoded(segment.len);
        MUST(fb_b64url_encoded(len) == segment.len);
        char *again = exact_room(segment.len);
        MUST(fb_b64url_encode(bytes, len, again) == again + segment.len);
        MUST(len == 0 || memcmp(again, segment.p, segment.len) == 0);
        free(again);
    }
    free(bytes);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    char *copy = exact_copy(data + 1, size - 1);
    span text = {copy, size - 1};
    token parts;
    if (fb_compact_split(text, data[0] & 1, &parts) == STATUS_OK) {
        span *segments[] = {&parts.header, &parts.payload, &parts.signature};
        for (size_t i = 0; i < 3; i++) {
            MUST(is_within(*segments[i], text));
            MUST(memchr(segments[i]->p, '.', segments[i]->len) == NULL);
            check_segment(*segments[i]);
        }
        MUST(is_within(parts.signing_input, text));
        MUST(parts.signing_input.p == parts.header.p);
        MUST(parts.signature.p > parts.payload.p);
    }
    check_segment(text);
    free(copy);
    return 0;
}
