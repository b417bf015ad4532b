/* Whatever the text is, the cursor stays within it and within its depth. */
#include "fuzz.h"
#include "json/json.h"

/* What an event says, in a few bytes: two readings must agree. */
static uint64_t
mixed(uint64_t sum, json_event event, const json_cursor *cursor)
{
    return (sum ^ (uint64_t)event ^ cursor->text.len) * 0x100000001b3
           + (uint64_t)cursor->depth;
}

static void
check_text(const json_cursor *cursor, span whole)
{
    MUST(is_within(cursor->text, whole));
    char *meaning = exact_room(cursor->text.len);
    size_t len = fb_json_unescape(cursor->text, meaning);
    MUST(len <= cursor->text.len);
    if (!cursor->is_escaped) {
        MUST(len == cursor->text.len);
        MUST(len == 0 || memcmp(meaning, cursor->text.p, len) == 0);
    }
    for (size_t i = 0; cursor->is_ascii && i < cursor->text.len; i++) {
        MUST((unsigned char)cursor->text.p[i] < 0x80);
    }
    free(meaning);
}

/* What fb_json_find_string shall find, told from the events of the top level. */
typedef struct {
    int names; /* how often the name came */
    bool is_next, is_string;
    span text;
} wanted;

static void
watch(wanted *issuer, json_event event, const json_cursor *cursor)
{
    if (issuer->is_next) {
        issuer->is_string = event == JSON_STRING;
        issuer->text = cursor->text;
    }
    issuer->is_next = false;
    if (event == JSON_NAME && cursor->depth == 1) {
        char *plain = exact_room(cursor->text.len);
        size_t len = fb_json_unescape(cursor->text, plain);
        issuer->is_next = len == 3 && memcmp(plain, "iss", 3) == 0;
        issuer->names += issuer->is_next;
        free(plain);
    }
}

/* Reads it all; returns what came, and whether the text was accepted. */
static uint64_t
walk(span text, bool *is_good, wanted *issuer)
{
    json_cursor cursor;
    bool is_object[JSON_DEPTH_MAX + 1] = {false};
    uint64_t sum = 0;
    fb_json_begin(&cursor, text);
    json_event event = fb_json_value(&cursor);
    for (;;) {
        sum = mixed(sum, event, &cursor);
        watch(issuer, event, &cursor);
        if (event == JSON_REFUSED) {
            MUST(cursor.error != STATUS_OK);
            *is_good = false;
            return sum;
        }
        MUST(cursor.depth >= 0 && cursor.depth <= JSON_DEPTH_MAX);
        if (event == JSON_OBJECT || event == JSON_ARRAY) {
            is_object[cursor.depth] = event == JSON_OBJECT;
        } else if (event == JSON_STRING || event == JSON_NAME) {
            check_text(&cursor, text);
        } else if (event == JSON_INTEGER || event == JSON_REAL) {
            MUST(is_within(cursor.text, text) && cursor.text.len > 0);
        }
        if (event == JSON_NAME) {
            event = fb_json_value(&cursor);
        } else if (cursor.depth == 0) {
            *is_good = fb_json_end(&cursor);
            return sum;
        } else if (is_object[cursor.depth]) {
            event = fb_json_member(&cursor);
        } else {
            event = fb_json_item(&cursor);
        }
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = exact_copy(data, size);
    span text = {copy, size};
    bool first = false, second = false;
    wanted issuer = {0}, again = {0};
    uint64_t sum = walk(text, &first, &issuer);
    MUST(walk(text, &second, &again) == sum && first == second);
    json_cursor found;
    bool is_there = fb_json_find_string(text, (span){"iss", 3}, &found);
    MUST(is_there == (first && issuer.names == 1 && issuer.is_string));
    MUST(!is_there
         || (found.text.p == issuer.text.p
             && found.text.len == issuer.text.len));
    MUST(size == 0 || memcmp(copy, data, size) == 0);
    free(copy);
    return 0;
}
