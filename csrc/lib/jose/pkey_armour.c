/* PEM texts as people paste them (RFC 7468 3, lax, and beyond). */
#include "jose/jose.h"

#include <string.h>

#define LINE 64 /* characters: RFC 7468 2 */
#define DASHES "-----"
#define DASHES_LEN (sizeof DASHES - 1)

static const char *
find(const char *p, const char *end, const char *part)
{
    size_t len = strlen(part);
    while ((size_t)(end - p) >= len
           && (p = memchr(p, part[0], (size_t)(end - p) - len + 1)) != NULL) {
        if (memcmp(p, part, len) == 0) {
            return p;
        }
        p++;
    }
    return NULL;
}

static char *
put(char *out, span text)
{
    memcpy(out, text.p, text.len);
    return out + text.len;
}

/* A line's end may be any white space, or be written as \n, as it is in
 * variables of the environment; JSON writes \/ for a slash. Of all else the
 * base64 decoder judges. */
static char *
put_body(char *out, span body)
{
    size_t column = 0;
    bool is_escaped = false;
    for (size_t i = 0; i < body.len; i++) {
        char c = body.p[i];
        bool is_space = c == ' ' || (c >= '\t' && c <= '\r')
                        || (is_escaped && (c == 'n' || c == 'r' || c == 't'));
        is_escaped = c == '\\';
        if (is_space || is_escaped) {
            continue;
        }
        if (column == LINE) {
            *out++ = '\n';
            column = 0;
        }
        *out++ = c;
        column++;
    }
    *out++ = '\n';
    return out;
}

static char *
put_line(char *out, const char *word, span label)
{
    out = put(out, (span){DASHES, DASHES_LEN});
    out = put(out, (span){word, strlen(word)});
    out = put(out, label);
    out = put(out, (span){DASHES "\n", DASHES_LEN + 1});
    return out;
}

/* Whether the text at p is the end of a block of that label. */
static bool
is_end(const char *p, const char *end, span label)
{
    static const char word[] = DASHES "END ";
    const size_t len = sizeof word - 1;
    return (size_t)(end - p) >= len + label.len + DASHES_LEN
           && memcmp(p, word, len) == 0
           && memcmp(p + len, label.p, label.len) == 0
           && memcmp(p + len + label.len, DASHES, DASHES_LEN) == 0;
}

size_t
fb_pkey_tidy_pem(span text, char *out)
{
    static const char word[] = DASHES "BEGIN ";
    const char *end = text.p + text.len, *p = text.p;
    char *start = out;
    while ((p = find(p, end, word)) != NULL) {
        const char *name = p + sizeof word - 1;
        const char *body = find(name, end, DASHES);
        const char *stop =
            body == NULL ? NULL : find(body + DASHES_LEN, end, DASHES);
        if (stop == NULL) {
            break;
        }
        span label = {name, (size_t)(body - name)};
        body += DASHES_LEN;
        p = stop;
        if (is_end(stop, end, label)) {
            out = put_line(out, "BEGIN ", label);
            out = put_body(out, (span){body, (size_t)(stop - body)});
            out = put_line(out, "END ", label);
            p = stop + DASHES_LEN;
        }
    }
    return (size_t)(out - start);
}
