"""Whose tokens name the users of the accounts."""

from fastbearer.fastapi import Auth

__all__ = ["set_home"]


def set_home(auth: Auth, *, is_better_auths: bool) -> None:
    """Say whose tokens name our users: ours, and those of their server.

    Others may have the ``iss`` that we have, or none, as we may: what their tokens
    are told from ours by is for the verifier to know.

    Args:
        auth: Is told, unless the project has said so.
        is_better_auths: Whether our users are those of a Better Auth server.
    """
    if auth.home_issuers is not None:
        return
    issuers = auth.issuers
    theirs = issuers.others if is_better_auths else ()
    home = [one for one in (issuers.own, *theirs) if one is not None]
    auth.foreign_issuers = frozenset(issuers.every).difference(home)
    if not any(issuer.any_issuer for issuer in theirs):
        names = {name for issuer in home for name in issuer.names}
        auth.home_issuers = frozenset(one for one in names if one is not None)
