/* The cookies of a request, one after another. */
#include "http/http.h"

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

bool
fb_cookie_next(span *rest, span *name, span *value)
{
    const char *end = rest->p + rest->len, *at = rest->p;
    while (at < end) {
        const char *stop = memchr(at, ';', (size_t)(end - at));
        const char *next = stop == NULL ? end : stop + 1;
        stop = stop == NULL ? end : stop;
        const char *equals = memchr(at, '=', (size_t)(stop - at));
        if (equals != NULL) {
            *rest = (span){next, (size_t)(end - next)};
            *name = trimmed((span){at, (size_t)(equals - at)});
            *value = unquoted(
                trimmed((span){equals + 1, (size_t)(stop - equals - 1)}));
            return true;
        }
        at = next;
    }
    *rest = (span){end, 0};
    return false;
}
