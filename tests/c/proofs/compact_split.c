/* prove: 8..8 +4 lib/jose/compact.c lib/base/text.c lib/base/b64url.c
 * Texts of up to 8 characters: the segments and two dots are the text, and no
 * segment has a dot. */
#include "narrow.h"

#include "jose/jose.h"

static bool
has_dot(span segment)
{
    return segment.len > 0 && memchr(segment.p, '.', segment.len) != NULL;
}

int
main(void)
{
    size_t len = any_size(SIZE);
    bool allow_padding = nondet_bool();
    char *text = any_bytes(len);
    token parts;
    status result = fb_compact_split((span){text, len}, allow_padding, &parts);
    PROVE(result == STATUS_OK || result == STATUS_TOKEN_NOT_COMPACT
          || result == STATUS_TOKEN_ENCRYPTED);
    if (result == STATUS_OK) {
        const span in = parts.signing_input;
        PROVE(parts.header.p == text && in.p == text && in.len < len);
        PROVE(!has_dot(parts.header) && !has_dot(parts.payload)
              && !has_dot(parts.signature));
        PROVE(text[in.len] == '.' && parts.payload.p[-1] == '.');
        PROVE(parts.signature.p == text + in.len + 1);
        size_t all =
            parts.header.len + parts.payload.len + parts.signature.len + 2;
        PROVE(all == len || (allow_padding && all < len && all + 6 >= len));
    }
    free(text);
    return 0;
}
