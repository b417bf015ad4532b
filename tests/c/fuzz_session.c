/*
 * A value as each of the cookies of a Better Auth server: only what was made
 * under the secret is read. Then as a text that is sealed, which comes back.
 */
#include "fuzz.h"
#include "better_auth/session.h"

static const session_secret *
the_secret(void)
{
    static session_secret secret;
    static bool is_made;
    if (!is_made) {
        const span text = {"q7Zt3xKp9LwVb2NfRd6HsJc8YmGa4TuE", 32};
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
        MUST(fb_session_token_sign(secret, text, signature));
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
    free(value);
    free(sealed);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = exact_copy(data, size);
    const span value = {copy, size};
    const session_secret *secret = the_secret();
    check_token(secret, value);
    check_compact(secret, value);
    check_sealed(secret, value);
    check_sealing(secret, value);
    free(copy);
    return 0;
}
