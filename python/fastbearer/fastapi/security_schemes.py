"""What OpenAPI says about the places of a token (the Authorize button).

No ``from __future__ import annotations`` here: FastAPI has to see the real classes in
the signatures.
"""

import inspect
from collections.abc import Iterable, Sequence
from typing import Annotated, NamedTuple

from fastapi import Depends
from fastapi.openapi.models import APIKey, APIKeyIn, HTTPBearer
from fastapi.openapi.models import SecurityBase as SecurityScheme
from fastapi.security.base import SecurityBase

from fastbearer.fastapi.token_header import HeaderReader, TokenHeader

__all__ = ["alternatives", "security_schemes", "shown"]


class Scheme(NamedTuple):
    """A security scheme, and what the document calls it."""

    name: str
    model: SecurityScheme


class Alternative(SecurityBase):
    """A dependency that does nothing, for the document to show its scheme as well."""

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
        return Scheme("Bearer", HTTPBearer(bearerFormat="JWT"))
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
