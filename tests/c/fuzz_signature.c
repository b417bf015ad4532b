/*
 * The decision over a token, on the way that one takes through the library:
 * its segments, the algorithm of its header, the key for that, the signature.
 * A signature of ours is right in libcrypto's eyes, too, and with a bit
 * changed in nobody's; one of the input's is judged alike. Bytes: the key, the
 * place of the bit, the length of the message; the message and a signature.
 */
#include "second_base64.h"

#include "jose/jose.h"
#include "json/json.h"

#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

static const char *const names[] = {"ES256",   "ES384", "ES512", "ES256K",
                                    "Ed25519", "Ed448", "RS256", "PS384"};
#define KEYS (sizeof names / sizeof *names)

static span
bytes_of(const BIGNUM *number)
{
    size_t len = (size_t)BN_num_bytes(number);
    span bytes = {exact_room(len), len};
    MUST(BN_bn2bin(number, (unsigned char *)bytes.p) == (int)len);
    return bytes;
}

/* Of the two largest primes of 1024 bits: a key is made at once, and it is
 * always the same. */
static EVP_PKEY *
make_rsa(void)
{
    BN_CTX *ctx = BN_CTX_new();
    BIGNUM *p = BN_new(), *q = BN_new(), *e = BN_new(), *n = BN_new();
    BIGNUM *order = BN_new(), *d = BN_new();
    EVP_PKEY *evp = NULL;
    MUST(BN_set_bit(p, 1024) && BN_copy(q, p) != NULL);
    MUST(BN_sub_word(p, 105) && BN_sub_word(q, 179) && BN_set_word(e, 65537));
    MUST(BN_mul(n, p, q, ctx) && BN_sub_word(p, 1) && BN_sub_word(q, 1));
    MUST(BN_mul(order, p, q, ctx));
    MUST(BN_mod_inverse(d, e, order, ctx) != NULL);
    const rsa_parts parts = {
        .n = bytes_of(n), .e = bytes_of(e), .d = bytes_of(d)};
    MUST(fb_pkey_from_rsa(&parts, &evp) == STATUS_OK);
    span_free(parts.n);
    span_free(parts.e);
    span_free(parts.d);
    BIGNUM *all[] = {p, q, e, n, order, d};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        BN_free(all[i]);
    }
    BN_CTX_free(ctx);
    return evp;
}

static const pkey *
key_of(size_t row)
{
    static pkey keys[KEYS];
    if (keys[row].evp == NULL) {
        EVP_PKEY *evp = NULL;
        const alg *with = fb_alg_find(names[row], strlen(names[row]));
        MUST(with != NULL);
        if (with->kind == KIND_RSA || with->kind == KIND_PSS) {
            evp = make_rsa();
        } else {
            MUST(fb_pkey_generate(with, &evp) == STATUS_OK);
        }
        MUST(fb_pkey_make(&keys[row], evp, with, all_digests()) == STATUS_OK);
        MUST(fb_pkey_open(&keys[row], all_digests()) == STATUS_OK);
    }
    return &keys[row];
}

/* --- libcrypto's verdict ------------------------------------------------- */

/* RFC 7518 3.1: the digits of a name are those of its digest. */
static const char *
digest_of(const alg *with)
{
    return with->kind == KIND_ED               ? NULL
           : strstr(with->name, "256") != NULL ? "SHA256"
           : strstr(with->name, "384") != NULL ? "SHA384"
                                               : "SHA512";
}

static bool
second_verify(const pkey *key, const alg *with, span message, span raw)
{
    const unsigned char *p = (const unsigned char *)raw.p;
    unsigned char *der = NULL;
    int len = (int)raw.len, half = len / 2;
    EVP_PKEY_CTX *options = NULL;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    MUST(EVP_DigestVerifyInit_ex(ctx, &options, digest_of(with), NULL, NULL,
                                 key->evp, NULL)
         == 1);
    if (with->kind == KIND_PSS) {
        MUST(EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) > 0);
        MUST(EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST)
             > 0);
    }
    if (with->kind == KIND_EC) {
        ECDSA_SIG *both = ECDSA_SIG_new();
        MUST(ECDSA_SIG_set0(both, BN_bin2bn(p, half, NULL),
                            BN_bin2bn(p + half, half, NULL))
             == 1);
        len = i2d_ECDSA_SIG(both, &der);
        ECDSA_SIG_free(both);
    }
    bool is_right =
        EVP_DigestVerify(ctx, der != NULL ? der : p, (size_t)len,
                         (const unsigned char *)message.p, message.len)
        == 1;
    OPENSSL_free(der);
    EVP_MD_CTX_free(ctx);
    ERR_clear_error();
    return is_right;
}

