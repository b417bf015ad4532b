"""What providers answer about an active access token, as their documents show it.

Each is beside ``active``; ``{issuer}`` stands for the issuer's URL. None names the
members that the test fills in: the times.
"""

from __future__ import annotations

from typing import Any

__all__ = ["ANSWERS", "REFRESH_TOKENS"]

ANSWERS: dict[str, dict[str, Any]] = {
    # RFC 7662 2.2, with the times of the test.
    "rfc-7662": {
        "client_id": "l238j323ds-23ij4",
        "username": "jdoe",
        "scope": "read write dolphin",
        "sub": "Z5O3upPC88QrAjx00dis",
        "aud": "https://protected.example.net/resource",
        "iss": "{issuer}",
        "exp": None,
        "iat": None,
        "extension_field": "twenty-seven",
    },
    # Keycloak writes the claims of its JWT, and username and client_id beside them.
    "keycloak": {
        "exp": None,
        "iat": None,
        "jti": "onrtro:0fa1c9a5-5a55-4a1f",
        "iss": "{issuer}",
        "aud": ["api", "account"],
        "sub": "f3c1b6a2-7a0e-4b77-a5d5-9b8d3f6a9d11",
        "typ": "Bearer",
        "azp": "frontend",
        "sid": "6f4d6c2b-0f3a",
        "acr": "1",
        "allowed-origins": ["https://app.example.com"],
        "realm_access": {"roles": ["offline_access", "user"]},
        "resource_access": {"account": {"roles": ["view-profile"]}},
        "scope": "email profile",
        "email_verified": True,
        "preferred_username": "ada",
        "email": "ada@example.com",
        "client_id": "frontend",
        "username": "ada",
        "token_type": "Bearer",
    },
    "zitadel": {
        "scope": "openid profile email",
        "client_id": "78366401571920522@acme",
        "token_type": "Bearer",
        "exp": None,
        "iat": None,
        "nbf": None,
        "sub": "69234237810729019",
        "aud": ["69234237810729019@project", "api"],
        "iss": "{issuer}",
        "jti": "V2_2489-at_5017",
        "username": "ada@acme.zitadel.example",
        "email": "ada@example.com",
        "urn:zitadel:iam:user:resourceowner:id": "69629023906488334",
        "urn:zitadel:iam:org:project:roles": {"user": {"69629": "acme"}},
    },
    "logto": {"sub": "1234567890"},
    "logto-with-resource": {
        "sub": "1234567890",
        "client_id": "app",
        "exp": None,
        "iat": None,
        "iss": "{issuer}",
        "aud": "https://api.example.com",
        "scope": "read:all",
        "token_type": "Bearer",
    },
    "okta": {
        "token_type": "Bearer",
        "scope": "openid profile",
        "client_id": "a9VpZDRCeFh3Nkk2VdYa",
        "username": "ada@example.com",
        "exp": None,
        "iat": None,
        "sub": "ada@example.com",
        "aud": "https://api.example.com",
        "iss": "{issuer}",
        "jti": "AT.7P4KlczBYVcWLkxduEuKeZfeiNYkZIC9uGJ28Cc-YaI",
        "uid": "00uid4BxXw6I6TV4m0g3",
    },
    "better-auth": {
        "iss": "{issuer}",
        "client_id": "aBcDeFgHiJkLmNoP",
        "azp": "aBcDeFgHiJkLmNoP",
        "sub": "FIMIwunELDq6E5gxLkfkm9FqsIM7rZv0",
        "sid": "fI41oqLSjrrCQwn2MvJ1ERGIQEBWU4fi",
        "exp": None,
        "iat": None,
        "scope": "openid profile email",
        "token_type": "Bearer",
    },
    "duende": {
        "iss": "{issuer}",
        "nbf": None,
        "iat": None,
        "exp": None,
        "client_id": "client",
        "jti": "44FD2DE9E9F8E9F4DDD141CD7C244BE9",
        "sub": "818727",
        "scope": "api1",
        "token_type": "access_token",
    },
    "ory-hydra": {
        "scope": "offline openid",
        "client_id": "c1",
        "sub": "u-1",
        "exp": None,
        "iat": None,
        "nbf": None,
        "aud": [],
        "iss": "{issuer}",
        "token_type": "Bearer",
        "token_use": "access_token",
    },
}

REFRESH_TOKENS: dict[str, dict[str, Any]] = {
    "keycloak": {"typ": "Refresh"},
    "keycloak-offline": {"typ": "Offline"},
    "ory-hydra": {"token_type": "Bearer", "token_use": "refresh_token"},
    "rfc-7009": {"token_type": "refresh_token"},
    "id-token": {"token_type": "N_A"},
    "keycloak-id-token": {"typ": "ID"},
    "not-text": {"token_type": ["Bearer"]},
}
"""What a service must not take, though its issuer calls it active."""
