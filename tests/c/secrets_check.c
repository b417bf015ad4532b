/*
 * Whether anything that is done with a key takes another time, or touches
 * other memory, for another key: HMAC and the comparison of a token's MAC,
 * content encryption, key wrapping, and the cookies of Better Auth. `make
 * secrets` runs it under valgrind; see secrets.h.
 *
 * Not watched is how a key is read, which is done once: whether a secret is a
 * PEM text depends on the secret. Its length is public.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "secrets.h"

#include "better_auth/session.h"
#include "jose/jose.h"

#include <openssl/err.h>
#include <openssl/rsa.h>

static digests by_value, by_evp;

static const unsigned char bytes[300] = "0123456789abcdef0123456789abcdef"
                                        "the rest of a secret of 300 bytes";

/* --- HMAC, and the comparison of a MAC ----------------------------------- */

static void
try_hmac(const digests *all, digest_id digest, size_t len)
{
    static const span message = {"header.payload", 14};
    unsigned char right[MAC_MAX], wrong[MAC_MAX] = {0};
    hmac_key key;
    MUST(fb_hmac_key_init(&key, all, digest, bytes, len) == STATUS_OK);
    MUST(fb_hmac_sign(&key, message.p, message.len, right) == STATUS_OK);
    fb_hmac_key_clear(&key);
    memcpy(wrong, right, sizeof wrong);
    wrong[0] ^= 1;
    unsigned char *secret = secret_copy(bytes, len);
    MUST(fb_hmac_key_init(&key, all, digest, secret, len) == STATUS_OK);
    MUST(fb_hmac_verify(&key, message, right) == STATUS_OK);
    MUST(fb_hmac_verify(&key, message, wrong) == STATUS_SIGNATURE_WRONG);
    fb_hmac_key_clear(&key);
    free(secret);
}

/* Shorter than a block, as long, and longer, which is hashed first. */
static void
try_every_hmac(const digests *all)
{
    static const size_t lengths[] = {0, 1, 32, 63, 64, 65, 127, 128, 129, 300};
    for (int digest = 0; digest < DIGEST_COUNT; digest++) {
        for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
            try_hmac(all, (digest_id)digest, lengths[i]);
        }
    }
}

static void
try_hmac_by_value(void)
{
    try_every_hmac(&by_value);
}

static void
try_hmac_by_evp(void)
{
    try_every_hmac(&by_evp);
}

/* --- content encryption (RFC 7518 5) ------------------------------------- */

static void
try_aead(const char *name)
{
    const aead *with = fb_aead_find(name, strlen(name));
    static const span text = {"a text of thirty-two bytes, sure", 32};
    static const span aad = {"header", 6};
    unsigned char iv[16] = {1}, tag[AEAD_TAG_MAX], sealed[64], opened[64];
    size_t len, opened_len;
    MUST(fb_aead_seal(with, &by_value, bytes, iv, aad, text, sealed, &len, tag)
         == STATUS_OK);
    const span cipher = {(char *)sealed, len};
    unsigned char *key = secret_copy(bytes, with->key);
    MUST(fb_aead_open(with, &by_value, key, iv, aad, cipher, tag, opened,
                      &opened_len)
         == STATUS_OK);
    PUBLIC(opened, sizeof opened);
    PUBLIC(&opened_len, sizeof opened_len);
    MUST(opened_len == text.len && memcmp(opened, text.p, text.len) == 0);
    tag[0] ^= 1;
    MUST(fb_aead_open(with, &by_value, key, iv, aad, cipher, tag, opened,
                      &opened_len)
         == STATUS_SIGNATURE_WRONG);
    free(key);
}

static void
try_cbc(void)
{
    try_aead("A128CBC-HS256");
    try_aead("A192CBC-HS384");
    try_aead("A256CBC-HS512");
}

static void
try_gcm(void)
{
    try_aead("A128GCM");
    try_aead("A192GCM");
    try_aead("A256GCM");
}

/* --- key wrapping -------------------------------------------------------- */

