/*
 * The cursor and a second reader, side by side: whatever the text is, they say
 * the same at every step, and the cursor stays within it.
 */
#include "second_json.h"

typedef struct {
    span whole;
    json_cursor cursor;
    second_json second;
    /* what fb_json_find_string shall find */
    int names; /* how often the name came at the top */
    bool is_next, is_string;
    span found;
} pair;

/* --- what an event brings ------------------------------------------------ */

static void
check_text(const pair *both)
{
    const json_cursor *cursor = &both->cursor;
    const second_json *second = &both->second;
    const span meant = {(char *)second->meaning, second->meaning_len};
    MUST(is_within(cursor->text, both->whole));
    MUST(cursor->text.p == second->text.p);
    MUST(cursor->text.len == second->text.len);
    MUST(cursor->is_ascii == second->is_ascii);
    MUST(cursor->is_escaped == second->is_escaped);
    char *text = exact_copy(cursor->text.p, cursor->text.len);
    char *meaning = exact_room(cursor->text.len);
    size_t len = fb_json_unescape((span){text, cursor->text.len}, meaning);
    MUST(is_same((span){meaning, len}, meant));
    len = fb_json_unescape((span){text, cursor->text.len}, text);
    MUST(is_same((span){text, len}, meant)); /* where it stood */
    free(meaning);
    free(text);
}

/* One look at a string tells whether it takes more than that. */
static void
check_plain_text(const pair *both)
{
    const json_cursor *cursor = &both->cursor;
    span plain;
    const char *after =
        json_plain_text(cursor->text.p - 1, cursor->end, &plain);
    bool is_plain = cursor->is_ascii && !cursor->is_escaped;
    MUST((after != NULL) == is_plain);
    MUST(after == NULL
         || (after == cursor->p && is_same(plain, cursor->text)));
}

static void
check_plain_integer(const pair *both, bool is_integer)
{
    const json_cursor *cursor = &both->cursor;
    int64_t value = 0;
    const char *after =
        json_plain_integer(cursor->text.p, cursor->end, &value);
    MUST(after == NULL
         || (is_integer && cursor->is_small && after == cursor->p
             && value == cursor->integer));
}

static void
check_real(const pair *both)
{
    span text = both->cursor.text;
    char *copy = exact_room(text.len + 1);
    memcpy(copy, text.p, text.len);
    copy[text.len] = '\0';
    double wanted = strtod(copy, NULL), value;
    MUST(!fb_json_real(text, &value)
         || memcmp(&value, &wanted, sizeof value) == 0);
    free(copy);
}

static void
check_number(const pair *both, bool is_integer)
{
    const json_cursor *cursor = &both->cursor;
    check_plain_integer(both, is_integer);
    MUST(cursor->text.p == both->second.text.p);
    MUST(cursor->text.len == both->second.text.len);
    if (is_integer) {
        size_t digits = cursor->text.len - (*cursor->text.p == '-');
        MUST(cursor->is_small == (digits <= 18));
        if (cursor->is_small) {
            char copy[24] = {0};
            memcpy(copy, cursor->text.p, cursor->text.len);
            MUST(cursor->integer == strtoll(copy, NULL, 10));
        }
    }
}

/* --- side by side -------------------------------------------------------- */

static bool agree_object(pair *both, int depth);
static bool agree_array(pair *both, int depth);

/* A value of which the cursor says `said`; false where it is refused. */
static bool
agree_value(pair *both, json_event said, int depth)
{
    bool is_wanted = both->is_next;
    both->is_next = false;
    MUST(said == second_value(&both->second, depth));
    if (is_wanted) {
        both->is_string = said == JSON_STRING;
        both->found = both->cursor.text;
    }
    switch (said) {
    case JSON_REFUSED:
        return false;
    case JSON_STRING:
        check_text(both);
        check_plain_text(both);
        return true;
    case JSON_INTEGER:
        check_number(both, true);
        return true;
    case JSON_REAL:
        check_number(both, false);
        check_real(both);
        return true;
    case JSON_OBJECT:
        return agree_object(both, depth + 1);
    case JSON_ARRAY:
        return agree_array(both, depth + 1);
    default:
        return true;
    }
}

static bool
agree_array(pair *both, int depth)
{
    for (bool is_first = true;; is_first = false) {
        json_event said = fb_json_item(&both->cursor);
        second_skip_space(&both->second);
        if (second_take(&both->second, ']')) {
            MUST(said == JSON_ARRAY_END);
            MUST(both->cursor.depth == depth - 1);
            return true;
        }
        if (!is_first && !second_take(&both->second, ',')) {
            MUST(said == JSON_REFUSED);
            return false;
        }
        if (!agree_value(both, said, depth)) {
            return false;
        }
    }
}

/* A name and its colon. */
static bool
second_name(pair *both, bool is_first)
{
    second_json *second = &both->second;
    if (!is_first && !second_take(second, ',')) {
        return false;
    }
    second_skip_space(second);
    if (!second_string(second)) {
        return false;
    }
    second_skip_space(second);
    return second_take(second, ':');
}

static bool
agree_object(pair *both, int depth)
{
    for (bool is_first = true;; is_first = false) {
        json_event said = fb_json_member(&both->cursor);
        second_skip_space(&both->second);
        if (second_take(&both->second, '}')) {
            MUST(said == JSON_OBJECT_END);
            MUST(both->cursor.depth == depth - 1);
            return true;
        }
        bool is_good = second_name(both, is_first);
        MUST(said == (is_good ? JSON_NAME : JSON_REFUSED));
        if (!is_good) {
            return false;
        }
        check_text(both);
        both->is_next = depth == 1 && both->second.meaning_len == 3
                        && memcmp(both->second.meaning, "iss", 3) == 0;
        both->names += both->is_next;
        if (!agree_value(both, fb_json_value(&both->cursor), depth)) {
            return false;
        }
    }
}

/* --- a whole text -------------------------------------------------------- */

static void
check_finding(const pair *both, bool is_good)
{
    json_cursor found;
    bool is_there = fb_json_find_string(both->whole, (span){"iss", 3}, &found);
    MUST(is_there == (is_good && both->names == 1 && both->is_string));
    MUST(!is_there
         || (found.text.p == both->found.p
             && found.text.len == both->found.len));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = exact_copy(data, size);
    pair both = {.whole = {copy, size}};
    both.second.at = (unsigned char *)copy;
    both.second.end = both.second.at + size;
    both.second.meaning = exact_room(size + 4);
    fb_json_begin(&both.cursor, both.whole);
    bool is_good = agree_value(&both, fb_json_value(&both.cursor), 0);
    if (is_good) {
        second_skip_space(&both.second);
        is_good = both.second.at == both.second.end;
        MUST(fb_json_end(&both.cursor) == is_good);
    } else {
        MUST(both.cursor.error != STATUS_OK);
    }
    check_finding(&both, is_good);
    MUST(size == 0 || memcmp(copy, data, size) == 0);
    free(both.second.meaning);
    free(copy);
    return 0;
}
