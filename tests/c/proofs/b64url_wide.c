/* prove: 24..72 +1 lib/base/b64url_wide.c
 * From 24 to 72 characters or bytes: the blocks, and the last one, which
 * overlaps those before it, stay within the text and within the bytes. */
#include "proof.h"

#include "base/base.h"

bool
fb_cpu_has_avx2(void)
{
    return true;
}

int
main(void)
{
    const size_t decoded = SIZE / 4 * 3 + SIZE % 4 * 3 / 4;
    const size_t encoded = SIZE / 3 * 4 + (SIZE % 3 * 4 + 2) / 3;
    char *text = malloc(SIZE), *out = malloc(encoded);
    unsigned char *bytes = malloc(decoded), *in = malloc(SIZE);
    size_t done = fb_b64url_decode_wide(text, SIZE, bytes);
    PROVE(done <= SIZE && done % 4 == 0);
    done = fb_b64url_encode_wide(in, SIZE, out);
    PROVE(done <= SIZE && done % 3 == 0);
    free(text);
    free(out);
    free(bytes);
    free(in);
    return 0;
}
