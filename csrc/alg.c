/* The algorithm table, and the digests that its rows name. */
#include "core.h"

#include <string.h>

static const alg algs[] = {
    {"HS256", DIGEST_SHA256, KIND_HMAC, 32},
    {"HS384", DIGEST_SHA384, KIND_HMAC, 48},
    {"HS512", DIGEST_SHA512, KIND_HMAC, 64},
};

static const char *const digest_names[DIGEST_COUNT] = {
    [DIGEST_SHA256] = "SHA256",
    [DIGEST_SHA384] = "SHA384",
    [DIGEST_SHA512] = "SHA512",
};

const alg *
alg_find(const char *name, size_t len)
{
    for (size_t i = 0; i < sizeof algs / sizeof algs[0]; i++) {
        if (strlen(algs[i].name) == len
            && memcmp(algs[i].name, name, len) == 0) {
            return &algs[i];
        }
    }
    return NULL;
}

bool
digests_fetch(digests *all, bool only_evp)
{
    all->by_value = !only_evp && !EVP_default_properties_is_fips_enabled(NULL);
    for (int i = 0; i < DIGEST_COUNT; i++) {
        all->md[i] = EVP_MD_fetch(NULL, digest_names[i], NULL);
        if (all->md[i] == NULL) {
            return false;
        }
        all->by_value = all->by_value && sha2_agrees(i, all->md[i]);
    }
    return true;
}

void
digests_free(digests *all)
{
    for (int i = 0; i < DIGEST_COUNT; i++) {
        EVP_MD_free(all->md[i]);
        all->md[i] = NULL;
    }
}
