/* Password hash formats, found in their tables and used. */
#include "password/password.h"

#include <string.h>

static const format *const tables[] = {fb_formats_made, fb_formats_old};

#define TABLES (sizeof tables / sizeof *tables)

bool
fb_format_skip(const format *row, span *rest)
{
    const char *const *prefix = row->prefixes;
    while (*prefix != NULL && !fb_text_skip(rest, *prefix)) {
        prefix++;
    }
    return *prefix != NULL || (row->is_it != NULL && row->is_it(*rest));
}

const format *
fb_format_find(span setting)
{
    for (size_t i = 0; i < TABLES; i++) {
        for (const format *row = tables[i]; row->name != NULL; row++) {
            span rest = setting;
            if (fb_format_skip(row, &rest)) {
                return row;
            }
        }
    }
    return NULL;
}

const format *
fb_format_named(const char *name)
{
    for (size_t i = 0; i < TABLES; i++) {
        for (const format *row = tables[i]; row->name != NULL; row++) {
            if (strcmp(row->name, name) == 0) {
                return row;
            }
        }
    }
    return NULL;
}

/* --- using it ------------------------------------------------------------ */

status
fb_format_make(const hash_means *means, span password, span setting,
               unsigned threads, hash_text *out)
{
    const format *row = fb_format_find(setting);
    if (row == NULL) {
        return STATUS_HASH_UNKNOWN;
    }
    if (row->seen != 0 && password.len > row->seen) {
        return STATUS_PASSWORD_LONG; /* it would forget what its user typed */
    }
    if (row->make == NULL) {
        return STATUS_HASH_OLD;
    }
    return row->make(row, means, password, setting, threads, out);
}

status
fb_format_parts(span hash, const format **found, hash_parts *out)
{
    *out = (hash_parts){0};
    *found = fb_format_find(hash);
    if (*found == NULL) {
        return STATUS_HASH_UNKNOWN;
    }
    status result = (*found)->check(*found, hash, out);
    out->is_weak = out->is_weak || (*found)->is_weak;
    return result == STATUS_OK && out->digest == 0 ? STATUS_HASH_MALFORMED
                                                   : result;
}

/* Whatever can be told of the password without the work, the work is done: the
 * time does not tell which hashes are kept. */
status
fb_format_verify(const hash_means *means, span password, span hash,
                 unsigned threads, bool takes_weak, bool *matches)
{
    const format *row;
    hash_parts parts;
    *matches = false;
    status result = fb_format_parts(hash, &row, &parts);
    if (result == STATUS_OK && parts.is_weak && !takes_weak) {
        result = STATUS_HASH_WEAK;
    }
    if (result != STATUS_OK) {
        return result;
    }
    result = row->verify(row, means, password, hash, threads, matches);
    if (result == STATUS_PASSWORD_NUL || result == STATUS_PASSWORD_LONG) {
        /* no hash was ever made of it */
        result =
            row->verify(row, means, (span){"", 0}, hash, threads, matches);
        *matches = false;
    }
    return result;
}

bool
fb_format_is_sole(const format *row, span hash, span password)
{
    return (row->seen == 0 || password.len < row->seen)
           && (row->is_sole == NULL || row->is_sole(hash, password));
}

status
fb_format_write(const format *row, const hash_parts *parts, span salt,
                hash_text *out)
{
    hash_parts read;
    out->len = 0;
    if (row->write == NULL) {
        return STATUS_HASH_UNKNOWN;
    }
    return row->write(row, parts, salt, out)
               ? row->check(row, (span){out->text, out->len}, &read)
               : STATUS_HASH_MALFORMED;
}
