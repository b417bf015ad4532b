/* The "portable" hashes of PHP's phpass by Solar Designer, 2004: many rounds
 * of MD5, as WordPress and phpBB stored them. */
#include "password/password.h"

#include <string.h>

#include "password/old.h"

#define SALT_MAX 8
#define MD5_LEN 16
#define LOG_MIN 7
#define LOG_MAX 30

/* a character for the logarithm of the rounds, 8 of salt, 22 of digest */
bool
fb_phpass_read(const format *row, span rest, old_hash *out)
{
    if (rest.len < 1 + SALT_MAX) {
        return false;
    }
    unsigned log = fb_crypt64_value(rest.p[0]);
    if (log < LOG_MIN || log > LOG_MAX) {
        return false;
    }
    out->rounds = 1u << log;
    memcpy(out->salt, rest.p + 1, SALT_MAX);
    out->salt_len = SALT_MAX;
    rest = (span){rest.p + 1 + SALT_MAX, rest.len - 1 - SALT_MAX};
    return fb_crypt64_decode(rest, NULL, out->digest, row->key);
}

status
fb_phpass_compute(const format *row, const old_hash *with, span password,
                  unsigned char *digest)
{
    digester all = fb_digester_open(row->md());
    fb_digester_add(&all, with->salt, with->salt_len);
    fb_digester_add(&all, password.p, password.len);
    fb_digester_end(&all, digest);
    for (uint32_t round = 0; round < with->rounds; round++) {
        fb_digester_add(&all, digest, MD5_LEN);
        fb_digester_add(&all, password.p, password.len);
        fb_digester_end(&all, digest);
    }
    return fb_digester_close(&all);
}
