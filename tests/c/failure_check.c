/*
 * Whether a failure of libcrypto can make something right that is wrong. Each
 * call below is made once to count what it asks of libcrypto, and then again
 * for each of these, which fails alone, or with all that follow. It has to
 * give its answer, or to refuse; what is forged must be refused every time.
 *
 *   make build/check/failure_check && build/check/failure_check
 */
#include "failing.h"

#include "better_auth/session.h"
#include "jose/jose.h"
#include "password/password.h"

#include <stdio.h>
#include <stdlib.h>

typedef enum { REFUSED, RIGHT, WRONG } answer;

static digests all, slow; /* by value, and by EVP */
static const span message = {"message", 7}, other = {"another", 7};

static void
need(bool ok, const char *what)
{
    if (!ok) {
        printf("cannot begin: %s\n", what);
        exit(2);
    }
}

static answer
judged(bool is_ok, bool is_right)
{
    return !is_ok ? REFUSED : is_right ? RIGHT : WRONG;
}

/* What is refused for want of memory is not said to be wrong. */
static answer
judged_by(status result, bool is_right, bool is_forged)
{
    bool is_blamed = result != STATUS_OK && result != STATUS_NO_MEMORY
                     && !is_forged;
    return is_blamed ? WRONG : judged(result == STATUS_OK, is_right);
}

/* --- digests and MACs ---------------------------------------------------- */

static answer
fetch(const void *with)
{
    digests made = {.by_value = false};
    bool ok = fb_digest_fetch_all(&made, false);
    (void)with;
    ERR_clear_error(); /* as the module does, which asks */
    fb_digest_free_all(&made);
    return judged(ok, true);
}

typedef struct {
    const digests *of;
    digest_id digest;
    size_t secret;
    unsigned char mac[MAC_MAX];
} mac_case;

CHECKED static status
mac_of(const mac_case *with, unsigned char *mac)
{
    static const unsigned char secret[200] = "a secret";
    hmac_key key;
    status result = fb_hmac_key_init(&key, with->of, with->digest, secret,
                                     with->secret);
    if (result == STATUS_OK) {
        result = fb_hmac_sign(&key, message.p, message.len, mac);
        fb_hmac_key_clear(&key);
    }
    return result;
}

static answer
sign_mac(const void *with)
{
    unsigned char mac[MAC_MAX] = {0};
    const mac_case *one = with;
    status result = mac_of(one, mac);
    return judged_by(result, memcmp(mac, one->mac, sizeof mac) == 0, false);
}

/* --- encryption ---------------------------------------------------------- */

typedef struct {
    const aead *row;
    unsigned char sealed[64], tag[AEAD_TAG_MAX];
    size_t len;
    bool is_forged;
} aead_case;

static const unsigned char key_bytes[64] = "a key", iv[16] = "an iv";

static answer
seal(const void *with)
{
    const aead_case *one = with;
    unsigned char out[64] = {0}, tag[AEAD_TAG_MAX] = {0};
    size_t len = 0;
    status result = fb_aead_seal(one->row, &all, key_bytes, iv, other, message,
                                 out, &len, tag);
    return judged_by(result,
                     len == one->len && memcmp(out, one->sealed, len) == 0
                         && memcmp(tag, one->tag, one->row->tag) == 0,
                     false);
}

static answer
open_sealed(const void *with)
{
    const aead_case *one = with;
    unsigned char out[64] = {0}, tag[AEAD_TAG_MAX] = {0};
    size_t len = 0;
    memcpy(tag, one->tag, sizeof tag);
    tag[0] ^= one->is_forged;
    status result = fb_aead_open(one->row, &all, key_bytes, iv, other,
                                 (span){(const char *)one->sealed, one->len},
                                 tag, out, &len);
    return judged_by(result,
                     !one->is_forged && len == message.len
                         && memcmp(out, message.p, len) == 0,
                     one->is_forged);
}

static answer
wrap(const void *with)
{
    span kek = {(const char *)key_bytes, 32}, key = {(const char *)iv, 16};
    unsigned char wrapped[24] = {0}, out[24] = {0};
    bool is_forged = with != NULL;
    status result = fb_key_wrap_aes(kek, key, wrapped);
    if (result != STATUS_OK) {
        return judged_by(result, false, false);
    }
    wrapped[0] ^= is_forged;
    span text = {(const char *)wrapped, sizeof wrapped};
    result = fb_key_unwrap_aes(kek, text, out);
    return judged_by(result, !is_forged && memcmp(out, iv, sizeof iv) == 0,
                     is_forged);
}