static void
try_aes_unwrap(void)
{
    for (size_t len = 16; len <= 32; len += 8) {
        const span kek = {(const char *)bytes, len};
        const span key = {(const char *)bytes + 32, 32};
        unsigned char wrapped[40], out[32];
        MUST(fb_key_wrap_aes(kek, key, wrapped) == STATUS_OK);
        const span text = {(char *)wrapped, sizeof wrapped};
        unsigned char *secret = secret_copy(bytes, len);
        const span secret_kek = {(char *)secret, len};
        MUST(fb_key_unwrap_aes(secret_kek, text, out) == STATUS_OK);
        PUBLIC(out, sizeof out);
        MUST(memcmp(out, key.p, key.len) == 0);
        wrapped[0] ^= 1;
        MUST(fb_key_unwrap_aes(secret_kek, text, out)
             == STATUS_SIGNATURE_WRONG);
        free(secret);
    }
}

/* RSA itself is libcrypto's, and blinds what it computes; the text that comes
 * of it is secret, in all of its room. */
int __real_EVP_PKEY_decrypt(EVP_PKEY_CTX *context, unsigned char *out,
                            size_t *out_len, const unsigned char *in,
                            size_t len);
int
__wrap_EVP_PKEY_decrypt(EVP_PKEY_CTX *context, unsigned char *out,
                        size_t *out_len, const unsigned char *in, size_t len)
{
    size_t room = *out_len;
    int result = __real_EVP_PKEY_decrypt(context, out, out_len, in, len);
    SECRET(out, room);
    return result;
}

static void
try_oaep_unwrap(void)
{
    EVP_PKEY *evp = EVP_RSA_gen(1024); /* which memcheck waits for */
    MUST(evp != NULL);
    for (int sha256 = 0; sha256 < 2; sha256++) {
        unsigned char wrapped[RSA_BYTES_MAX], out[RSA_BYTES_MAX];
        size_t len, out_len;
        const span key = {(const char *)bytes, 32};
        MUST(fb_key_wrap_oaep(evp, sha256, key, wrapped, &len) == STATUS_OK);
        const span text = {(char *)wrapped, len};
        MUST(fb_key_unwrap_oaep(evp, sha256, text, out, &out_len)
             == STATUS_OK);
        PUBLIC(out, sizeof out);
        MUST(out_len == key.len && memcmp(out, key.p, key.len) == 0);
        wrapped[len - 1] ^= 1;
        MUST(fb_key_unwrap_oaep(evp, sha256, text, out, &out_len)
             == STATUS_SIGNATURE_WRONG);
    }
    EVP_PKEY_free(evp);
}

/* Where libcrypto looks at what RSA gave it: Manger's attack needs to know
 * which of its tests has failed. */
static void
try_oaep_padding(void)
{
    unsigned char padded[256], out[256];
    for (size_t wrong = 0; wrong < 4; wrong++) {
        static const size_t altered[] = {0, 1, 30, 255};
        MUST(RSA_padding_add_PKCS1_OAEP_mgf1(padded, sizeof padded, bytes, 32,
                                             NULL, 0, EVP_sha256(),
                                             EVP_sha256())
             == 1);
        padded[altered[wrong]] ^= wrong == 3 ? 0 : 1;
        SECRET(padded, sizeof padded);
        int len = RSA_padding_check_PKCS1_OAEP_mgf1(
            out, sizeof out, padded, sizeof padded, sizeof padded, NULL, 0,
            EVP_sha256(), EVP_sha256());
        PUBLIC(&len, sizeof len);
        MUST(len == (wrong == 3 ? 32 : -1));
        ERR_clear_error(); /* whether there is one is not branched on either */
    }
}

/* --- the cookies of Better Auth ------------------------------------------ */

#define COMPACT                                                               \
    "{\"session\":{\"x\":1},\"expiresAt\":1700000000000,\"signature\":\""
#define COMPACT_SIGNED "{\"x\":1,\"expiresAt\":1700000000000}"

typedef struct {
    char token[SESSION_SIGNED];
    char compact[sizeof COMPACT - 1 + 43 + 2];
    char sealed[512];
    size_t sealed_len;
} cookies;

