/*
 * A text as the setting of a password hash, which is read and not worked at,
 * for its cost may be high; unless it is of an old format, and of few rounds.
 * Then its bytes are a password and a salt for a cheap hash, which must be read
 * again.
 */
#include "fuzz.h"
#include "password/password.h"

static const char *const cheap[] = {
    "$argon2id$v=19$m=8,t=1,p=1$",
    "$argon2i$v=19$m=8,t=1,p=1$",
    "$2b$04$",
    "$scrypt$ln=1,r=1,p=1$",
    "$pbkdf2-sha256$1$",
    "pbkdf2_sha256$1$",
};

/* Where the rounds are few, a hash of an old format is verified, too. */
static void
check_old(const format *found, const hash_parts *parts, span hash)
{
    bool matches = true;
    if (found->compute[0] != NULL && parts->rounds <= 1024) {
        status result = fb_format_verify(NULL, hash, hash, 1, false, &matches);
        MUST(found->is_weak == (result == STATUS_HASH_WEAK));
        result = fb_format_verify(NULL, hash, hash, 1, true, &matches);
        MUST(result == STATUS_OK && !matches);
    }
}

static void
check_setting(span text)
{
    const format *found = fb_format_find(text);
    hash_parts parts = {0};
    if (found != NULL && found->check(found, text, &parts) == STATUS_OK) {
        MUST(parts.digest == 0 || parts.digest_at < text.len);
        MUST(text.len <= HASH_TEXT_MAX);
        (void)fb_format_is_sole(found, text, text);
        check_old(found, &parts, text);
    }
}

/* With a setting that a maker would write, if it can be one. */
static void
check_hash(const char *prefix, span input)
{
    static arenas kept = {.most = 1};
    const hash_means means = {fb_argon2_engine_find("portable"), &kept, true};
    const span password = {input.p, input.len / 2};
    char setting[HASH_TEXT_MAX];
    size_t len = strlen(prefix), salt = input.len - password.len;
    memcpy(setting, prefix, len);
    salt = salt < 64 ? salt : 64;
    memcpy(setting + len, input.p + password.len, salt);
    span text = {exact_copy(setting, len + salt), len + salt};
    const format *found = fb_format_find(text);
    hash_text *made = exact_room(sizeof *made);
    hash_parts parts = {0};
    bool matches = false;
    if (found != NULL && found->check(found, text, &parts) == STATUS_OK
        && found->make != NULL
        && found->make(found, &means, password, text, 1, made) == STATUS_OK) {
        const span hash = {made->text, made->len};
        MUST(made->len <= HASH_TEXT_MAX);
        MUST(found->check(found, hash, &parts) == STATUS_OK);
        MUST(parts.digest > 0 && parts.digest_at < made->len);
        MUST(fb_format_verify(&means, password, hash, 1, true, &matches)
             == STATUS_OK);
        MUST(matches);
        made->text[made->len - 2] ^= 3;
        if (fb_format_verify(&means, password, hash, 1, true, &matches)
            == STATUS_OK) {
            MUST(!matches);
        }
    }
    free(made);
    free((void *)text.p);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > 1024) {
        return 0;
    }
    char *copy = exact_copy(data, size);
    const span text = {copy, size};
    check_setting(text);
    if (data[0] % 16 < sizeof cheap / sizeof *cheap) {
        check_hash(cheap[data[0] % 16], (span){copy + 1, size - 1});
    }
    free(copy);
    return 0;
}
