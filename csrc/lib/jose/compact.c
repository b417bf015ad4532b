/* A compact JWS cut into its three segments. */
#include "jose/jose.h"

#include <string.h>

/* RFC 4648 3.2 padding fills a group of four; anything else stays and is
 * refused by the decoder. */
static void
cut_padding(span *segment)
{
    size_t len = segment->len;
    size_t cut = len;
    while (cut > 0 && len - cut < 2 && segment->p[cut - 1] == '=') {
        cut--;
    }
    if (len % 4 == 0 && cut < len) {
        segment->len = cut;
    }
}

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
compact_split(span text, bool allow_padding, token *out)
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
        cut_padding(&out->header);
        cut_padding(&out->payload);
        cut_padding(&out->signature);
    }
    return STATUS_OK;
}
