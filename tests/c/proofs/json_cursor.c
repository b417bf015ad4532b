/* prove: 0..3 +2 lib/json/json_scan.c
 * Texts of up to 3 characters, with any questions in any order that an event
 * allows: the cursor stays within the text, and so does what it has read. */
#include "any_string.h"
#include "proof.h"

#include "json/json.h"

/* As json_text.c proves it: a string ends within the text, or is refused. */
status
fb_json_text_read(json_cursor *at)
{
    PROVE(at->p < at->end && *at->p == '"');
    size_t left = (size_t)(at->end - at->p), len = nondet_size_t();
    if (left < 2 || nondet_bool()) {
        at->p += any_size(left);
        return STATUS_JSON_SYNTAX;
    }
    ASSUME(len <= left - 2);
    at->text = (span){at->p + 1, len};
    at->p += len + 2;
    return STATUS_OK;
}

static json_event
ask(json_cursor *at, json_event last, uint64_t objects)
{
    if (last == JSON_NAME) {
        return fb_json_value(at);
    }
    return (objects >> at->depth & 1) != 0 ? fb_json_member(at)
                                           : fb_json_item(at);
}

static void
look(const json_cursor *at, const char *text, json_event event)
{
    PROVE(at->p >= text && at->p <= at->end);
    PROVE(at->depth >= 0 && at->depth <= JSON_DEPTH_MAX);
    if (event == JSON_NAME || event == JSON_STRING || event == JSON_INTEGER
        || event == JSON_REAL) {
        PROVE(at->text.p >= text && at->text.p + at->text.len <= at->p);
    }
}

int
main(void)
{
    size_t len = SIZE;
    char *text = any_bytes(len);
    json_cursor at;
    uint64_t objects = 0;
    fb_json_begin(&at, (span){text, len});
    json_event event = fb_json_value(&at);
    look(&at, text, event);
    while (event != JSON_REFUSED && at.depth > 0) {
        if (event == JSON_OBJECT) {
            objects |= (uint64_t)1 << at.depth;
        } else if (event == JSON_ARRAY) {
            objects &= ~((uint64_t)1 << at.depth);
        }
        event = ask(&at, event, objects);
        look(&at, text, event);
    }
    if (event != JSON_REFUSED && fb_json_end(&at)) {
        PROVE(at.p == text + len && at.depth == 0);
    }
    free(text);
    return 0;
}
