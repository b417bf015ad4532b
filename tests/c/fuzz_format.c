/*
 * A text as the setting of a password hash: whatever the format, it is read
 * within its bounds. Where it is cheap by what it says of itself, it is worked
 * at, too: what is made of it is a hash that its own password verifies, and
 * what can be written again is read as it was. Then the bytes are password and
 * salt for a cheap setting.
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
    "$bcrypt-sha256$v=2,t=2b,r=4$",
    "argon2$argon2id$v=19$m=8,t=1,p=1$",
    "bcrypt_sha256$$2b$04$",
};
#define CHEAP (sizeof cheap / sizeof *cheap)

static const hash_means *
the_means(void)
{
    static arenas kept = {.most = 1};
    static hash_means means = {NULL, &kept, true, false, NULL};
    if (means.engine == NULL) {
        means.engine = fb_argon2_engine_find("portable");
        means.by_sodium = fb_sodium_has_scrypt();
        means.digests = all_digests();
    }
    return &means;
}

/* bcrypt's rounds are a power of two; no other crypt(3) has so few. */
static bool
is_cheap(const format *found, const hash_parts *parts)
{
    if (parts->memory > 0) {
        return parts->memory * parts->rounds <= 256 && parts->lanes <= 8;
    }
    if (parts->block > 0) {
        return parts->rounds * parts->block * parts->lanes <= 512;
    }
    bool may_be_power =
        strstr(found->name, "crypt") != NULL && parts->rounds < 32;
    return parts->rounds <= (may_be_power ? 4 : 1024);
}

static status
verify(span password, span hash, bool *matches)
{
    return fb_format_verify(the_means(), password, hash, 1, true, matches);
}

/* A password that nobody has: it verifies nothing, but the work is done. */
static void
check_verifying(const format *found, const hash_parts *parts, span hash)
{
    bool matches = true;
    if (found->is_weak || parts->is_weak) {
        MUST(fb_format_verify(the_means(), hash, hash, 1, false, &matches)
             == STATUS_HASH_WEAK);
        matches = true;
    }
    MUST(verify(hash, hash, &matches) == STATUS_OK && !matches);
}

/* Hashes of nobody, with the parts that were read. */
static void
check_writing(const format *found, const hash_parts *parts)
{
    hash_parts again = {0};
    hash_text *out = exact_room(sizeof *out);
    const span salt = {exact_room(parts->salt), parts->salt};
    memset((void *)salt.p, 'a', salt.len);
    if (fb_format_write(found, parts, salt, out) == STATUS_OK) {
        const span text = {out->text, out->len};
        MUST(out->len <= HASH_TEXT_MAX && fb_format_find(text) == found);
        MUST(found->check(found, text, &again) == STATUS_OK);
        MUST(again.rounds == parts->rounds && again.memory == parts->memory);
        MUST(again.lanes == parts->lanes && again.block == parts->block);
    }
    span_free(salt);
    free(out);
}

static void
check_making(const format *found, span password, span setting)
{
    hash_text *made = exact_room(sizeof *made);
    hash_parts parts = {0};
    bool matches = false;
    if (found->make != NULL
        && found->make(found, the_means(), password, setting, 1, made)
               == STATUS_OK) {
        const span hash = {made->text, made->len};
        MUST(made->len <= HASH_TEXT_MAX);
        MUST(found->check(found, hash, &parts) == STATUS_OK);
        MUST(parts.digest > 0 && parts.digest_at < made->len);
        MUST(verify(password, hash, &matches) == STATUS_OK && matches);
        made->text[made->len - 2] ^= 3;
        if (verify(password, hash, &matches) == STATUS_OK) {
            MUST(!matches);
        }
    }
    free(made);
}

static void
check_setting(span text)
{
    const format *found = fb_format_find(text);
    hash_parts parts = {0};
    if (found == NULL || found->check(found, text, &parts) != STATUS_OK) {
        return;
    }
    MUST(parts.digest == 0 || parts.digest_at < text.len);
    MUST(text.len <= HASH_TEXT_MAX);
    (void)fb_format_is_sole(found, text, text);
    check_writing(found, &parts);
    if (is_cheap(found, &parts)) {
        if (parts.digest > 0) {
            check_verifying(found, &parts, text);
        }
        check_making(found, (span){"password", 8}, text);
    }
}

/* With a setting that a maker would write, if it can be one. */
static void
check_hash(const char *prefix, span input)
{
    const span password = {input.p, input.len / 2};
    char setting[HASH_TEXT_MAX];
    size_t len = strlen(prefix), salt = input.len - password.len;
    memcpy(setting, prefix, len);
    salt = salt < 64 ? salt : 64;
    memcpy(setting + len, input.p + password.len, salt);
    const span text = {exact_copy(setting, len + salt), len + salt};
    const format *found = fb_format_find(text);
    hash_parts parts = {0};
    if (found != NULL && found->check(found, text, &parts) == STATUS_OK
        && is_cheap(found, &parts)) {
        check_making(found, password, text);
    }
    span_free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > 1024) {
        return 0;
    }
    const span text = {exact_copy(data, size), size};
    check_setting(text);
    if (data[0] % 16 < CHEAP) {
        check_hash(cheap[data[0] % 16], (span){text.p + 1, size - 1});
    }
    span_free(text);
    return 0;
}
