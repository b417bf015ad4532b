/*
 * A value as each of the cookies of a Better Auth server: only what was made
 * under the secret is read. Then its bytes as what such a server signs and
 * seals, written here with libcrypto's own HMAC: that is read, and not with a
 * character changed.
 */
#include "second_base64.h"

#include "better_auth/session.h"

#include <openssl/hmac.h>

#define INPUT_MAX 2048
#define SECRET "q7Zt3xKp9LwVb2NfRd6HsJc8YmGa4TuE"

static const session_secret *
the_secret(void)
{
    static session_secret secret;
    static bool is_made;
    if (!is_made) {
        const span text = {SECRET, sizeof SECRET - 1};
        is_made =
            fb_session_secret_init(&secret, all_digests(), text) == STATUS_OK;
        MUST(is_made);
    }
    return &secret;
}

static void
check_token(const session_secret *secret, span value)
{
    char *text = exact_room(SESSION_TOKEN);
    char *signature = exact_room(SESSION_SIGNATURE);
    if (fb_session_token_read(secret, value, text) == STATUS_OK) {
        MUST(fb_session_token_is_one((span){text, SESSION_TOKEN}));
        MUST(fb_session_token_sign(secret, text, signature) == STATUS_OK);
    }
    free(signature);
    free(text);
}

static void
check_compact(const session_secret *secret, span value)
{
    char *json = exact_copy(value.p, value.len);
    span payload = {NULL, 0};
    int64_t expires_at = -1;
    if (fb_session_compact_read(secret, json, value.len, &payload, &expires_at)
        == STATUS_OK) {
        MUST(is_within(payload, (span){json, value.len}));
        MUST(payload.len >= 2 && payload.p[payload.len - 1] == '}');
        MUST(expires_at >= 0);
    }
    free(json);
}

static void
check_sealed(const session_secret *secret, span value)
{
    span text = {NULL, 0};
    unsigned char *scratch = exact_room(2 * value.len + AEAD_BLOCK);
    if (fb_session_is_sealed_with(secret, value)
        && fb_session_open(secret, value, scratch, &text) == STATUS_OK) {
        MUST(is_within(text,
                       (span){(char *)scratch, 2 * value.len + AEAD_BLOCK}));
    }
    free(scratch);
}

/* --- what a server writes ------------------------------------------------ */

/* HMAC-SHA256 under the secret, in base64; returns the characters. */
static size_t
second_sign(span text, const char *alphabet, char *out)
{
    unsigned char mac[32];
    MUST(HMAC(EVP_sha256(), SECRET, sizeof SECRET - 1,
              (const unsigned char *)text.p, text.len, mac, NULL)
         != NULL);
    return second_encode(alphabet, (span){(char *)mac, sizeof mac}, out);
}

static bool
reads_token(const session_secret *secret, const char *text, size_t len)
{
    char *copy = exact_copy(text, len), *token = exact_room(SESSION_TOKEN);
    bool is_read =
        fb_session_token_read(secret, (span){copy, len}, token) == STATUS_OK;
    MUST(!is_read || fb_session_token_is_one((span){token, SESSION_TOKEN}));
    free(token);
    free(copy);
    return is_read;
}

/* What encodeURIComponent escapes, in either case of the digits. */
static size_t
escape(const char *text, size_t len, bool is_lower, char *out)
{
    size_t size = 0;
    for (size_t i = 0; i < len; i++) {
        if (strchr("+/=", text[i]) != NULL && text[i] != '\0') {
            size +=
                (size_t)snprintf(out + size, 4, is_lower ? "%%%02x" : "%%%02X",
                                 (unsigned)text[i]);
        } else {
            out[size++] = text[i];
        }
    }
    return size;
}

/* The first bytes as a token: signed, escaped and quoted. */
static void
check_signed(const session_secret *secret, span input)
{
    char plain[SESSION_SIGNED + 64], escaped[3 * SESSION_SIGNED];
    char quoted[SESSION_SIGNED + 2];
    uint8_t place = input.len > 0 ? (uint8_t)input.p[input.len - 1] : 0;
    for (size_t i = 0; i < SESSION_TOKEN; i++) {
        uint8_t c = i < input.len ? (uint8_t)input.p[i] : 0;
        plain[i] = SECOND_LETTERS[c % 62];
    }
    plain[SESSION_TOKEN] = '.';
    size_t len = second_sign((span){plain, SESSION_TOKEN}, SECOND_LETTERS "+/",
                             plain + SESSION_TOKEN + 1);
    plain[SESSION_TOKEN + 1 + len] = '=';
    MUST(len + 1 == SESSION_SIGNATURE);
    MUST(reads_token(secret, plain, SESSION_SIGNED));
    len = escape(plain, SESSION_SIGNED, place & 1, escaped);
    MUST(reads_token(secret, escaped, len));
    MUST(!reads_token(secret, escaped, len - 1 - place % 4));
    quoted[0] = quoted[SESSION_SIGNED + 1] = '"';
    memcpy(quoted + 1, plain, SESSION_SIGNED);
    MUST(reads_token(secret, quoted, sizeof quoted));
    plain[place % SESSION_SIGNED] ^= 1;
    MUST(!reads_token(secret, plain, SESSION_SIGNED));
}

