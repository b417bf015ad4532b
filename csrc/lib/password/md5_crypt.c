/* crypt(3)'s hashes of MD5, after Poul-Henning Kamp's for FreeBSD, 1994; and
 * Apache's, which differ in their mark. */
#include "password/password.h"

#include <string.h>

#include <openssl/crypto.h>

#include "password/old.h"

#define ROUNDS 1000
#define SALT_MAX 8
#define MD5_LEN 16

static const unsigned char order[MD5_LEN] = {
    12, 6, 0, 13, 7, 1, 14, 8, 2, 15, 9, 3, 5, 10, 4, 11,
};

/* salt$digest */
bool
fb_md5_crypt_read(const format *row, span rest, old_hash *out)
{
    span salt;
    if (!fb_text_until(&rest, '$', &salt) || salt.len > SALT_MAX) {
        return false;
    }
    memcpy(out->salt, salt.p, salt.len);
    out->salt_len = salt.len;
    return fb_crypt64_decode(rest, order, out->digest, row->key);
}

static void
begin(digester *all, const format *row, const old_hash *with, span password,
      unsigned char *digest)
{
    const char *mark = row->prefixes[0];
    fb_digester_add(all, password.p, password.len);
    fb_digester_add(all, with->salt, with->salt_len);
    fb_digester_add(all, password.p, password.len);
    fb_digester_end(all, digest);
    fb_digester_add(all, password.p, password.len);
    fb_digester_add(all, mark, strlen(mark));
    fb_digester_add(all, with->salt, with->salt_len);
    fb_digester_repeat(all, digest, MD5_LEN, password.len);
    for (size_t bits = password.len; bits > 0; bits >>= 1) {
        fb_digester_add(all, bits & 1 ? "" : password.p, 1);
    }
    fb_digester_end(all, digest);
}

static void
turn(digester *all, const old_hash *with, span password, unsigned round,
     unsigned char *digest)
{
    bool is_odd = round % 2 == 1;
    const void *first = is_odd ? (const void *)password.p : digest;
    const void *last = is_odd ? (const void *)digest : password.p;
    fb_digester_add(all, first, is_odd ? password.len : MD5_LEN);
    fb_digester_add(all, with->salt, round % 3 != 0 ? with->salt_len : 0);
    fb_digester_add(all, password.p, round % 7 != 0 ? password.len : 0);
    fb_digester_add(all, last, is_odd ? MD5_LEN : password.len);
    fb_digester_end(all, digest);
}

status
fb_md5_crypt_compute(const format *row, const old_hash *with, span password,
                     unsigned char *digest)
{
    digester all = fb_digester_open(row->md());
    begin(&all, row, with, password, digest);
    for (unsigned round = 0; round < ROUNDS; round++) {
        turn(&all, with, password, round, digest);
    }
    return fb_digester_close(&all);
}
