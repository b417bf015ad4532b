"""The row of the signed-in user, as a dependency."""

import inspect
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Depends

from fastbearer.accounts.flows.parts import Parts
from fastbearer.errors import FastbearerError
from fastbearer.fastapi import TokenUser
from fastbearer.fastapi.challenges import answer_to

__all__ = ["AccountDependency"]

KEYWORD = inspect.Parameter.KEYWORD_ONLY


class AccountDependency:
    """The row of the signed-in user.

    It is in the session that the request has of the project's session dependency: the
    same that a handler gets which depends on it, too.

    Args:
        parts: Of the accounts.
        sessions: The project's session dependency, or None where the row is in no
            session.
    """

    def __init__(self, parts: Parts, sessions: Callable[[], Any] | None) -> None:
        self._parts = parts
        verify = parts.auth.verify_home_user
        # In this order: for who is not signed in no session is opened.
        needed = {"user": Annotated[TokenUser, Depends(verify)]}
        if sessions is not None:
            needed["session"] = Annotated[Any, Depends(sessions)]
        self.__signature__: inspect.Signature = inspect.Signature(
            [
                inspect.Parameter(name, KEYWORD, annotation=kind)
                for name, kind in needed.items()
            ]
        )

    async def __call__(self, user: TokenUser, session: Any = None) -> Any:
        """Return the row.

        Raises:
            HTTPException: 401 where the user is gone or may not sign in, 503 while the
                database cannot be reached.
        """
        try:
            found = await self._parts.user_of(user, session)
        except FastbearerError as error:
            challenges = self._parts.auth.protection.challenges
            raise answer_to(error, None, challenges) from error
        return found.row