static void
make_cookies(const session_secret *secret, cookies *made)
{
    unsigned char mac[MAC_MAX], scratch[64];
    memcpy(made->token, bytes, SESSION_TOKEN);
    made->token[SESSION_TOKEN] = '.';
    MUST(fb_session_token_sign(secret, made->token,
                               made->token + SESSION_TOKEN + 1)
         == STATUS_OK);
    MUST(fb_hmac_sign(&secret->mac, COMPACT_SIGNED, sizeof COMPACT_SIGNED - 1,
                      mac)
         == STATUS_OK);
    memcpy(made->compact, COMPACT, sizeof COMPACT - 1);
    char *end = fb_b64url_encode(mac, SHA256_DIGEST_LENGTH,
                                 made->compact + sizeof COMPACT - 1);
    memcpy(end, "\"}", 2);
    MUST(fb_session_seal(secret, &by_value, (span){"{}", 2}, scratch,
                         made->sealed, &made->sealed_len)
         == STATUS_OK);
}

/* Another character of base64url: one with another bit may be none at all. */
static char
another_than(char character)
{
    return character == 'A' ? 'B' : 'A';
}

/* Reads each; `altered` of them are not what was made. */
static void
read_cookies(const session_secret *secret, cookies of, bool altered)
{
    const status expected = altered ? STATUS_SIGNATURE_WRONG : STATUS_OK;
    char token[SESSION_TOKEN];
    unsigned char scratch[2 * sizeof of.sealed + AEAD_BLOCK];
    span payload;
    int64_t expires_at;
    const span sealed = {of.sealed, of.sealed_len};
    if (altered) {
        char *const spoiled[] = {
            &of.token[0],
            &of.compact[sizeof "{\"session\":{\"" - 1],
            &of.sealed[of.sealed_len - 2],
        };
        for (size_t i = 0; i < sizeof spoiled / sizeof *spoiled; i++) {
            *spoiled[i] = another_than(*spoiled[i]);
        }
    }
    MUST(
        fb_session_token_read(secret, (span){of.token, sizeof of.token}, token)
        == expected);
    MUST(fb_session_compact_read(secret, of.compact, sizeof of.compact,
                                 &payload, &expires_at)
         == expected);
    MUST(fb_session_is_sealed_with(secret, sealed));
    MUST(fb_session_open(secret, sealed, scratch, &payload) == expected);
}

/* The text of the header is part of every cookie: it is public. */
static void
try_cookies(void)
{
    session_secret secret;
    cookies made;
    const span text = {(const char *)bytes, 32};
    MUST(fb_session_secret_init(&secret, &by_value, text) == STATUS_OK);
    make_cookies(&secret, &made);
    fb_session_secret_clear(&secret);
    unsigned char *copy = secret_copy(bytes, text.len);
    MUST(fb_session_secret_init(&secret, &by_value,
                                (span){(char *)copy, text.len})
         == STATUS_OK);
    PUBLIC(secret.header, sizeof secret.header);
    PUBLIC(&secret.header_len, sizeof secret.header_len);
    read_cookies(&secret, made, false);
    read_cookies(&secret, made, true);
    fb_session_secret_clear(&secret);
    free(copy);
}

/* --- all of them --------------------------------------------------------- */

static const struct {
    const char *name;
    void (*run)(void);
} tries[] = {
    {"HMAC by value", try_hmac_by_value},
    {"HMAC by EVP", try_hmac_by_evp},
    {"AES-CBC with HMAC", try_cbc},
    {"AES-GCM", try_gcm},
    {"AES key unwrap", try_aes_unwrap},
    {"RSA-OAEP", try_oaep_unwrap},
    {"the padding of RSA-OAEP", try_oaep_padding},
    {"cookies of Better Auth", try_cookies},
};

int
main(void)
{
    int leaks = 0;
    MUST(fb_digest_fetch_all(&by_value, false));
    MUST(fb_digest_fetch_all(&by_evp, true));
    for (size_t i = 0; i < sizeof tries / sizeof *tries; i++) {
        unsigned before = SECRETS_SEEN;
        tries[i].run();
        leaks += secrets_leaked(before, tries[i].name);
    }
    fb_digest_free_all(&by_value);
    fb_digest_free_all(&by_evp);
    return leaks == 0 ? 0 : 1;
}