static void
judge(const pkey *key, const alg *with, span message, span raw, bool expected)
{
    const pkey *one = fb_pkey_for(key, with);
    MUST(one != NULL && one->signature == raw.len);
    status result = fb_pkey_verify(one, message, (const unsigned char *)raw.p);
    MUST(result == (expected ? STATUS_OK : STATUS_SIGNATURE_WRONG));
    MUST(second_verify(key, with, message, raw) == expected);
    MUST(ERR_peek_error() == 0);
}

/* --- a token ------------------------------------------------------------- */

/* What of the key the header asks for, or NULL. */
static const pkey *
asked_for(const pkey *key, span segment)
{
    char *json = exact_room(fb_b64url_decoded(segment.len));
    json_cursor found;
    const alg *with = NULL;
    if (fb_b64url_decode(segment.p, segment.len, (unsigned char *)json)
        && fb_json_find_string((span){json, fb_b64url_decoded(segment.len)},
                               (span){"alg", 3}, &found)) {
        with = fb_alg_find(found.text.p, found.text.len);
    }
    free(json);
    return with == NULL ? NULL : fb_pkey_for(key, with);
}

static bool
decide(const pkey *key, span text)
{
    token parts;
    bool is_right = false;
    if (fb_compact_split(text, false, &parts) != STATUS_OK) {
        return false;
    }
    const pkey *one = asked_for(key, parts.header);
    if (one != NULL
        && fb_b64url_decoded(parts.signature.len) == one->signature) {
        unsigned char *raw = exact_room(one->signature);
        is_right =
            fb_b64url_decode(parts.signature.p, parts.signature.len, raw)
            && fb_pkey_verify(one, parts.signing_input, raw) == STATUS_OK;
        free(raw);
    }
    return is_right;
}

/* Writes base64url, and returns its end. */
static char *
put(char *at, span bytes)
{
    return at + second_encode(SECOND_LETTERS "-_", bytes, at);
}

/* A token that is signed for good is right, and none that differs from it. */
static void
check_token(const pkey *key, span payload, uint8_t place)
{
    char header[32];
    int len =
        snprintf(header, sizeof header, "{\"alg\":\"%s\"}", key->alg->name);
    unsigned char *raw = exact_room(key->signature);
    char *text = exact_room(80 + 2 * (payload.len + key->signature));
    char *end = put(text, (span){header, (size_t)len});
    *end++ = '.';
    end = put(end, payload);
    const span input = {text, (size_t)(end - text)};
    MUST(fb_pkey_sign(key, input, raw) == STATUS_OK);
    judge(key, key->alg, input, (span){(char *)raw, key->signature}, true);
    *end++ = '.';
    end = put(end, (span){(char *)raw, key->signature});
    const span whole = {exact_copy(text, (size_t)(end - text)),
                        (size_t)(end - text)};
    MUST(decide(key, whole));
    ((char *)whole.p)[place % whole.len] ^= (char)(1 << place % 8);
    MUST(!decide(key, whole));
    span_free(whole);
    free(text);
    free(raw);
}

/* The signature of one message, of the input's bytes, and with a bit of them
 * changed. */
static void
check_signatures(const pkey *key, span message, span given, uint8_t place)
{
    const pkey *one;
    const alg *with;
    unsigned char *raw = exact_room(key->signature);
    const span signature = {(char *)raw, key->signature};
    for (size_t row = 0; (with = fb_alg_at(row)) != NULL; row++) {
        one = fb_pkey_for(key, with);
        MUST(one == NULL || with->kind == key->alg->kind
             || (with->kind != KIND_HMAC && key->curve == NULL));
        memset(raw, 0, key->signature);
        size_t len = given.len < key->signature ? given.len : key->signature;
        memcpy(raw, given.p, len);
        if (one != NULL) {
            judge(key, with, message, signature,
                  second_verify(key, with, message, signature));
        }
    }
    MUST(fb_pkey_sign(key, message, raw) == STATUS_OK);
    judge(key, key->alg, message, signature, true);
    raw[place % key->signature] ^= (unsigned char)(1 << place / 8 % 8);
    judge(key, key->alg, message, signature, false);
    free(raw);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    intake from = {data, size};
    uint8_t which = intake_byte(&from), place = intake_byte(&from);
    const pkey *key = key_of(which % KEYS);
    size_t len = intake_byte(&from);
    const span message = intake_span(&from, len);
    const span given = intake_span(&from, SIGNATURE_MAX);
    (void)decide(key, given);
    if (which & 0x80) {
        check_token(key, message, place);
    } else {
        check_signatures(key, message, given, place);
    }
    MUST(ERR_peek_error() == 0);
    span_free(given);
    span_free(message);
    return 0;
}
