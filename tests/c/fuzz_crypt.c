/*
 * Hashes of crypt(3), which libxcrypt makes where it is here, and of phpass
 * and LDAP, which are made by the libcrypto of this page: the library takes
 * the password for each of them, and no other. Bytes: the format, the rounds,
 * the length of the salt; salt and password.
 */
#include "second_base64.h"

#include "password/password.h"

#ifdef FASTBEARER_LIBCRYPT
#include <crypt.h>
#endif

#define PASSWORD_MAX 71 /* of which all bytes count in bcrypt's */
#define SALT_MAX 40

static const char alphabet[] =
    "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

typedef struct {
    uint8_t cost;
    span salt, password; /* the password has a NUL after it */
} given;

static bool
verifies(span password, const char *text, size_t len)
{
    bool matches = false;
    char *copy = exact_copy(text, len);
    MUST(fb_format_verify(NULL, password, (span){copy, len}, 1, true, &matches)
         == STATUS_OK);
    free(copy);
    return matches;
}

/* The password, and one that differs: by a character more, or by a bit. */
static void
check_hash(const given *of, const char *text, size_t len)
{
    const span password = of->password;
    char *other = exact_copy(password.p, password.len + 1);
    bool is_longer = password.len == 0 || of->cost & 0x80;
    other[is_longer ? password.len : of->cost % password.len] ^= 1;
    MUST(verifies(password, text, len));
    if (memchr(other, '\0', password.len) == NULL) {
        MUST(!verifies((span){other, password.len + is_longer}, text, len));
    }
    free(other);
}

/* --- crypt(3) ------------------------------------------------------------ */

#ifdef FASTBEARER_LIBCRYPT

static void
check_crypt(const given *of, const char *prefix, size_t salt)
{
    static struct crypt_data data;
    char setting[64];
    size_t len = (size_t)snprintf(setting, sizeof setting, "%s", prefix);
    if (prefix[1] == '5' || prefix[1] == '6') {
        len += (size_t)snprintf(setting + len, sizeof setting - len,
                                "rounds=%d$", 1000 + of->cost % 8);
    }
    for (size_t i = 0; i < salt; i++) {
        uint8_t c = i < of->salt.len ? (uint8_t)of->salt.p[i] : 0;
        setting[len++] = alphabet[c % 64];
    }
    setting[len++] = prefix[1] == '2' ? '\0' : '$';
    setting[len] = '\0';
    const char *made =
        crypt_rn(of->password.p, setting, &data, (int)sizeof data);
    if (made == NULL) {
        return; /* its build may lack a format */
    }
    if (prefix[2] == 'x') { /* a faulty one, in which passwords are the same */
        MUST(verifies(of->password, made, strlen(made)));
    } else {
        check_hash(of, made, strlen(made));
    }
}

#else

static void
check_crypt(const given *of, const char *prefix, size_t salt)
{
    (void)of, (void)prefix, (void)salt;
}

#endif

/* --- phpass -------------------------------------------------------------- */

/* Solar Designer's: MD5 of salt and password, then of that and the password,
 * 2^log times. */
static void
check_phpass(const given *of)
{
    char text[34 + 1] = "$P$";
    unsigned char state[16 + PASSWORD_MAX + 8];
    size_t at = 12;
    text[3] = alphabet[7 + of->cost % 4];
    for (size_t i = 0; i < 8; i++) {
        uint8_t c = i < of->salt.len ? (uint8_t)of->salt.p[i] : 0;
        text[4 + i] = alphabet[c % 64];
    }
    memcpy(state, text + 4, 8);
    memcpy(state + 8, of->password.p, of->password.len);
    MUST(EVP_Digest(state, 8 + of->password.len, state, NULL, EVP_md5(), NULL)
         == 1);
    for (int round = 0; round < 1 << (7 + of->cost % 4); round++) {
        memcpy(state + 16, of->password.p, of->password.len);
        MUST(EVP_Digest(state, 16 + of->password.len, state, NULL, EVP_md5(),
                        NULL)
             == 1);
    }
    state[16] = state[17] = 0;
    for (size_t i = 0; i < 16; i += 3) { /* the lowest bits come first */
        uint32_t group = state[i] | (uint32_t)state[i + 1] << 8
                         | (uint32_t)state[i + 2] << 16;
        for (int j = 0; j < (i == 15 ? 2 : 4); j++, group >>= 6) {
            text[at++] = alphabet[group & 63];
        }
    }
    MUST(at == 34);
    check_hash(of, text, at);
}

