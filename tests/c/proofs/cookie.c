/* prove: 0..1 +10 lib/base/text.c lib/base/b64url.c
 * Lines of at most one character, split into cookies by the code of the
 * extension, with a stand-in for Python: no name and no value begins or ends
 * outside its line. */
#include "narrow.h"

#include "http/cookie.c"

int
main(void)
{
    char *line = any_bytes(SIZE), name[] = "a";
    const wanted what = {{name, 1}, nondet_bool()};
    (void)add_all(&an_object, (span){line, SIZE}, &what);
    free(line);
    return 0;
}
