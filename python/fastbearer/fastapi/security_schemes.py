"""What OpenAPI says about the places of a token (the Authorize button).

No ``from __future__ import annotations`` here: FastAPI has to see the real classes in
the signatures.
"""

import inspect
from collections.abc import Iterable, Sequence
from typing import Annotated, NamedTuple

from fastapi import Depends
from fastapi.openapi.models import (
    APIKey,
    APIKeyIn,
    HTTPBearer,
    OAuth2,
    OAuthFlowPassword,
    OAuthFlows,
)
from fastapi.openapi.models import SecurityBase as SecurityScheme
from fastapi.security.base import SecurityBase

from fastbearer.fastapi.token_header import HeaderReader, TokenHeader

__all__ = ["BEARER", "alternatives", "password_form", "security_schemes", "shown"]

BEARER = "Bearer"
"""What the document calls a token in the header ``Authorization``."""


class Scheme(NamedTuple):
    """A security scheme, and what the document calls it."""

    name: str
    model: SecurityScheme


class Alternative(SecurityBase):
    """A dependency that does nothing, for the document to show its scheme as well."""

    model: SecurityScheme
    scheme_name: str

    def __init__(self, scheme: Scheme) -> None:
        self.scheme_name, self.model = scheme

    async def __call__(self) -> None:
        """Do nothing: the first of the schemes finds the token."""


def security_schemes(
    headers: Sequence[TokenHeader], cookies: Sequence[str]
) -> list[Scheme]:
    """Return the schemes of headers and cookies; one at least."""
    every = [*map(_of_header, headers), *map(_of_cookie, cookies)]
    return every or [_of_header(TokenHeader())]


def password_form(url: str) -> Scheme:
    """Return the scheme of a token that is given for a name and its password.

    Args:
        url: Where that is (RFC 6749 4.3), as seen from the document.
    """
    flow = OAuthFlowPassword(tokenUrl=url, refreshUrl=url, scopes={})
    return Scheme("OAuth2PasswordBearer", OAuth2(flows=OAuthFlows(password=flow)))


def alternatives(schemes: Iterable[Scheme]) -> list[Alternative]:
    """Return dependencies that show further schemes: one of them is enough."""
    return list(map(Alternative, schemes))


def shown(
    dependency: type[SecurityBase], others: Sequence[Alternative]
) -> inspect.Signature:
    """Return the signature of a dependency with those that are shown beside it."""
    every = inspect.signature(dependency.__call__).parameters.values()
    own = [one for one in every if one.kind is not one.VAR_KEYWORD][1:]
    return inspect.Signature(
        [
            *own,
            *(
                inspect.Parameter(
                    f"alternative_{number}",
                    inspect.Parameter.KEYWORD_ONLY,
                    annotation=Annotated[None, Depends(other)],
                )
                for number, other in enumerate(others)
            ),
        ]
    )


def _of_header(header: TokenHeader) -> Scheme:
    reader = HeaderReader(header)
    if reader.is_standard:
        return Scheme(BEARER, HTTPBearer(bearerFormat="JWT"))
    # The type "http" of OpenAPI with "bearer" always means the header Authorization.
    scheme = "" if header.scheme is None else f"{header.scheme} "
    name = header.name
    if reader.raw_name == b"authorization" and header.scheme is not None:
        name = header.scheme
    return Scheme(name, _key(APIKeyIn.header, header.name, f"{scheme}<token>"))


def _of_cookie(name: str) -> Scheme:
    return Scheme(name, _key(APIKeyIn.cookie, name, "<token>"))


def _key(where: APIKeyIn, name: str, description: str) -> APIKey:
    return APIKey.model_validate(
        {"in": where, "name": name, "description": description}
    )
