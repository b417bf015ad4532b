/* prove: 0..3 +1 lib/http/cookie_pair.c lib/base/text.c
 * Lines of up to 3 characters: each name and each value is a part of the line
 * and of no other pair, a name ends before its value, what is left is the end
 * of the line, and it gets shorter with each pair. */
#include "any_string.h"
#include "proof.h"

#include "http/http.h"

static bool
is_part(span part, const char *from, const char *to)
{
    return part.p >= from && part.p <= to && part.len <= (size_t)(to - part.p);
}

int
main(void)
{
    char *line = any_bytes(SIZE), letter[] = "a";
    const cookie_wanted what = {{letter, any_size(1)}, nondet_bool()};
    span rest = {line, SIZE}, name, value;
    const char *from = rest.p, *end = line + SIZE;
    while (fb_cookie_find(&rest, &what, &name, &value)) {
        PROVE(rest.p > from && rest.p + rest.len == end);
        PROVE(is_part(name, from, rest.p) && is_part(value, from, rest.p));
        PROVE(name.p + name.len < value.p);
        from = rest.p;
    }
    PROVE(rest.p == end && rest.len == 0);
    free(line);
    return 0;
}
