/* prove: 2..4 +2 lib/json/json_text.c
 * What an escaped text of up to 2 characters means is no longer than it. */
#include "json_proof.h"

int
main(void)
{
    char *text = any_bytes(SIZE);
    text[0] = '"';
    json_cursor at = {.p = text, .end = text + SIZE};
    if (fb_json_text_read(&at) == STATUS_OK) {
        char *plain = malloc(at.text.len);
        PROVE(fb_json_unescape(at.text, plain) <= at.text.len);
        free(plain);
    }
    free(text);
    return 0;
}
