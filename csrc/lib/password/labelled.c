/* Hashes after a label in braces, as LDAP, Dovecot and Spring Security write
 * them: {bcrypt}$2a$10$... */
#include "password/password.h"

#include <string.h>

/* The format of the hash after the label, if the row allows it there. */
static const format *
inner_of(const format *row, span hash, span *inner)
{
    *inner = hash;
    const format *found =
        fb_format_skip(row, inner) ? fb_format_find(*inner) : NULL;
    for (size_t i = 0; found != NULL && row->inner[i] != NULL; i++) {
        if (strcmp(row->inner[i], found->name) == 0) {
            return found;
        }
    }
    return NULL;
}

status
fb_labelled_check(const format *row, span setting, hash_parts *out)
{
    span inner;
    const format *found = inner_of(row, setting, &inner);
    *out = (hash_parts){0};
    if (found == NULL) {
        return STATUS_HASH_MALFORMED;
    }
    status result = found->check(found, inner, out);
    out->is_weak = found->is_weak;
    out->digest_at += setting.len - inner.len;
    return result;
}

status
fb_labelled_verify(const format *row, const hash_means *means, span password,
                   span hash, unsigned threads, bool *matches)
{
    span inner;
    const format *found = inner_of(row, hash, &inner);
    *matches = false;
    return found == NULL ? STATUS_HASH_MALFORMED
                         : found->verify(found, means, password, inner,
                                         threads, matches);
}

bool
fb_labelled_is_sole(span setting, span password)
{
    span label;
    const format *found =
        fb_text_until(&setting, '}', &label) ? fb_format_find(setting) : NULL;
    return found != NULL && fb_format_is_sole(found, setting, password);
}
