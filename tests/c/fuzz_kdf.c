/*
 * PBKDF2 and scrypt in the formats of passlib, Django and Werkzeug: a text is
 * written here, with the digest that libcrypto computes. The library takes the
 * password for it and no other, and makes the same text of its beginning.
 * Bytes: the format, the rounds, the length of the salt; salt and password.
 */
#include "second_base64.h"

#include "password/password.h"

#define PASSWORD_MAX 80

typedef struct {
    const char *prefix;
    const char *digest; /* of PBKDF2, or NULL for scrypt */
    enum { PASSLIB, DJANGO, WERKZEUG } maker;
    size_t key; /* bytes */
} writing;

static const writing writings[] = {
    {"$pbkdf2$", "SHA1", PASSLIB, 20},
    {"$pbkdf2-sha256$", "SHA256", PASSLIB, 32},
    {"$pbkdf2-sha512$", "SHA512", PASSLIB, 64},
    {"pbkdf2_sha1$", "SHA1", DJANGO, 20},
    {"pbkdf2_sha256$", "SHA256", DJANGO, 32},
    {"pbkdf2:sha1:", "SHA1", WERKZEUG, 20},
    {"pbkdf2:sha256:", "SHA256", WERKZEUG, 32},
    {"pbkdf2:sha512:", "SHA512", WERKZEUG, 64},
    {"$scrypt$", NULL, PASSLIB, 32},
    {"scrypt$", NULL, DJANGO, 64},
    {"scrypt:", NULL, WERKZEUG, 64},
};
#define WRITINGS (sizeof writings / sizeof *writings)

typedef struct {
    const writing *as;
    unsigned log_n, rounds, block, lanes;
    span salt, password;
} given;

/* --- the text ------------------------------------------------------------ */

/* Only passlib's formats have salts of any bytes. */
static bool
is_text(span salt)
{
    for (size_t i = 0; i < salt.len; i++) {
        if (strchr(SECOND_LETTERS, salt.p[i]) == NULL || salt.p[i] == '\0') {
            return false;
        }
    }
    return salt.len > 0;
}

static size_t
write_costs(const given *of, char *text, size_t room)
{
    const char *prefix = of->as->prefix;
    const int salt = (int)of->salt.len;
    switch (of->as->digest != NULL ? 3 + (int)of->as->maker
                                   : (int)of->as->maker) {
    case PASSLIB:
        return (size_t)snprintf(text, room, "%sln=%u,r=%u,p=%u$", prefix,
                                of->log_n, of->block, of->lanes);
    case DJANGO:
        return (size_t)snprintf(text, room, "%s%u$%.*s$%u$%u$", prefix,
                                1u << of->log_n, salt, of->salt.p, of->block,
                                of->lanes);
    case WERKZEUG:
        return (size_t)snprintf(text, room, "%s%u:%u:%u$%.*s$", prefix,
                                1u << of->log_n, of->block, of->lanes, salt,
                                of->salt.p);
    case 3 + PASSLIB:
        return (size_t)snprintf(text, room, "%s%u$", prefix, of->rounds);
    default:
        return (size_t)snprintf(text, room, "%s%u$%.*s$", prefix, of->rounds,
                                salt, of->salt.p);
    }
}

/* The setting: all but the digest. */
static size_t
write_setting(const given *of, char *text, size_t room)
{
    size_t len = write_costs(of, text, room);
    if (of->as->maker == PASSLIB) {
        const char *alphabet =
            of->as->digest == NULL ? SECOND_LETTERS "+/" : SECOND_LETTERS "./";
        len += second_encode(alphabet, of->salt, text + len);
        text[len++] = '$';
    }
    return len;
}

static size_t
write_digest(const given *of, const unsigned char *key, char *text)
{
    const span bytes = {(const char *)key, of->as->key};
    size_t len = 0;
    if (of->as->maker == WERKZEUG) {
        for (size_t i = 0; i < bytes.len; i++) {
            len += (size_t)snprintf(text + len, 3, "%02x", key[i]);
        }
        return len;
    }
    bool is_ab64 = of->as->maker == PASSLIB && of->as->digest != NULL;
    len = second_encode(is_ab64 ? SECOND_LETTERS "./" : SECOND_LETTERS "+/",
                        bytes, text);
    while (of->as->maker == DJANGO && len % 4 != 0) {
        text[len++] = '=';
    }
    return len;
}

static bool
compute(const given *of, unsigned char *key)
{
    const unsigned char *salt = (const unsigned char *)of->salt.p;
    return of->as->digest == NULL
               ? EVP_PBE_scrypt(of->password.p, of->password.len, salt,
                                of->salt.len, (uint64_t)1 << of->log_n,
                                of->block, of->lanes, 1 << 24, key,
                                of->as->key)
                     == 1
               : PKCS5_PBKDF2_HMAC(of->password.p, (int)of->password.len, salt,
                                   (int)of->salt.len, (int)of->rounds,
                                   EVP_get_digestbyname(of->as->digest),
                                   (int)of->as->key, key)
                     == 1;
}

/* --- what the library says of it ----------------------------------------- */

/* Without libcrypto, where that can be: compute() has asked it. */
static const hash_means *
the_means(void)
{
    static hash_means means;
    static bool is_made;
    if (!is_made) {
        means.by_sodium = fb_sodium_has_scrypt();
        means.digests = all_digests();
        is_made = true;
    }
    return &means;
}

static bool
verifies(span password, span hash)
{
    bool matches = false;
    MUST(fb_format_verify(the_means(), password, hash, 1, true, &matches)
         == STATUS_OK);
    return matches;
}

static void
check_hash(const given *of, span hash, size_t setting)
{
    hash_text *made = exact_room(sizeof *made);
    hash_parts parts = {0};
    const format *found = NULL;
    MUST(fb_format_parts(hash, &found, &parts) == STATUS_OK);
    MUST(parts.rounds
         == (of->as->digest != NULL ? of->rounds : 1u << of->log_n));
    MUST(parts.salt == of->salt.len && parts.digest == of->as->key);
    MUST(parts.digest_at == setting);
    MUST(fb_format_make(the_means(), of->password, (span){hash.p, setting}, 1,
                        made)
         == STATUS_OK);
    MUST(is_same((span){made->text, made->len}, hash));
    MUST(verifies(of->password, hash));
    char *other = exact_room(of->password.len + 1);
    memcpy(other, of->password.p, of->password.len);
    other[of->password.len] = 'x';
    MUST(!verifies((span){other, of->password.len + 1}, hash));
    free(other);
    free(made);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    intake from = {data, size};
    uint8_t which = intake_byte(&from), cost = intake_byte(&from);
    size_t salt = intake_byte(&from) % 80;
    given of = {
        .as = &writings[which % WRITINGS],
        .rounds = 1 + cost % 64,
        .log_n = 1 + cost % 6,
        .block = 1 + cost / 6 % 4,
        .lanes = 1 + cost / 24 % 3,
    };
    of.salt = intake_span(&from, salt);
    of.password = intake_span(&from, PASSWORD_MAX);
    char *text = exact_room(HASH_TEXT_MAX + 256);
    unsigned char *key = exact_room(of.as->key);
    if ((of.as->maker == PASSLIB || is_text(of.salt)) && compute(&of, key)) {
        size_t setting = write_setting(&of, text, HASH_TEXT_MAX);
        size_t len = setting + write_digest(&of, key, text + setting);
        const span hash = {exact_copy(text, len), len};
        check_hash(&of, hash, setting);
        span_free(hash);
    }
    free(key);
    free(text);
    span_free(of.password);
    span_free(of.salt);
    return 0;
}
