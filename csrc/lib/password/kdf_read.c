/* The texts in which scrypt and PBKDF2 hashes are stored. */
#include "password/password.h"

#include "password/kdf.h"

/* A stored hash chooses its own cost. OWASP's strongest scrypt takes 128 MiB;
 * RFC 7914's example for files takes 1 GiB, and so may a hash. */
#define ITERATIONS_MAX 10000000u /* of all blocks of the key together */
#define LOG_N_MAX 20u
#define MEMORY_MAX ((uint64_t)1 << 30)
#define WORK_MAX ((uint64_t)1 << 24) /* N times r times p */

/* r times p: scrypt's first buffer has 128 bytes of each, beside those of N
 * times r, and PBKDF2 makes and reads it, whatever N is. 8 MiB. */
#define BLOCKS_MAX ((uint64_t)1 << 16)

/* RFC 8018 5.2: each block of the key takes all the iterations. */
CHECKED static status
check_pbkdf2(const kdf *read)
{
    size_t hash = (size_t)EVP_MD_get_size(read->md());
    size_t blocks = read->key_len > hash ? (read->key_len - 1) / hash + 1 : 1;
    return read->n == 0                         ? STATUS_HASH_MALFORMED
           : read->n <= ITERATIONS_MAX / blocks ? STATUS_OK
                                                : STATUS_HASH_COSTLY;
}

status
fb_kdf_check_cost(const kdf *read)
{
    if (read->md != NULL) {
        return check_pbkdf2(read);
    }
    /* RFC 7914 6: N is a power of two and less than 2^(128 r / 8), r and p are
     * positive */
    if (read->n < 2 || (read->n & (read->n - 1)) != 0 || read->r == 0
        || read->p == 0 || (read->r < 4 && read->n >> (16 * read->r) != 0)) {
        return STATUS_HASH_MALFORMED;
    }
    bool is_cheap = read->n <= (uint64_t)1 << LOG_N_MAX
                    && (uint64_t)read->r * read->p <= BLOCKS_MAX
                    && 128 * read->n * read->r <= MEMORY_MAX
                    && read->n * read->r * read->p <= WORK_MAX;
    return is_cheap ? STATUS_OK : STATUS_HASH_COSTLY;
}

/* --- salts and keys ------------------------------------------------------ */

/* A salt that is used as it is written, as Django, Werkzeug and Better Auth
 * do. */
static bool
read_raw_salt(span *rest, char end, kdf *out)
{
    span salt;
    if (!fb_text_until(rest, end, &salt) || salt.len > sizeof out->salt) {
        return false;
    }
    memcpy(out->salt, salt.p, salt.len);
    out->salt_len = salt.len;
    return true;
}

static bool
read_coded_salt(span *rest, text_code code, kdf *out)
{
    span salt;
    return fb_text_until(rest, '$', &salt)
           && fb_text_decode(salt, code, out->salt, sizeof out->salt,
                             &out->salt_len);
}

/* What is left is the key, or nothing. One that was cut would still be the
 * beginning of the right one, so its length is fixed. */
static bool
read_key(span text, span rest, text_code code, kdf *out)
{
    out->setting_len = text.len - rest.len;
    return rest.len == 0
           || fb_text_decode(rest, code, out->key, sizeof out->key,
                             &out->key_len);
}

/* --- scrypt -------------------------------------------------------------- */

/* $scrypt$ln=17,r=8,p=1$salt$key, by passlib */
bool
fb_kdf_read_passlib_scrypt(span text, span rest, kdf *out)
{
    uint32_t log_n;
    bool ok = fb_text_skip(&rest, "ln=") && fb_text_number(&rest, &log_n)
              && fb_text_skip(&rest, ",r=") && fb_text_number(&rest, &out->r)
              && fb_text_skip(&rest, ",p=") && fb_text_number(&rest, &out->p)
              && fb_text_skip(&rest, "$")
              && read_coded_salt(&rest, CODE_B64, out)
              && read_key(text, rest, CODE_B64, out);
    out->n = ok && log_n < 64 ? (uint64_t)1 << log_n : 0;
    return ok;
}

