/* The cookies of a request, one after another. */
#include "http/http.h"

static const char secure_mark[] = "__Secure-";
enum { SECURE_MARK_LEN = sizeof secure_mark - 1 };

static span
trimmed(span text)
{
    while (text.len > 0 && (*text.p == ' ' || *text.p == '\t')) {
        text = (span){text.p + 1, text.len - 1};
    }
    while (text.len > 0
           && (text.p[text.len - 1] == ' ' || text.p[text.len - 1] == '\t')) {
        text.len--;
    }
    return text;
}

static span
unquoted(span text)
{
    bool is_quoted =
        text.len >= 2 && text.p[0] == '"' && text.p[text.len - 1] == '"';
    return is_quoted ? (span){text.p + 1, text.len - 2} : text;
}

static bool
is_wanted(span name, const cookie_wanted *what)
{
    if (what->is_whole) {
        return name.len == what->name.len && fb_text_begins(name, what->name);
    }
    if (fb_text_begins(name, (span){secure_mark, SECURE_MARK_LEN})) {
        name = (span){name.p + SECURE_MARK_LEN, name.len - SECURE_MARK_LEN};
    }
    return fb_text_begins(name, what->name);
}

bool
fb_cookie_find(span *rest, const cookie_wanted *what, span *name, span *value)
{
    const char *end = rest->p + rest->len, *at = rest->p;
    while (at < end) {
        const char *stop = memchr(at, ';', (size_t)(end - at));
        const char *next = stop == NULL ? end : stop + 1;
        stop = stop == NULL ? end : stop;
        const char *equals = memchr(at, '=', (size_t)(stop - at));
        if (equals != NULL) {
            *name = trimmed((span){at, (size_t)(equals - at)});
            if (is_wanted(*name, what)) {
                *value = unquoted(
                    trimmed((span){equals + 1, (size_t)(stop - equals - 1)}));
                *rest = (span){next, (size_t)(end - next)};
                return true;
            }
        }
        at = next;
    }
    *rest = (span){end, 0};
    return false;
}
