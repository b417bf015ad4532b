/* The bearer token of a request's credentials. */
#include "http/http.h"

static const char scheme[] = "bearer ";
enum { SCHEME_LEN = sizeof scheme - 1 };

static bool
is_bearer(span value)
{
    if (value.len < SCHEME_LEN) {
        return false;
    }
    for (size_t i = 0; i < SCHEME_LEN; i++) {
        char c = value.p[i];
        if ((c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c) != scheme[i]) {
            return false;
        }
    }
    return true;
}

span
fb_credentials_bearer(span value)
{
    size_t at = SCHEME_LEN;
    if (!is_bearer(value)) {
        return (span){value.p, 0};
    }
    while (at < value.len && value.p[at] == ' ') {
        at++;
    }
    return (span){value.p + at, value.len - at};
}
