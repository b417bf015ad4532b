/*
 * What a request holds, as its cookies and as its credentials: cut by the
 * library, and by readers that go a character at a time.
 */
#include "fuzz.h"

#include "http/http.h"

#include <ctype.h>

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Where, between two places, what is not white space begins and ends. */
static span
second_trim(span text, size_t from, size_t to)
{
    size_t first = to, last = from;
    for (size_t i = from; i < to; i++) {
        if (!is_blank(text.p[i])) {
            first = first == to ? i : first;
            last = i + 1;
        }
    }
    return first < last ? (span){text.p + first, last - first}
                        : (span){text.p + from, 0};
}

/* The next pair at or after *at, of which *at becomes the end. */
static bool
second_next(span line, size_t *at, span *name, span *value)
{
    size_t from = *at, equals = line.len;
    for (size_t i = from; i <= line.len; i++) {
        if (i < line.len && line.p[i] != ';') {
            equals = line.p[i] == '=' && equals == line.len ? i : equals;
            continue;
        }
        *at = i + 1;
        if (equals != line.len) {
            *name = second_trim(line, from, equals);
            *value = second_trim(line, equals + 1, i);
            return true;
        }
        from = i + 1;
    }
    return false;
}

static bool
is_quoted(span text)
{
    return text.len > 1 && *text.p == '"' && text.p[text.len - 1] == '"';
}

/* A cookie is wanted whose name, without "__Secure-" before it, begins so. */
static bool
is_wanted(span name, const cookie_wanted *what)
{
    static const char mark[] = "__Secure-";
    size_t at = 0;
    while (at < sizeof mark - 1 && at < name.len && name.p[at] == mark[at]) {
        at++;
    }
    if (what->is_whole) {
        return is_same(name, what->name);
    }
    at = at == sizeof mark - 1 ? at : 0;
    return name.len - at >= what->name.len
           && is_same((span){name.p + at, what->name.len}, what->name);
}

static void
check_cookies(span line, const cookie_wanted *what)
{
    span rest = line, name, value, second_name, second_value;
    size_t at = 0;
    while (second_next(line, &at, &second_name, &second_value)) {
        if (!is_wanted(second_name, what)) {
            continue;
        }
        MUST(fb_cookie_find(&rest, what, &name, &value));
        MUST(is_within(rest, line));
        MUST(line.len - rest.len == (at < line.len ? at : line.len));
        MUST(is_within(name, line) && is_within(value, line));
        MUST(is_same(name, second_name));
        if (is_quoted(second_value)) {
            second_value.p++;
            second_value.len -= 2;
        }
        MUST(is_same(value, second_value));
        MUST(memchr(value.p, ';', value.len) == NULL);
    }
    MUST(!fb_cookie_find(&rest, what, &name, &value));
    MUST(rest.len == 0);
    MUST(!fb_cookie_find(&rest, what, &name, &value));
}

static bool
is_scheme(const char *text)
{
    static const char lower[] = "bearer ";
    bool is_it = true;
    for (size_t i = 0; is_it && i < sizeof lower - 1; i++) {
        is_it = tolower((unsigned char)text[i]) == lower[i];
    }
    return is_it;
}

static void
check_bearer(span value)
{
    const span token = fb_credentials_bearer(value);
    char *text = exact_room(value.len + 1);
    memcpy(text, value.p, value.len);
    text[value.len] = '\0';
    MUST(is_within(token, value));
    if (value.len < 7 || !is_scheme(text)) {
        MUST(token.len == 0);
    } else {
        size_t spaces = strspn(text + 6, " ");
        MUST(token.len == value.len - 6 - spaces);
        MUST(token.p + token.len == value.p + value.len);
        MUST(token.len == 0 || *token.p != ' ');
    }
    free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const span input = {exact_copy(data, size), size};
    static const cookie_wanted wanted[] = {
        {{"", 0}, false}, {{"a", 1}, false}, {{"a.b", 3}, true}};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        check_cookies(input, &wanted[i]);
    }
    check_bearer(input);
    span_free(input);
    return 0;
}
