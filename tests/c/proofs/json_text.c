/* prove: 1..5 +2 lib/json/json_text.c
 * Names and strings of up to 5 characters, quotes and all: they are read
 * within the text. */
#include "json_proof.h"

int
main(void)
{
    size_t len = SIZE;
    ASSUME(len > 0);
    char *text = any_bytes(len);
    text[0] = '"';
    json_cursor at = {.p = text, .end = text + len};
    if (fb_json_text_read(&at) == STATUS_OK) {
        PROVE(at.text.p == text + 1 && at.text.len + 2 <= len);
        PROVE(at.p == text + at.text.len + 2 && at.p[-1] == '"');
    } else {
        PROVE(at.p >= text && at.p <= at.end);
    }
    free(text);
    return 0;
}
