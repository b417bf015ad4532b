/* WordPress's bcrypt of a digest, since its version 6.8: $wp$2y$cost$... */
#include "password/password.h"

#include <openssl/crypto.h>
#include <openssl/hmac.h>

#define WORD_LEN 3 /* "$wp"; the '$' after it is bcrypt's first one */
#define SHA384_LEN 48
#define TEXT_LEN (SHA384_LEN / 3 * 4)

static const char key[] = "wp-sha384";

static span
inner_of(span hash)
{
    return (span){hash.p + WORD_LEN, hash.len - WORD_LEN};
}

static bool
is_trimmed(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\v'
           || c == '\0';
}

/* As PHP's trim() does. */
static span
trimmed(span password)
{
    while (password.len > 0 && is_trimmed(password.p[0])) {
        password = (span){password.p + 1, password.len - 1};
    }
    while (password.len > 0 && is_trimmed(password.p[password.len - 1])) {
        password.len--;
    }
    return password;
}

status
fb_wordpress_check(const format *row, span setting, hash_parts *out)
{
    status result = fb_bcrypt_check(row, inner_of(setting), out);
    out->digest_at += WORD_LEN;
    return result;
}

bool
fb_wordpress_is_sole(span setting, span password)
{
    (void)setting;
    return trimmed(password).len == password.len;
}

status
fb_wordpress_verify(const format *row, const hash_means *means, span password,
                    span hash, unsigned threads, bool *matches)
{
    unsigned char digest[SHA384_LEN] = {0};
    char text[2 * SHA384_LEN + 4]; /* as fb_text_encode asks */
    span typed = trimmed(password);
    *matches = false;
    fb_failure_forget();
    if (HMAC(EVP_sha384(), key, sizeof key - 1, (const unsigned char *)typed.p,
             typed.len, digest, NULL)
        == NULL) {
        return fb_failure_of(STATUS_CRYPTO_FAILED);
    }
    (void)fb_text_encode(digest, sizeof digest, CODE_B64_PADDED, text);
    status result = fb_bcrypt_verify(row, means, (span){text, TEXT_LEN},
                                     inner_of(hash), threads, matches);
    OPENSSL_cleanse(digest, sizeof digest);
    OPENSSL_cleanse(text, sizeof text);
    return result;
}
