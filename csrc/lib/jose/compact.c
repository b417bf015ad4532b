/* A compact JWS cut into its three segments. */
#include "jose/jose.h"

#include <string.h>

CHECKED static status
too_many_segments(const char *p, const char *end)
{
    size_t dots = 2;
    while ((p = memchr(p, '.', (size_t)(end - p))) != NULL) {
        p++;
        dots++;
    }
    return dots == 4 ? STATUS_TOKEN_ENCRYPTED : STATUS_TOKEN_NOT_COMPACT;
}

status
fb_compact_split(span text, bool allow_padding, token *out)
{
    const char *end = text.p + text.len;
    const char *first = text.len == 0 ? NULL : memchr(text.p, '.', text.len);
    if (first == NULL) {
        return STATUS_TOKEN_NOT_COMPACT;
    }
    const char *payload = first + 1;
    const char *second = memchr(payload, '.', (size_t)(end - payload));
    if (second == NULL) {
        return STATUS_TOKEN_NOT_COMPACT;
    }
    const char *signature = second + 1;
    if (memchr(signature, '.', (size_t)(end - signature)) != NULL) {
        return too_many_segments(signature, end);
    }
    out->header = (span){text.p, (size_t)(first - text.p)};
    out->payload = (span){payload, (size_t)(second - payload)};
    out->signature = (span){signature, (size_t)(end - signature)};
    out->signing_input = (span){text.p, (size_t)(second - text.p)};
    if (allow_padding) {
        /* What is not padding stays, and the decoder refuses it. */
        fb_text_cut_padding(&out->header);
        fb_text_cut_padding(&out->payload);
        fb_text_cut_padding(&out->signature);
    }
    return STATUS_OK;
}
