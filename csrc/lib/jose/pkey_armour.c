/* PEM texts as people paste them (RFC 7468 3, lax, and beyond). */
#include "jose/jose.h"

#include <string.h>

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

/* The body's characters of base64, in the alphabet of base64url: a line's end
 * may be any white space, or be written as \n, as it is in variables of the
 * environment; JSON writes \/ for a slash. Of all else the decoder judges. */
static size_t
gather(span body, char *out)
{
    size_t len = 0;
    bool is_escaped = false;
    for (size_t i = 0; i < body.len; i++) {
        char c = body.p[i];
        bool is_space = c == ' ' || (c >= '\t' && c <= '\r')
                        || (is_escaped && (c == 'n' || c == 'r' || c == 't'));
        is_escaped = c == '\\';
        if (!is_space && !is_escaped) {
            out[len++] = c == '+'               ? '-'
                         : c == '/'             ? '_'
                         : c == '-' || c == '_' ? '!' /* in no base64 */
                                                : c;
        }
    }
    return len;
}

bool
fb_pkey_block_decode(span body, char *room, span *bytes)
{
    span text = {room, gather(body, room)};
    char *out = room + body.len;
    if (!fb_text_cut_padding(&text)
        || !fb_b64url_decode(text.p, text.len, (unsigned char *)out)) {
        return false;
    }
    *bytes = (span){out, fb_b64url_decoded(text.len)};
    return true;
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

bool
fb_pkey_block_next(span *rest, span *label, span *body)
{
    static const char word[] = DASHES "BEGIN ";
    const char *end = rest->p + rest->len, *p = rest->p;
    while ((p = find(p, end, word)) != NULL) {
        const char *name = p + sizeof word - 1;
        const char *stop = find(name, end, DASHES);
        const char *start = stop == NULL ? NULL : stop + DASHES_LEN;
        p = start == NULL ? NULL : find(start, end, DASHES);
        if (p == NULL) {
            break;
        }
        *label = (span){name, (size_t)(stop - name)};
        if (is_end(p, end, *label)) {
            *body = (span){start, (size_t)(p - start)};
            p += DASHES_LEN;
            *rest = (span){p, (size_t)(end - p)};
            return true;
        }
    }
    return false;
}
