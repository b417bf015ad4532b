/* Digests of several pieces, over libcrypto. */
#include "password/password.h"

#include "password/old.h"

digester
fb_digester_open(const EVP_MD *md)
{
    fb_failure_forget();
    digester made = {.context = EVP_MD_CTX_new()};
    made.ok =
        made.context != NULL && EVP_DigestInit_ex(made.context, md, NULL) == 1;
    return made;
}

void
fb_digester_add(digester *of, const void *bytes, size_t len)
{
    of->ok = of->ok && EVP_DigestUpdate(of->context, bytes, len) == 1;
}

void
fb_digester_repeat(digester *of, const void *bytes, size_t size, size_t len)
{
    for (; len > size; len -= size) {
        fb_digester_add(of, bytes, size);
    }
    fb_digester_add(of, bytes, len);
}

void
fb_digester_end(digester *of, unsigned char *digest)
{
    of->ok = of->ok && EVP_DigestFinal_ex(of->context, digest, NULL) == 1
             && EVP_DigestInit_ex(of->context, NULL, NULL) == 1;
}

status
fb_digester_close(digester *of)
{
    EVP_MD_CTX_free(of->context);
    return of->ok ? STATUS_OK : fb_failure_of(STATUS_CRYPTO_FAILED);
}
