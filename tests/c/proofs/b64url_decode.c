/* prove: 0..9 +2 lib/base/b64url.c
 * Texts of up to 9 characters: they are decoded into the room that is said, or
 * refused as the check refuses them. Of up to 3, whatever is decoded is written
 * again as the same text, so that no two texts mean the same bytes. */
#include "narrow.h"

int
main(void)
{
    size_t len = SIZE;
    char *text = any_bytes(len);
    unsigned char *bytes = any_bytes(fb_b64url_decoded(len));
    bool is_one = fb_b64url_decode(text, len, bytes);
    PROVE(fb_b64url_check(text, len) == is_one);
    if (is_one && SIZE <= 3) {
        char *again = any_bytes(len);
        char *end = fb_b64url_encode(bytes, fb_b64url_decoded(len), again);
        PROVE(end == again + len);
        PROVE(memcmp(again, text, len) == 0);
        free(again);
    }
    free(text);
    free(bytes);
    return 0;
}