static answer
seal_for(const void *with)
{
    static unsigned char sealed[RSA_BYTES_MAX], out[RSA_BYTES_MAX];
    EVP_PKEY *evp = (EVP_PKEY *)(uintptr_t)with;
    size_t len = 0, opened = 0;
    status result = fb_key_wrap_oaep(evp, true, message, sealed, &len);
    if (result == STATUS_OK) {
        result = fb_key_unwrap_oaep(evp, true, (span){(char *)sealed, len},
                                    out, &opened);
    }
    return judged_by(result,
                     opened == message.len
                         && memcmp(out, message.p, opened) == 0,
                     false);
}

/* --- keys and signatures ------------------------------------------------- */

typedef struct {
    const alg *with;
    char *pem;
    size_t len;
    unsigned char signature[SIGNATURE_MAX]; /* of the message */
    bool is_forged;
} key_case;

static bool
read_key(const key_case *one, pkey *key)
{
    EVP_PKEY *evp;
    span text = {one->pem, one->len}, none = {"", 0};
    return fb_pkey_from_pem(text, none, &evp) == STATUS_OK
           && fb_pkey_make(key, evp, one->with, &all) == STATUS_OK;
}

static answer
sign(const void *with)
{
    unsigned char signature[SIGNATURE_MAX] = {0};
    pkey key;
    if (!read_key(with, &key)) {
        return REFUSED;
    }
    bool ok = fb_pkey_open(&key, &all) == STATUS_OK
              && fb_pkey_sign(&key, message, signature) == STATUS_OK;
    long kept = wanted;
    wanted = 0; /* it is right if libcrypto, undisturbed, finds it so */
    bool is_right =
        ok && fb_pkey_verify(&key, message, signature) == STATUS_OK;
    wanted = kept;
    fb_pkey_clear(&key);
    return judged(ok, is_right);
}

static answer
verify(const void *with)
{
    const key_case *one = with;
    pkey key;
    if (!read_key(one, &key)) {
        return REFUSED;
    }
    status result =
        fb_pkey_verify(&key, one->is_forged ? other : message, one->signature);
    fb_pkey_clear(&key);
    return judged_by(result, !one->is_forged, one->is_forged);
}

/* Points that no key may have, by their y: of order 1, 2, 4 and 8, and 2,
 * which is on no curve's other side. RFC 8032 5.1. */
static answer
take_point(const void *with)
{
    const curve *on = fb_alg_find_curve("Ed25519", 7);
    bool is_sound = fb_edwards_is_sound(on, with);
    ERR_clear_error(); /* as pkey_check.c does, which asks */
    return judged(is_sound, false);
}

/* --- passwords ----------------------------------------------------------- */

typedef struct {
    const char *hash;
    bool is_forged;
} hash_case;

static arenas kept;
static hash_means means = {NULL, &kept, false, false, NULL};

static answer
verify_password(const void *with)
{
    const hash_case *one = with;
    bool matches = false;
    span password = one->is_forged ? (span){"wrong", 5} : (span){"right", 5};
    status result = fb_format_verify(&means, password,
                                     (span){one->hash, strlen(one->hash)}, 1,
                                     true, &matches);
    return judged(result == STATUS_OK, matches == !one->is_forged);
}

static answer
make_password(const void *with)
{
    const char *text = with;
    hash_text made;
    bool matches = false;
    status result = fb_format_make(&means, (span){"right", 5},
                                   (span){text, strlen(text)}, 1, &made);
    if (result != STATUS_OK) {
        return REFUSED;
    }
    long kept_wanted = wanted;
    wanted = 0;
    result = fb_format_verify(&means, (span){"right", 5},
                              (span){made.text, made.len}, 1, true, &matches);
    wanted = kept_wanted;
    return judged(true, result == STATUS_OK && matches);
}

/* --- sessions ------------------------------------------------------------ */

static answer
session(const void *with)
{
    static const char token[] = "abcdefghijklmnopqrstuvwxyz012345";
    session_secret secret;
    char value[SESSION_SIGNED + 1] = {0}, text[SESSION_TOKEN] = {0};
    status result =
        fb_session_secret_init(&secret, with, (span){"a secret", 8});
    if (result != STATUS_OK) {
        return judged_by(result, false, false);
    }
    memcpy(value, token, SESSION_TOKEN);
    value[SESSION_TOKEN] = '.';
    result = fb_session_token_sign(&secret, token, value + SESSION_TOKEN + 1);
    if (result == STATUS_OK) {
        result = fb_session_token_read(&secret, (span){value, SESSION_SIGNED},
                                       text);
    }
    bool ok = result == STATUS_OK;
    bool is_right = ok && memcmp(text, token, SESSION_TOKEN) == 0;
    if (ok) { /* one of another token */
        value[0] = 'b';
        is_right = is_right
                   && fb_session_token_read(
                          &secret, (span){value, SESSION_SIGNED}, text)
                          != STATUS_OK;
    }
    fb_session_secret_clear(&secret);
    return judged_by(result, is_right, false);
}

