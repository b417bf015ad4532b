/*
 * HMAC and SHA-2: by value, by libcrypto's contexts, and by its own HMAC().
 * Bytes: the digest, the length of the secret, that of the first piece; then
 * the secret and the message.
 */
#include "fuzz.h"

#include <openssl/hmac.h>

static const char *const names[DIGEST_COUNT] = {"SHA256", "SHA384", "SHA512"};

static const digests *
evp_digests(void)
{
    static digests all;
    static bool is_fetched;
    if (!is_fetched) {
        is_fetched = fb_digest_fetch_all(&all, true);
        MUST(is_fetched && !all.by_value);
    }
    return &all;
}

static void
check_mac(const digests *all, digest_id digest, span secret, span message)
{
    hmac_key key;
    unsigned char expected[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    MUST(HMAC(EVP_get_digestbyname(names[digest]), secret.p, (int)secret.len,
              (const unsigned char *)message.p, message.len, expected, &size)
         != NULL);
    MUST(fb_hmac_key_init(&key, all, digest, (const unsigned char *)secret.p,
                          secret.len)
         == STATUS_OK);
    MUST(key.size == size);
    unsigned char *mac = exact_room(key.size);
    for (int times = 0; times < 2; times++) { /* the key stays as it was */
        memset(mac, 0x5a, key.size);
        MUST(fb_hmac_sign(&key, message.p, message.len, mac) == STATUS_OK);
        MUST(memcmp(mac, expected, size) == 0);
    }
    free(mac);
    fb_hmac_key_clear(&key);
}

/* However a message is cut, its digest is the same. */
static void
check_digest(digest_id digest, span message, size_t piece)
{
    sha512 state;
    unsigned char expected[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    MUST(EVP_Digest(message.p, message.len, expected, &size,
                    EVP_get_digestbyname(names[digest]), NULL)
         == 1);
    unsigned char *out = exact_room(size);
    MUST(fb_sha2_init(&state, digest));
    for (size_t at = 0, len; at < message.len; at += len) {
        len = message.len - at < piece ? message.len - at : piece;
        MUST(fb_sha2_update(&state, message.p + at, len));
        piece = piece * 2 + 1;
    }
    MUST(fb_sha2_final(&state, out));
    MUST(memcmp(out, expected, size) == 0);
    free(out);
}

/* The MAC of a MAC, by its words, is that of its bytes. */
static void
check_again(span secret, span message)
{
    hmac_key key;
    uint32_t words[SHA256_WORDS];
    unsigned char mac[MAC_MAX], again[MAC_MAX];
    MUST(fb_hmac_key_init(&key, all_digests(), DIGEST_SHA256,
                          (const unsigned char *)secret.p, secret.len)
         == STATUS_OK);
    MUST(!key.is_evp
         && fb_hmac_sign(&key, message.p, message.len, mac) == STATUS_OK);
    fb_sha2_get(mac, words);
    fb_sha2_mac_again(&key.of.sha256, words);
    fb_sha2_put(words, again);
    MUST(fb_hmac_sign(&key, mac, key.size, mac) == STATUS_OK);
    MUST(memcmp(mac, again, key.size) == 0);
    MUST(fb_equal_macs(mac, again, key.size));
    for (size_t bit = 0; bit < key.size * 8; bit++) {
        again[bit / 8] ^= (unsigned char)(1 << bit % 8);
        MUST(!fb_equal_macs(mac, again, key.size));
        again[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
    fb_hmac_key_clear(&key);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    intake from = {data, size};
    digest_id digest = (digest_id)(intake_byte(&from) % DIGEST_COUNT);
    size_t len = intake_byte(&from);
    size_t piece = 1 + intake_byte(&from);
    const span secret = intake_span(&from, len);
    const span message = intake_span(&from, 4096);
    check_mac(all_digests(), digest, secret, message);
    check_mac(evp_digests(), digest, secret, message);
    if (digest == DIGEST_SHA256) {
        check_again(secret, message);
    } else {
        check_digest(digest, message, piece);
    }
    span_free(message);
    span_free(secret);
    return 0;
}