static status
read_compact(const session_secret *secret, const char *text, size_t len,
             span expected, int64_t at)
{
    char *json = exact_copy(text, len);
    span payload = {NULL, 0};
    int64_t expires_at = -1;
    status result =
        fb_session_compact_read(secret, json, len, &payload, &expires_at);
    MUST(result != STATUS_OK
         || (is_same(payload, expected) && expires_at == at));
    free(json);
    return result;
}

/* The bytes as the members of an envelope's payload. */
static void
check_envelope(const session_secret *secret, span members)
{
    const char start[] = "{\"session\":", end[] = ",\"signature\":\"";
    int64_t at = 1700000000000 + (int64_t)members.len;
    size_t room = 2 * members.len + 200, len = 0;
    char *body = exact_room(room), *whole = exact_room(room);
    char tail[40];
    size_t tail_len = (size_t)snprintf(tail, sizeof tail,
                                       ",\"expiresAt\":%lld", (long long)at);
    body[len++] = '{';
    memcpy(body + len, members.p, members.len);
    len += members.len;
    const span payload = {exact_room(len + 1), len + 1};
    memcpy((char *)payload.p, body, len);
    ((char *)payload.p)[len] = '}';
    memcpy(body + len, tail, tail_len);
    len += tail_len;
    body[len++] = '}';
    char *to = whole;
    memcpy(to, start, sizeof start - 1);
    to += sizeof start - 1;
    memcpy(to, payload.p, payload.len);
    to += payload.len;
    memcpy(to, tail, tail_len);
    to += tail_len;
    memcpy(to, end, sizeof end - 1);
    to += sizeof end - 1;
    size_t mac = second_sign((span){body, len}, SECOND_LETTERS "-_", to);
    memcpy(to + mac, "\"}", 2);
    len = (size_t)(to - whole) + mac + 2;
    MUST(read_compact(secret, whole, len, payload, at) == STATUS_OK);
    whole[members.len % len] ^= 1;
    MUST(read_compact(secret, whole, len, payload, at) != STATUS_OK);
    span_free(payload);
    free(whole);
    free(body);
}

/* --- what is sealed ------------------------------------------------------ */

/* Not with a character changed after the header. */
static void
check_altered(const session_secret *secret, const char *sealed, size_t len)
{
    static const char other[] = SECOND_LETTERS "-_.";
    char *value = exact_copy(sealed, len);
    unsigned char *scratch = exact_room(2 * len + AEAD_BLOCK);
    size_t start = secret->header_len + 2;
    size_t at = start + (uint8_t)sealed[len - 1] % (len - start);
    span text = {NULL, 0};
    value[at] = other[((uint8_t)sealed[len - 2] + len) % 65];
    if (value[at] != sealed[at]) {
        MUST(fb_session_open(secret, (span){value, len}, scratch, &text)
             != STATUS_OK);
    }
    free(scratch);
    free(value);
}

static void
check_sealing(const session_secret *secret, span text)
{
    size_t room = fb_session_sealed(secret, text.len), len = 0;
    char *sealed = exact_room(room);
    unsigned char *scratch = exact_room(text.len + AEAD_BLOCK);
    span again = {NULL, 0};
    MUST(fb_session_seal(secret, all_digests(), text, scratch, sealed, &len)
         == STATUS_OK);
    MUST(len <= room);
    free(scratch);
    char *value = exact_copy(sealed, len);
    scratch = exact_room(2 * len + AEAD_BLOCK);
    MUST(fb_session_is_sealed_with(secret, (span){value, len}));
    MUST(fb_session_open(secret, (span){value, len}, scratch, &again)
         == STATUS_OK);
    MUST(again.len == text.len);
    MUST(text.len == 0 || memcmp(again.p, text.p, text.len) == 0);
    free(scratch);
    check_altered(secret, sealed, len);
    free(value);
    free(sealed);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > INPUT_MAX) {
        return 0;
    }
    char *copy = exact_copy(data, size);
    const span value = {copy, size};
    const session_secret *secret = the_secret();
    check_token(secret, value);
    check_compact(secret, value);
    check_sealed(secret, value);
    check_sealing(secret, value);
    check_signed(secret, value);
    check_envelope(secret, value);
    free(copy);
    return 0;
}
