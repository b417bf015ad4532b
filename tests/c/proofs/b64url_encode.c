/* prove: 0..4 +4 lib/base/b64url.c
 * Up to 4 bytes: they are written in the room that is said, and read again. */
#include "narrow.h"

int
main(void)
{
    size_t len = SIZE;
    unsigned char *bytes = any_bytes(len);
    size_t text_len = fb_b64url_encoded(len);
    char *text = any_bytes(text_len);
    PROVE(fb_b64url_encode(bytes, len, text) == text + text_len);
    PROVE(fb_b64url_decoded(text_len) == len);
    unsigned char *again = any_bytes(len);
    PROVE(fb_b64url_decode(text, text_len, again));
    PROVE(memcmp(again, bytes, len) == 0);
    free(bytes);
    free(text);
    free(again);
    return 0;
}
