/* The digests that algorithms name, fetched once. */
#include "crypto/crypto.h"

static const char *const digest_names[DIGEST_COUNT] = {
    [DIGEST_SHA256] = "SHA256",
    [DIGEST_SHA384] = "SHA384",
    [DIGEST_SHA512] = "SHA512",
};

bool
fb_digest_fetch_all(digests *all, bool only_evp)
{
    all->by_value = !only_evp && !EVP_default_properties_is_fips_enabled(NULL);
    all->by_sodium = false;
    for (int i = 0; i < DIGEST_COUNT; i++) {
        all->md[i] = EVP_MD_fetch(NULL, digest_names[i], NULL);
        if (all->md[i] == NULL) {
            return false;
        }
        all->by_value =
            all->by_value && fb_sha2_agrees((digest_id)i, all->md[i]);
    }
    return true;
}

void
fb_digest_free_all(digests *all)
{
    for (int i = 0; i < DIGEST_COUNT; i++) {
        EVP_MD_free(all->md[i]);
        all->md[i] = NULL;
    }
}
