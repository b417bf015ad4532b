/* An engine proves itself once, before it is asked about anybody's password: a
 * compiler, a linker or a library may have made another function of it. */
#include "password/password.h"

#include "password/argon2/argon2_inner.h"

/* RFC 9106 5.3, which refers to blocks in each of the ways that there are. */
bool
fb_argon2_known_agrees(const argon2_engine *engine)
{
    static const char password[] =
        "\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01"
        "\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01";
    static const char salt[] =
        "\x02\x02\x02\x02\x02\x02\x02\x02\x02\x02\x02\x02\x02\x02\x02\x02";
    static const char secret[] = "\x03\x03\x03\x03\x03\x03\x03\x03";
    static const char data[] =
        "\x04\x04\x04\x04\x04\x04\x04\x04\x04\x04\x04\x04";
    static const unsigned char expected[32] = {
        0x0d, 0x64, 0x0d, 0xf5, 0x8d, 0x78, 0x76, 0x6c, 0x08, 0xc0, 0x37,
        0xa3, 0x4a, 0x8b, 0x53, 0xc9, 0xd0, 0x1e, 0xf0, 0x45, 0x2d, 0x75,
        0xb6, 0x5e, 0xb5, 0x25, 0x20, 0xe9, 0x6b, 0x01, 0xe6, 0x59};
    const argon2_params params = {
        .kind = ARGON2_ID,
        .version = 0x13,
        .memory = 32,
        .passes = 3,
        .lanes = 4,
        .salt = {salt, sizeof salt - 1},
        .secret = {secret, sizeof secret - 1},
        .data = {data, sizeof data - 1},
        .size = sizeof expected,
    };
    unsigned char tag[sizeof expected] = {0};
    size_t bytes = fb_argon2_arena_size(engine, &params);
    void *blocks = bytes > 0 ? fb_platform_map(bytes) : NULL;
    if (bytes > 0 && blocks == NULL) {
        return false;
    }
    status result = fb_argon2_compute(engine, &params, (span){password, 32},
                                      blocks, 1, tag);
    if (blocks != NULL) {
        fb_platform_unmap(blocks, bytes);
    }
    return result == STATUS_OK
           && memcmp(tag, expected, sizeof expected) == 0; /* public */
}