/* --- single rounds ------------------------------------------------------- */

/* {SSHA256} and its kin: base64 of the digest of password and salt, and of
 * the salt. */
static void
check_ldap(const given *of, const char *label, const EVP_MD *md)
{
    unsigned char bytes[EVP_MAX_MD_SIZE + SALT_MAX];
    char text[2 * sizeof bytes + 16];
    size_t size = (size_t)EVP_MD_get_size(md);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    MUST(EVP_DigestInit_ex(ctx, md, NULL) == 1);
    MUST(EVP_DigestUpdate(ctx, of->password.p, of->password.len) == 1);
    MUST(EVP_DigestUpdate(ctx, of->salt.p, of->salt.len) == 1);
    MUST(EVP_DigestFinal_ex(ctx, bytes, NULL) == 1);
    EVP_MD_CTX_free(ctx);
    memcpy(bytes + size, of->salt.p, of->salt.len);
    size_t len = (size_t)snprintf(text, sizeof text, "%s", label), start = len;
    const span whole = {(char *)bytes, size + of->salt.len};
    len += second_encode(SECOND_LETTERS "+/", whole, text + len);
    while ((len - start) % 4 != 0) {
        text[len++] = '=';
    }
    check_hash(of, text, len);
}

/* sha1$salt$hex, by Django: the digest of salt and password. */
static void
check_dollar(const given *of)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    char both[SALT_MAX + PASSWORD_MAX], text[64 + SALT_MAX];
    size_t len = (size_t)snprintf(text, sizeof text, "sha1$");
    if (memchr(of->salt.p, '$', of->salt.len) != NULL) {
        return;
    }
    memcpy(both, of->salt.p, of->salt.len);
    memcpy(both + of->salt.len, of->password.p, of->password.len);
    MUST(EVP_Digest(both, of->salt.len + of->password.len, digest, NULL,
                    EVP_sha1(), NULL)
         == 1);
    memcpy(text + len, of->salt.p, of->salt.len);
    len += of->salt.len;
    text[len++] = '$';
    for (size_t i = 0; i < 20; i++) {
        len += (size_t)snprintf(text + len, 3, "%02x", digest[i]);
    }
    check_hash(of, text, len);
}

static void
check_one(const given *of, uint8_t which)
{
    switch (which % 13) {
    case 0:
        check_crypt(of, "$1$", of->salt.len % 9);
        break;
    case 1:
        check_crypt(of, "$5$", of->salt.len % 17);
        break;
    case 2:
        check_crypt(of, "$6$", of->salt.len % 17);
        break;
    case 3:
        check_crypt(of, "$2b$04$", 22);
        break;
    case 4:
        check_crypt(of, "$2a$04$", 22);
        break;
    case 5:
        check_crypt(of, "$2y$04$", 22);
        break;
    case 6:
        check_crypt(of, "$2x$04$", 22);
        break;
    case 7:
        check_phpass(of);
        break;
    case 8:
        check_ldap(of, "{SSHA}", EVP_sha1());
        break;
    case 9:
        check_ldap(of, "{SSHA512}", EVP_sha512());
        break;
    case 10:
        check_ldap(of, "{SMD5}", EVP_md5());
        break;
    default:
        check_dollar(of);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    intake from = {data, size};
    uint8_t which = intake_byte(&from);
    given of = {.cost = intake_byte(&from)};
    size_t salt = intake_byte(&from) % SALT_MAX;
    of.salt = intake_span(&from, salt);
    const span text = intake_span(&from, PASSWORD_MAX);
    char *password = exact_room(text.len + 1);
    memcpy(password, text.p, text.len);
    password[text.len] = '\0';
    of.password = (span){password, strlen(password)};
    check_one(&of, which);
    free(password);
    span_free(text);
    span_free(of.salt);
    return 0;
}
