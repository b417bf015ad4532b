/* Why libcrypto failed: for want of memory, or by what it was given. */
#include "crypto/crypto.h"

#include <openssl/err.h>

void
fb_failure_forget(void)
{
    if (ERR_peek_error() != 0) {
        ERR_clear_error();
    }
}

status
fb_failure_of(status otherwise)
{
    bool is_memory = false;
    unsigned long error;
    while ((error = ERR_get_error()) != 0) {
        is_memory = is_memory || ERR_GET_REASON(error) == ERR_R_MALLOC_FAILURE;
    }
    return is_memory ? STATUS_NO_MEMORY : otherwise;
}
