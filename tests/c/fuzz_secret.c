/* The first byte chooses the algorithm; the rest is a secret for it. */
#include "fuzz.h"
#include "jose/jose.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"HS256", "HS384", "HS512"};
    if (size == 0) {
        return 0;
    }
    const char *name = names[data[0] % 3];
    const alg *algorithm = fb_alg_find(name, strlen(name));
    MUST(algorithm != NULL);
    char *copy = exact_copy(data + 1, size - 1);
    span secret = {copy, size - 1};
    status strict = fb_secret_check(secret, algorithm, false);
    status lax = fb_secret_check(secret, algorithm, true);
    MUST(lax != STATUS_KEY_SHORT);
    MUST(strict == lax
         || (strict == STATUS_KEY_SHORT && secret.len < algorithm->signature));
    MUST(strict != STATUS_OK || secret.len >= algorithm->signature);
    char *room = exact_room(2 * secret.len);
    if (secret.len > 0 && fb_secret_is_der(secret, room)) {
        MUST(lax != STATUS_OK);
    }
    MUST(memcmp(copy, data + 1, size - 1) == 0);
    free(room);
    free(copy);
    return 0;
}