static answer
session_data(const void *with)
{
    session_secret secret;
    unsigned char scratch[1024];
    char value[1024];
    size_t len;
    span text = {NULL, 0};
    if (fb_session_secret_init(&secret, with, (span){"a secret", 8})
        != STATUS_OK) {
        return REFUSED;
    }
    status result =
        fb_session_seal(&secret, with, message, scratch, value, &len);
    if (result == STATUS_OK) {
        result = fb_session_open(&secret, (span){value, len}, scratch, &text);
    }
    bool is_right = result == STATUS_OK && text.len == message.len
                    && memcmp(text.p, message.p, text.len) == 0;
    fb_session_secret_clear(&secret);
    return judged_by(result, is_right, false);
}

/* An envelope that anybody could have written. */
static answer
forged_data(const void *with)
{
    static const char forged[] =
        "{\"session\":{},\"expiresAt\":1,\"signature\":"
        "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}";
    session_secret secret;
    char text[sizeof forged];
    span payload;
    int64_t expires_at;
    if (fb_session_secret_init(&secret, with, (span){"a secret", 8})
        != STATUS_OK) {
        return REFUSED;
    }
    memcpy(text, forged, sizeof forged);
    status result = fb_session_compact_read(&secret, text, sizeof forged - 1,
                                            &payload, &expires_at);
    fb_session_secret_clear(&secret);
    return judged(result == STATUS_OK, false);
}

/* --- all of them --------------------------------------------------------- */

static long tried, faults;

/* An error that stays with the thread is taken for one of the next call. */
static bool
leaves_errors(void)
{
    bool leaves = ERR_peek_error() != 0;
    ERR_clear_error();
    return leaves;
}

static void
try(const char *name, answer (*call)(const void *), const void *with,
    answer undisturbed)
{
    failing_begin(0, false);
    answer found = call(with);
    long count = seen;
    if (found != undisturbed) {
        printf("%s: answers %d undisturbed\n", name, (int)found);
        faults++;
    }
    for (int on = 0; on < 2; on++) {
        for (long n = 1; n <= count; n++, tried++) {
            failing_begin(n, on != 0);
            found = call(with);
            if (found == WRONG || (found == RIGHT && undisturbed != RIGHT)) {
                printf("%s: wrong where call %ld of %ld fails%s\n", name, n,
                       count, on ? ", and all that follow" : "");
                faults++;
            }
            if (leaves_errors()) {
                printf("%s: leaves errors where call %ld of %ld fails%s\n",
                       name, n, count, on ? ", and all that follow" : "");
                faults++;
            }
        }
    }
    failing_begin(0, false);
}

static void
try_macs(void)
{
    static const size_t secrets[] = {32, 200}; /* 200: is hashed first */
    for (int i = 0; i < 2 * DIGEST_COUNT * 2; i++) {
        mac_case one = {i % 2 ? &slow : &all,
                        (digest_id)(i / 2 % DIGEST_COUNT),
                        secrets[i / (2 * DIGEST_COUNT)],
                        {0}};
        need(mac_of(&one, one.mac) == STATUS_OK, "HMAC");
        try("HMAC", sign_mac, &one, RIGHT);
    }
    try("the digests", fetch, NULL, RIGHT);
}

static void
try_encryption(void)
{
    static const char *const names[] = {"A128CBC-HS256", "A256CBC-HS512",
                                        "A128GCM", "A256GCM"};
    for (int i = 0; i < 4; i++) {
        aead_case one = {.row = fb_aead_find(names[i], strlen(names[i]))};
        need(fb_aead_seal(one.row, &all, key_bytes, iv, other, message,
                          one.sealed, &one.len, one.tag)
                 == STATUS_OK,
             names[i]);
        try(names[i], seal, &one, RIGHT);
        try(names[i], open_sealed, &one, RIGHT);
        one.is_forged = true;
        try(names[i], open_sealed, &one, REFUSED);
    }
    try("key wrap", wrap, NULL, RIGHT);
    try("key wrap, altered", wrap, iv, REFUSED);
}