/* scrypt$N$salt$r$p$key, by Django */
bool
fb_kdf_read_django_scrypt(span text, span rest, kdf *out)
{
    uint32_t n;
    bool ok = fb_text_number(&rest, &n) && fb_text_skip(&rest, "$")
              && read_raw_salt(&rest, '$', out)
              && fb_text_number(&rest, &out->r) && fb_text_skip(&rest, "$")
              && fb_text_number(&rest, &out->p) && fb_text_skip(&rest, "$")
              && read_key(text, rest, CODE_B64_PADDED, out);
    out->n = ok ? n : 0;
    return ok;
}

/* scrypt:N:r:p$salt$key, by Werkzeug */
bool
fb_kdf_read_werkzeug_scrypt(span text, span rest, kdf *out)
{
    uint32_t n;
    bool ok = fb_text_number(&rest, &n) && fb_text_skip(&rest, ":")
              && fb_text_number(&rest, &out->r) && fb_text_skip(&rest, ":")
              && fb_text_number(&rest, &out->p) && fb_text_skip(&rest, "$")
              && read_raw_salt(&rest, '$', out)
              && read_key(text, rest, CODE_HEX, out);
    out->n = ok ? n : 0;
    return ok;
}

/* salt:key, by Better Auth; the digits of the salt are the salt */
bool
fb_kdf_read_better_auth(span text, span rest, kdf *out)
{
    out->n = 16384;
    out->r = 16;
    out->p = 1;
    return read_raw_salt(&rest, ':', out)
           && read_key(text, rest, CODE_HEX, out);
}

/* --- PBKDF2 -------------------------------------------------------------- */

/* $pbkdf2-sha256$iterations$salt$key, by passlib */
bool
fb_kdf_read_passlib_pbkdf2(span text, span rest, kdf *out)
{
    uint32_t iterations;
    bool ok = fb_text_number(&rest, &iterations) && fb_text_skip(&rest, "$")
              && read_coded_salt(&rest, CODE_AB64, out)
              && read_key(text, rest, CODE_AB64, out);
    out->n = ok ? iterations : 0;
    return ok;
}

/* pbkdf2_sha256$iterations$salt$key, by Django */
bool
fb_kdf_read_django_pbkdf2(span text, span rest, kdf *out)
{
    uint32_t iterations;
    bool ok = fb_text_number(&rest, &iterations) && fb_text_skip(&rest, "$")
              && read_raw_salt(&rest, '$', out)
              && read_key(text, rest, CODE_B64_PADDED, out);
    out->n = ok ? iterations : 0;
    return ok;
}

/* pbkdf2:sha256:iterations$salt$key, by Werkzeug */
bool
fb_kdf_read_werkzeug_pbkdf2(span text, span rest, kdf *out)
{
    uint32_t iterations;
    bool ok = fb_text_number(&rest, &iterations) && fb_text_skip(&rest, "$")
              && read_raw_salt(&rest, '$', out)
              && read_key(text, rest, CODE_HEX, out);
    out->n = ok ? iterations : 0;
    return ok;
}

/* --- all of them --------------------------------------------------------- */

/* Every hash of a format has a key of one length: one that was cut would still
 * be the beginning of the right one; a format without such a length says how
 * long its keys are. There must be room to write it, too. */
status
fb_kdf_read(const format *row, span text, kdf *out)
{
    span rest = text;
    *out = (kdf){.md = row->md};
    bool ok =
        fb_format_skip(row, &rest) && row->read(text, rest, out)
        && (out->key_len == 0 || row->key == 0 || out->key_len == row->key)
        && out->setting_len + 2 * row->key + 4 <= HASH_TEXT_MAX;
    return ok ? fb_kdf_check_cost(out) : STATUS_HASH_MALFORMED;
}
