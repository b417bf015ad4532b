"""Profiles of the clouds: Amazon, Google and Microsoft."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from fastbearer.errors import ConfigurationError
from fastbearer.issuers.addresses import origin_of, segment
from fastbearer.issuers.options import texts
from fastbearer.issuers.profile import Profile

if TYPE_CHECKING:
    from typing import Self, Unpack

    from fastbearer.issuers.profile import Texts, URLOptions

__all__ = ["CloudProfiles"]

GOOGLE = "https://www.googleapis.com"

ENTRA = "https://login.microsoftonline.com"
EXTERNAL = ".ciamlogin.com"
VERSIONS = {"1": "1.0", "1.0": "1.0", "2": "2.0", "2.0": "2.0"}
GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
MICROSOFT_ACCOUNTS = "9188040d-6c67-4c5b-b112-36a304b66dad"
"""The tenant of personal accounts, which signs with keys of its own."""


class CloudProfiles(Profile):
    """The profiles of the clouds."""

    __slots__ = ()

    @classmethod
    def cognito(
        cls,
        region: str,
        pool: str,
        clients: Texts,
        *,
        token_use: str = "access",
        audience: Texts | None = None,
        **options: Unpack[URLOptions],
    ) -> Self:
        """Return Amazon Cognito: access tokens of a user pool.

        They name the client in ``client_id`` and have no ``aud``, unless the client
        asked for a resource. Groups count as scopes.

        Args:
            region: The AWS region, like ``eu-west-1``.
            pool: The user pool's ID, which begins with the region.
            clients: The IDs of the app clients.
            token_use: ``access``, or ``id`` for ID tokens.
            audience: The resource that access tokens are bound to, if any.
            options: Fields of the issuer that are to differ.
        """
        # https://docs.aws.amazon.com/cognito/latest/developerguide/
        #   amazon-cognito-user-pools-using-tokens-verifying-a-jwt.html
        if token_use not in ("access", "id"):
            raise ConfigurationError('token_use must be "access" or "id"')
        if not segment("pool", pool).startswith(f"{segment('region', region)}_"):
            raise ConfigurationError("pool must begin with the region, like eu-west-1_")
        # The partition of China has a domain of its own.
        domain = "amazonaws.com" + (".cn" if region.startswith("cn-") else "")
        issuer = f"https://cognito-idp.{region}.{domain}/{pool}"
        names = texts("clients", clients)
        required: dict[str, Any] = {"token_use": token_use}
        if token_use == "access":
            required["client_id"] = names
        elif audience is None:
            audience = names
        return cls._made(
            options,
            # The second is the "updated" issuer, which a pool may be switched to.
            url=(issuer, f"https://issuer-cognito-idp.{region}.{domain}/{pool}"),
            keys=f"{issuer}/.well-known/jwks.json",
            audience=None if audience is None else texts("audience", audience),
            algorithms=("RS256",),
            required=required,
            scope_claims=("scope",),
            role_claims=("cognito:groups",),
        )

    @classmethod
    def entra(
        cls,
        tenant: Texts,
        audience: Texts,
        versions: Texts | None = None,
        *,
        authority: str = ENTRA,
        **options: Unpack[URLOptions],
    ) -> Self:
        """Return Microsoft Entra ID: access tokens for an API.

        The user is ``oid``, which is the same in all applications of the tenant. A
        token without ``scp`` and ``roles`` grants nothing, and an ID token has no
        client in it: both are refused.

        Args:
            tenant: The directory (tenant) ID, or several; ``consumers`` for personal
                Microsoft accounts. ``common`` is refused: it would be anybody.
            audience: The API's client ID, with or without ``api://``, or its
                Application ID URI.
            versions: ``1.0`` and ``2.0``, the versions of the tokens; both where the
                authority is the public cloud, else 2.0.
            authority: The cloud, or the domain of an external tenant,
                ``https://contoso.ciamlogin.com``.
            options: Fields of the issuer that are to differ.
        """
        # https://learn.microsoft.com/entra/identity-platform/access-tokens
        # https://learn.microsoft.com/entra/identity-platform/
        #   access-token-claims-reference
        # https://learn.microsoft.com/entra/identity-platform/security-tokens
        origin = origin_of("authority", authority)
        tenants = _tenants(tenant)
        wanted = _versions(versions, origin)
        urls = [_entra_issuer(origin, one, v) for one in tenants for v in wanted]
        named = texts("audience", audience)
        path = "discovery/v2.0/keys" if "2.0" in wanted else "discovery/keys"
        return cls._made(
            options,
            url=tuple(urls),
            # The key set of one tenant has no key of personal accounts, as that of
            # all tenants has; those of the other tenants are in it.
            keys=f"{origin}/{tenants[0]}/{path}",
            audience=tuple(dict.fromkeys(a for one in named for a in _both_forms(one))),
            algorithms=("RS256",),
            require=("exp", ("azp", "appid"), ("scp", "roles")),
            user_claim="oid",
            scope_claims=("scp",),
            role_claims=("roles",),
        )

    @classmethod
    def firebase(cls, project: str, **options: Unpack[URLOptions]) -> Self:
        """Return Firebase Authentication: ID tokens of a project.

        Args:
            project: The project's ID.
            options: Fields of the issuer that are to differ.
        """
        # https://firebase.google.com/docs/auth/admin/verify-id-tokens
        #   #verify_id_tokens_using_a_third-party_jwt_library
        name = segment("project", project)
        return cls._made(
            options,
            url=f"https://securetoken.google.com/{name}",
            # The keys of the X.509 map that the document names, as its discovery
            # document has them.
            keys=f"{GOOGLE}/service_accounts/v1/jwk/"
            "securetoken@system.gserviceaccount.com",
            audience=name,
            algorithms=("RS256",),
            require=("exp", "iat", "auth_time", "sub"),
            scope_claims=(),
        )

    @classmethod
    def google(
        cls,
        clients: Texts,
        *,
        hosted_domains: Texts | None = None,
        **options: Unpack[URLOptions],
    ) -> Self:
        """Return Google: ID tokens. Its access tokens are opaque.

        Args:
            clients: Your client IDs, of web, Android and iOS.
            hosted_domains: The Google Workspace domains (``hd``) of which users must
                be; None for anybody with a Google account.
            options: Fields of the issuer that are to differ.
        """
        # https://developers.google.com/identity/gsi/web/guides/verify-google-id-token
        required: dict[str, Any] = {}
        if hosted_domains is not None:
            required["hd"] = texts("hosted_domains", hosted_domains)
        return cls._made(
            options,
            url=("https://accounts.google.com", "accounts.google.com"),
            keys=f"{GOOGLE}/oauth2/v3/certs",
            audience=texts("clients", clients),
            algorithms=("RS256",),
            required=required,
            scope_claims=(),
        )


def _tenant(value: str) -> str:
    """Return the ID of a tenant, as ``iss`` has it.

    Raises:
        ConfigurationError: It names no single tenant, or is not an ID.
    """
    tenant = value.lower()
    if tenant in ("common", "organizations"):
        raise ConfigurationError(
            "tenant must be the tenants' IDs: common and organizations are those of "
            "everybody (RFC 8725 3.8)"
        )
    if tenant == "consumers":
        return MICROSOFT_ACCOUNTS
    if not GUID.fullmatch(tenant):
        raise ConfigurationError(
            "tenant must be the directory (tenant) ID, a GUID: iss has no domain"
        )
    return tenant


def _tenants(value: Texts) -> list[str]:
    found = [_tenant(one) for one in texts("tenant", value)]
    if MICROSOFT_ACCOUNTS in found and len(found) > 1:
        raise ConfigurationError(
            "consumers must be an issuer of its own: the tenant signs with other keys"
        )
    return found


def _versions(value: Texts | None, origin: str) -> list[str]:
    if value is None:
        return ["1.0", "2.0"] if origin == ENTRA else ["2.0"]
    found = [VERSIONS.get(one.removeprefix("v")) for one in texts("versions", value)]
    versions = [one for one in found if one]
    if len(versions) < len(found):
        raise ConfigurationError("versions must be 1.0, 2.0 or both")
    if "1.0" in versions and origin != ENTRA:
        raise ConfigurationError("versions must be 2.0 with an authority of your own")
    return versions


def _entra_issuer(origin: str, tenant: str, version: str) -> str:
    if version == "1.0":
        return f"https://sts.windows.net/{tenant}/"
    if origin.endswith(EXTERNAL):
        return f"https://{tenant}{EXTERNAL}/{tenant}/v2.0"
    return f"{origin}/{tenant}/v2.0"


def _both_forms(audience: str) -> list[str]:
    """Return a client ID with and without ``api://``: versions 1.0 and 2.0."""
    bare = audience.removeprefix("api://")
    return [bare, f"api://{bare}"] if GUID.fullmatch(bare.lower()) else [audience]
