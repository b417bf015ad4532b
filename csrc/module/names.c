/* Interned strings: the names that the core reads, and a fixed table of the
 * member names that most tokens use, so that reading them allocates nothing.
 * Filled once: a table that learned would need a lock. */
#include "skin.h"

/* IANA's JWT claims and JOSE headers, and what identity providers and Better
 * Auth add; names of at most COMMON_NAME_MAX bytes. */
/* clang-format off */
static const char *const common_texts[] = {
    "sub", "jti", "acr", "act", "address", "allowed-origins", "amr",
    "at_hash", "auth_time",
    "azp", "birthdate", "c_hash", "cid", "client_id", "cnf", "country",
    "createdAt", "department", "email", "emailVerified", "email_verified",
    "entitlements", "expiresAt", "family_name", "formatted", "gender",
    "given_name", "groups", "id", "image", "ip", "ipAddress", "kind", "label",
    "level", "locale", "locality", "may_act", "metadata", "middle_name",
    "name", "nickname", "nonce", "oid", "org", "org_id", "organization",
    "permissions", "phone", "phone_number", "picture", "plan", "postal_code",
    "profile", "realm_access", "region", "resource_access", "role", "roles",
    "scope", "scopes", "scp", "session", "session_id", "session_state", "sid",
    "street_address", "tenant", "tenant_id", "tid", "timezone", "token",
    "token_use", "type", "unique_name", "updatedAt", "updated_at", "upn",
    "user", "userAgent", "userId", "user_id", "username", "uid", "ver",
    "version", "website", "zoneinfo", "account", "aal", "app_metadata",
    "user_metadata", "provider", "providers", "verified", "value", "key",
};
/* clang-format on */

static uint64_t
load(const char *p, size_t len)
{
    uint64_t word = 0;
    memcpy(&word, p, len);
    return word;
}

/* Names of equal length with the same head and tail are equal. */
static void
halves(span text, uint64_t *head, uint64_t *tail)
{
    if (text.len >= 8) {
        *head = load(text.p, 8);
        *tail = load(text.p + text.len - 8, 8);
    } else if (text.len >= 4) {
        *head = load(text.p, 4);
        *tail = load(text.p + text.len - 4, 4);
    } else {
        *head = (unsigned char)text.p[0];
        *tail = (uint64_t)(unsigned char)text.p[text.len / 2] << 8
                | (unsigned char)text.p[text.len - 1];
    }
}

static size_t
slot_of(uint64_t head, uint64_t tail, size_t len)
{
    uint64_t mixed = (head ^ (tail << 1) ^ len) * 0x9e3779b97f4a7c15u;
    return (size_t)(mixed >> 56); /* of COMMON_NAME_SLOTS */
}

const common_name *
fb_names_find(const names *all, span text)
{
    uint64_t head, tail;
    if (text.len == 0 || text.len > COMMON_NAME_MAX) {
        return NULL;
    }
    halves(text, &head, &tail);
    size_t i = slot_of(head, tail, text.len);
    for (; all->common[i].len != 0; i = (i + 1) % COMMON_NAME_SLOTS) {
        const common_name *slot = &all->common[i];
        if (slot->head == head && slot->tail == tail
            && slot->len == text.len) {
            return slot;
        }
    }
    return NULL;
}

static bool
common_add(names *all, const char *text, int id)
{
    common_name entry = {.len = (uint32_t)strlen(text), .id = id};
    halves((span){text, entry.len}, &entry.head, &entry.tail);
    entry.text = PyUnicode_InternFromString(text);
    if (entry.text == NULL) {
        return false;
    }
    size_t i = slot_of(entry.head, entry.tail, entry.len);
    while (all->common[i].len != 0) {
        i = (i + 1) % COMMON_NAME_SLOTS;
    }
    all->common[i] = entry;
    return true;
}

bool
fb_names_make(names *all)
{
    static const char *const own_texts[NAME_COUNT] = {
#define X(name) #name,
        NAME_TABLE(X)
#undef X
    };
    for (int i = 0; i < NAME_COUNT; i++) {
        all->own[i] = PyUnicode_InternFromString(own_texts[i]);
        if (all->own[i] == NULL || !common_add(all, own_texts[i], i)) {
            return false;
        }
    }
    for (size_t i = 0; i < sizeof common_texts / sizeof *common_texts; i++) {
        if (!common_add(all, common_texts[i], -1)) {
            return false;
        }
    }
    return true;
}

int
fb_names_visit(names *all, visitproc visit, void *arg)
{
    for (int i = 0; i < NAME_COUNT; i++) {
        Py_VISIT(all->own[i]);
    }
    for (int i = 0; i < COMMON_NAME_SLOTS; i++) {
        Py_VISIT(all->common[i].text);
    }
    return 0;
}

void
fb_names_clear(names *all)
{
    for (int i = 0; i < NAME_COUNT; i++) {
        Py_CLEAR(all->own[i]);
    }
    for (int i = 0; i < COMMON_NAME_SLOTS; i++) {
        all->common[i].len = 0;
        Py_CLEAR(all->common[i].text);
    }
}