static void
try_key(const char *name)
{
    static key_case one;
    EVP_PKEY *evp;
    BIO *pem;
    pkey key;
    char *text;
    one = (key_case){.with = fb_alg_find(name, strlen(name))};
    need(fb_pkey_generate(one.with, &evp) == STATUS_OK
             && fb_pkey_to_pem(evp, true, &pem) == STATUS_OK,
         name);
    one.len = (size_t)BIO_get_mem_data(pem, &text);
    one.pem = memcpy(malloc(one.len), text, one.len);
    BIO_free(pem);
    need(fb_pkey_make(&key, evp, one.with, &all) == STATUS_OK
             && fb_pkey_sign(&key, message, one.signature) == STATUS_OK,
         name);
    try(name, sign, &one, RIGHT);
    try(name, verify, &one, RIGHT);
    one.is_forged = true;
    try(name, verify, &one, REFUSED);
    if (one.with->kind == KIND_RSA) {
        try("RSA-OAEP", seal_for, key.evp, RIGHT);
    }
    fb_pkey_clear(&key);
    free(one.pem);
}

static void
try_points(void)
{
    unsigned char points[][32] = {
        {1},
        {0},
        {0xec, [1 ... 30] = 0xff, 0x7f},
        {2},
        {0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b,
         0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39,
         0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a}};
    for (size_t i = 0; i < sizeof points / sizeof *points; i++) {
        try("a point", take_point, points[i], REFUSED);
    }
}

/* Of the password "right". */
static const char *const hashes[] = {
    "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$P3OLBQw3O3GiY9hpX8wpK8qO6gQccIdDXn"
    "lkdzKceqU",
    "$scrypt$ln=4,r=8,p=1$c2FsdHNhbHQ$NtyaS8LCdQFkV4gXnlwP73+ZIn1PNt5KK/VYUFAf"
    "GRo",
    "$pbkdf2-sha256$1$c2FsdHNhbHQ$VOXPETF6Rd9XkFFDfSCLc5Dvz8sP5fAnraBdWuFL7Vk",
    "bcrypt_sha256$$2b$04$......................faWYsOlr9ZNNVpUsQK7QtXHrNANFVeS",
    "$1$salt$I7mUw4uf7gbe.mLJ1fX2S.",
    "$P$5saltsaltRFSnBaqaNL/Mz3.vKHm7J/",
    "sha1$salt$9a67ad4dbd5819a24edad07c68085c5c2c559c49",
    "{SSHA}Q0dAUNYieUEh8DjAxxd1rE959TVzYWx0",
    "$fbscrypt$v=1,n=4,r=8,p=1,ss=Bw==,sk=c2lnbmVyIGtleSBzaWduZXIga2V5IHNpZ25l"
    "ciBrZXk=$c2FsdA==$dqkrHO54rhupzRkPEoQ8u8KQX0IBbpgWogMvX45KRy0=",
    "$wp$2y$04$......................TrkkVOL3insgxlki6rKPP3coeg1LpOC",
};

static const char *const settings[] = {
    "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ",
    "$2b$04$......................",
    "bcrypt$$2b$04$......................",
    "bcrypt_sha256$$2b$04$......................",
    "$bcrypt-sha256$v=2,t=2b,r=4$......................",
    "$bcrypt-sha256$2b,4$......................",
    "argon2$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ",
    "$scrypt$ln=4,r=8,p=1$c2FsdHNhbHQ$",
    "pbkdf2_sha256$1$salt$",
};

static void
try_passwords(void)
{
    means.engine = fb_argon2_engine_find(NULL);
    for (size_t i = 0; i < sizeof hashes / sizeof *hashes; i++) {
        hash_case one = {hashes[i], false};
        try(hashes[i], verify_password, &one, RIGHT);
        one.is_forged = true;
        try(hashes[i], verify_password, &one, RIGHT);
    }
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        try(settings[i], make_password, settings[i], RIGHT);
    }
}

/* What can do without libcrypto's interface, and is libcrypto's elsewhere. */
static void
try_others(void)
{
    all.by_sodium = fb_sodium_has_ed25519();
    means.by_sodium = fb_sodium_has_scrypt();
    means.digests = &all;
    if (all.by_sodium) {
        try_key("EdDSA");
    }
    try_passwords();
}

int
main(void)
{
    need(fb_digest_fetch_all(&all, false) && fb_digest_fetch_all(&slow, true),
         "libcrypto has no SHA-2");
    try_macs();
    try_encryption();
    try_key("RS256");
    try_key("PS256");
    try_key("ES256");
    try_key("EdDSA");
    try_points();
    try_passwords();
    try_others();
    const digests *both[] = {&all, &slow};
    for (int i = 0; i < 2; i++) {
        try("a session's token", session, both[i], RIGHT);
        try("a session's data", session_data, both[i], RIGHT);
        try("forged data", forged_data, both[i], REFUSED);
    }
    printf("%ld failures of libcrypto, %ld wrong answers\n", tried, faults);
    return faults == 0 ? 0 : 1;
}
