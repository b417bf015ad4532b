/* One round of a digest, with a salt: Django's, Werkzeug's and LDAP's. */
#include "password/password.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/hmac.h>

#include "password/old.h"

/* sha1$salt$hex; by Django and by Werkzeug, who differ in what they make */
bool
fb_salted_read_dollar(const format *row, span rest, old_hash *out)
{
    span salt;
    size_t len;
    if (!fb_text_until(&rest, '$', &salt) || salt.len > sizeof out->salt) {
        return false;
    }
    memcpy(out->salt, salt.p, salt.len);
    out->salt_len = salt.len;
    return fb_text_decode(rest, CODE_HEX, out->digest, row->key, &len)
           && len == row->key;
}

/* The digest in hex, in either case, and nothing else. Its characters are of
 * base64, too, and would be a digest with a salt. */
static bool
read_hex(span text, unsigned char *digest, size_t key)
{
    char lower[2 * OLD_DIGEST_MAX];
    size_t len;
    if (text.len != 2 * key) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        char c = text.p[i];
        lower[i] = (char)('A' <= c && c <= 'F' ? c - 'A' + 'a' : c);
    }
    return fb_text_decode((span){lower, text.len}, CODE_HEX, digest, key, &len)
           && len == key;
}

/* After a label that tells of no salt: passlib's ldap_hex_md5, and Spring */
bool
fb_salted_read_ldap_bare(const format *row, span rest, old_hash *out)
{
    return read_hex(rest, out->digest, row->key)
           || fb_salted_read_ldap(row, rest, out);
}

/* base64 of the digest and of the salt that may follow it (RFC 2307 names
 * {SHA} and {MD5}; OpenLDAP and others the rest) */
bool
fb_salted_read_ldap(const format *row, span rest, old_hash *out)
{
    unsigned char bytes[OLD_DIGEST_MAX + OLD_SALT_MAX];
    size_t len;
    if (!fb_text_decode(rest, CODE_B64_PADDED, bytes, row->key + OLD_SALT_MAX,
                        &len)
        || len < row->key) {
        return false;
    }
    memcpy(out->digest, bytes, row->key);
    memcpy(out->salt, bytes + row->key, len - row->key);
    out->salt_len = len - row->key;
    return true;
}

/* Django */
status
fb_salted_salt_first(const format *row, const old_hash *with, span password,
                     unsigned char *digest)
{
    digester all = fb_digester_open(row->md());
    fb_digester_add(&all, with->salt, with->salt_len);
    fb_digester_add(&all, password.p, password.len);
    fb_digester_end(&all, digest);
    return fb_digester_close(&all);
}

/* LDAP */
status
fb_salted_salt_last(const format *row, const old_hash *with, span password,
                    unsigned char *digest)
{
    digester all = fb_digester_open(row->md());
    fb_digester_add(&all, password.p, password.len);
    fb_digester_add(&all, with->salt, with->salt_len);
    fb_digester_end(&all, digest);
    return fb_digester_close(&all);
}

/* Werkzeug before 3.0: HMAC, or without a salt the bare digest */
status
fb_salted_hmac(const format *row, const old_hash *with, span password,
               unsigned char *digest)
{
    if (with->salt_len == 0) {
        return fb_salted_salt_first(row, with, password, digest);
    }
    fb_failure_forget();
    return HMAC(row->md(), with->salt, (int)with->salt_len,
                (const unsigned char *)password.p, password.len, digest, NULL)
                   != NULL
               ? STATUS_OK
               : fb_failure_of(STATUS_CRYPTO_FAILED);
}
