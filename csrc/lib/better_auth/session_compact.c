/* The cookie session_data, compact: an envelope with its own MAC. */
#include "better_auth/session.h"

#include <openssl/crypto.h>

#define COMPACT_START "{\"session\":"
#define COMPACT_EXPIRES ",\"expiresAt\":"
#define COMPACT_MAC ",\"signature\":\""
#define COMPACT_MAC_LEN 43
#define COMPACT_END "\"}"

static bool
ends(span *rest, const char *word)
{
    size_t len = strlen(word);
    bool ok =
        rest->len >= len && memcmp(rest->p + rest->len - len, word, len) == 0;
    if (ok) {
        rest->len -= len;
    }
    return ok;
}

/* Milliseconds without leading zeros, at the end of what is left. */
static bool
ends_in_number(span *rest, int64_t *number)
{
    size_t digits = 0;
    int64_t value = 0, unit = 1;
    while (digits < rest->len && digits < 16
           && rest->p[rest->len - 1 - digits] >= '0'
           && rest->p[rest->len - 1 - digits] <= '9') {
        value += unit * (rest->p[rest->len - 1 - digits] - '0');
        unit *= 10;
        digits++;
    }
    bool ok = digits > 0 && (digits == 1 || value >= unit / 10);
    rest->len -= digits;
    *number = value;
    return ok;
}

/* Cuts the envelope exactly as its maker writes it. */
static bool
split_compact(span text, span *payload, span *tail, span *mac,
              int64_t *expires_at)
{
    span rest = text;
    bool ok = fb_text_skip(&rest, COMPACT_START) && ends(&rest, COMPACT_END)
              && rest.len > COMPACT_MAC_LEN;
    if (!ok) {
        return false;
    }
    rest.len -= COMPACT_MAC_LEN;
    *mac = (span){rest.p + rest.len, COMPACT_MAC_LEN};
    if (!ends(&rest, COMPACT_MAC)) {
        return false;
    }
    const char *end = rest.p + rest.len;
    if (!ends_in_number(&rest, expires_at) || !ends(&rest, COMPACT_EXPIRES)) {
        return false;
    }
    *payload = rest;
    *tail = (span){rest.p + rest.len, (size_t)(end - rest.p) - rest.len};
    return rest.len >= 2 && rest.p[rest.len - 1] == '}';
}

status
fb_session_compact_read(const session_secret *secret, char *json, size_t len,
                        span *payload, int64_t *expires_at)
{
    span tail, claimed;
    unsigned char mac[MAC_MAX] = {0}, named[SHA256_DIGEST_LENGTH];
    if (!split_compact((span){json, len}, payload, &tail, &claimed,
                       expires_at)) {
        return STATUS_SESSION_DATA;
    }
    /* What was signed is the payload with expiresAt as its last member: it
     * takes the place of the closing brace, which comes back after it. */
    char *brace = json + (payload->p - json) + payload->len - 1;
    memmove(brace, tail.p, tail.len);
    brace[tail.len] = '}';
    status result =
        fb_hmac_sign(&secret->mac, payload->p, payload->len + tail.len, mac);
    *brace = '}';
    if (result != STATUS_OK) {
        return result;
    }
    /* Bytes are compared: no table is looked up by the right MAC. */
    return fb_b64url_decode(claimed.p, claimed.len, named)
                   && CRYPTO_memcmp(mac, named, sizeof named) == 0
               ? STATUS_OK
               : STATUS_SIGNATURE_WRONG;
}
