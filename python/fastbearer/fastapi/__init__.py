"""The FastAPI layer: bearer tokens as dependencies.

The lower-case names are those of ``auth``, the default ``Auth``, which reads
its settings from the environment when it first needs them.
"""

from typing import Annotated, Any, TypeAlias

from fastbearer.extras import needs_extra

with needs_extra("fastapi"):
    from fastapi import Depends

    from fastbearer.fastapi.auth import Auth, auth
    from fastbearer.fastapi.bearer import TokenUser, TokenVerifier
    from fastbearer.fastapi.better_auth import better_auth_session
    from fastbearer.fastapi.better_auth_api_keys import better_auth_api_key
    from fastbearer.fastapi.dependencies import (
        PathUserDependency,
        ScopesDependency,
        UserDependency,
    )
    from fastbearer.fastapi.dpop import DPoP
    from fastbearer.fastapi.forwarded_scheme import ForwardedScheme
    from fastbearer.fastapi.middleware import BearerMiddleware
    from fastbearer.fastapi.replays import MemoryReplays, RedisReplays, ReplayStore
    from fastbearer.fastapi.resource import Resource
    from fastbearer.fastapi.settings import Settings
    from fastbearer.fastapi.sockets import closed_with_session
    from fastbearer.fastapi.starlette_user import AuthenticatedUser
    from fastbearer.fastapi.token_header import TokenHeader
    from fastbearer.issuers import Introspection, Issuer

__all__ = [
    "Auth",
    "AuthenticatedUser",
    "BearerMiddleware",
    "CurrentUser",
    "DPoP",
    "ForwardedScheme",
    "Introspection",
    "Issuer",
    "MemoryReplays",
    "OptionalUser",
    "RedisReplays",
    "ReplayStore",
    "Resource",
    "Settings",
    "TokenClaims",
    "TokenHeader",
    "TokenUser",
    "TokenVerifier",
    "auth",
    "better_auth_api_key",
    "better_auth_session",
    "closed_with_session",
    "generate_jwt_token",
    "requires",
    "verify_jwt_token",
    "verify_user_id",
]

verify_jwt_token: UserDependency = auth.verify_jwt_token
verify_user_id: PathUserDependency = auth.verify_user_id
requires: ScopesDependency = auth.requires
generate_jwt_token = auth.generate_jwt_token

CurrentUser: TypeAlias = Annotated[TokenUser, Depends(auth.verify_jwt_token)]
OptionalUser: TypeAlias = Annotated[TokenUser | None, Depends(auth.optional_user)]
TokenClaims: TypeAlias = Annotated[dict[str, Any], Depends(auth.token_claims)]
