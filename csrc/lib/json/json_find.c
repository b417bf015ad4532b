/* One member of a JSON object, found without making anything of the rest. */
#include "json/json.h"

#include <string.h>

/* Moves past the rest of the value that `event` began. */
static bool
skip_value(json_cursor *at, json_event event)
{
    int level = at->depth;
    uint64_t objects = 0; /* a bit for each level that is one */
    if (event != JSON_OBJECT && event != JSON_ARRAY) {
        return event != JSON_REFUSED;
    }
    while (event != JSON_REFUSED && at->depth >= level) {
        uint64_t bit = (uint64_t)1 << at->depth;
        if (event == JSON_OBJECT) {
            objects |= bit;
        } else if (event == JSON_ARRAY) {
            objects &= ~bit;
        }
        event = event == JSON_NAME     ? fb_json_value(at)
                : (objects & bit) != 0 ? fb_json_member(at)
                                       : fb_json_item(at);
    }
    return event != JSON_REFUSED;
}

/* An escape must not hide a name, nor that it comes twice. */
static bool
is_named(const json_cursor *at, span name)
{
    char plain[6 * JSON_FIND_MAX]; /* "\u0069" for each character */
    size_t len = at->text.len;
    const char *text = at->text.p;
    if (at->is_escaped && len <= sizeof plain) {
        len = fb_json_unescape(at->text, plain);
        text = plain;
    }
    return len == name.len && memcmp(text, name.p, len) == 0;
}

bool
fb_json_find_string(span text, span name, json_cursor *found)
{
    json_cursor at;
    json_event event;
    int times = 0;
    bool is_string = false;
    fb_json_begin(&at, text);
    if (fb_json_value(&at) != JSON_OBJECT) {
        return false;
    }
    while ((event = fb_json_member(&at)) == JSON_NAME) {
        bool is_it = is_named(&at, name);
        event = fb_json_value(&at);
        if (is_it) {
            *found = at;
            is_string = event == JSON_STRING;
            times++;
        }
        if (!skip_value(&at, event)) {
            return false;
        }
    }
    return event == JSON_OBJECT_END && fb_json_end(&at) && times == 1
           && is_string;
}
