"""How sessions go on, and the ways in which they end."""

from __future__ import annotations

import asyncio
import time
from secrets import token_hex

from endurance.accounts import WRONG_CREDENTIALS, Visitor
from endurance.client import OK, REVOKED
from endurance.deployment import GRACE_SECONDS
from endurance.ledger import Answer, AwayError, Kind
from endurance.promises import Session
from endurance.wire import bearer

REFRESH = Kind("refresh")
REFRESH_AGAIN = Kind("refresh, the same token at once")
STOLEN = Kind("refresh, spent token")
ENDED_REFRESH = Kind("refresh, ended session")
SIGN_OUT = Kind("sign-out")
SIGN_OUT_EVERYWHERE = Kind("sign-out everywhere")
CHANGE_PASSWORD = Kind("password changed", hashes=True)
DELETE_ACCOUNT = Kind("account deleted", hashes=True)
SIGN_IN_AGAIN = Kind("sign-in, password that may be another", hashes=True)

WRONG_REFRESH = Answer(401, "Invalid refresh token. Please sign in again.")


class Sessions(Visitor):
    """A visitor who knows how to end them."""

    async def visit(self, ending: str) -> None:
        """Do all that a visitor does.

        Args:
            ending: One of `ENDINGS`.
        """
        client = self.client
        first = await self.sign_up()
        await self.refused_sign_in("not the password")
        second = await self.sign_in()
        await client.check_good(first.access)
        await client.check_good(second.access)
        await self.work(second.access)
        second = await self.refreshed(second)
        await client.check_good(second.access)
        before = len(self.promises.ended)
        await getattr(self, ENDINGS[ending])(second)
        for one in self.promises.ended[before:]:
            await client.check_ended(one)

    async def refreshed(self, session: Session) -> Session:
        """Go on with a session; return another where it may have ended by that."""
        began, spent = time.monotonic(), session.refresh
        body = {"refresh_token": spent}
        reply, answer, _ = await self.client.insist(
            REFRESH, "POST", "/api/auth/refresh", OK, unsure=[WRONG_REFRESH], body=body
        )
        if answer is WRONG_REFRESH:
            # It was used by the attempt that was a 503, and came again after the grace.
            self.promises.drop(self.account, session)
            return await self.sign_in()
        session.go_on(reply.data)
        return await self._repeated(session, spent, began)

    async def _repeated(self, session: Session, spent: str, began: float) -> Session:
        """Send the spent token at once again, as another tab would."""
        kind, body = REFRESH_AGAIN, {"refresh_token": spent}
        path = "/api/auth/refresh"
        reply = await self.client.reply(kind, "POST", path, body=body)
        in_time = reply.answered < began + GRACE_SECONDS
        allowed = (OK,) if in_time else (OK, WRONG_REFRESH)
        try:
            answer = self.client.ledger.judge(kind, reply, allowed)
        except AwayError:
            # It may have been too late, and have ended the session.
            answer = WRONG_REFRESH
        if answer is WRONG_REFRESH:
            self.promises.drop(self.account, session)
            return await self.sign_in()
        if reply.data["refresh_token"] != session.refresh:
            self.client.ledger.fault("a refresh token with two successors")
        session.former.append(reply.data["token"])
        return session

    async def refused_refresh(self, token: str, kind: Kind = ENDED_REFRESH) -> int:
        """Refresh with a token that is good no more; return the worker that says so."""
        body = {"refresh_token": token}
        reply, _, _ = await self.client.insist(
            kind, "POST", "/api/auth/refresh", WRONG_REFRESH, body=body
        )
        return reply.worker

    # --- endings -------------------------------------------------------------------

    async def stay(self, session: Session) -> None:
        """End nothing: the session has to be good at the end of it all."""
        self.promises.staying.append(session)

    async def sign_out(self, session: Session) -> None:
        await self._ended_by(SIGN_OUT, "/api/auth/signout", session)
        await self.refused_refresh(self.promises.spent[-1])

    async def sign_out_everywhere(self, session: Session) -> None:
        await self._ended_by(
            SIGN_OUT_EVERYWHERE, "/api/auth/signout-everywhere", session
        )

    async def _ended_by(self, kind: Kind, path: str, session: Session) -> None:
        """End sessions by the access token of one.

        After a 503 the worker that gave it may refuse the token: then it has ended,
        though that was not acknowledged.
        """
        reply, answer, is_unsure = await self.client.insist(
            kind, "POST", path, OK, unsure=[REVOKED], headers=bearer(session.access)
        )
        is_sure = not is_unsure or answer is OK
        if kind is SIGN_OUT:
            self.promises.end(self.account, session, reply.worker, is_sure=is_sure)
        else:
            self.promises.end_all(self.account, reply.worker, is_sure=is_sure)

    async def be_robbed(self, session: Session) -> None:
        """Have a thief come with a refresh token that was spent before the grace."""
        spent = session.refresh
        body = {"refresh_token": spent}
        reply, answer, is_unsure = await self.client.insist(
            REFRESH, "POST", "/api/auth/refresh", OK, unsure=[WRONG_REFRESH], body=body
        )
        since = reply.answered
        if is_unsure or answer is WRONG_REFRESH:
            self.promises.drop(self.account, session)
            return
        session.go_on(reply.data)
        while time.monotonic() <= since + GRACE_SECONDS:
            await self.client.check_good(session.access)
            await asyncio.sleep(GRACE_SECONDS / 10)
        worker = await self.refused_refresh(spent, STOLEN)
        self.promises.end(self.account, session, worker)
        await self.refused_refresh(session.refresh)

    async def change_password(self, session: Session) -> None:
        """Change it; every other session ends, and this one goes on with new tokens."""
        account, old, new = self.account, self.account.password, token_hex(12)
        body = {"current_password": old, "new_password": new}
        wrong = Answer(403, "Current password is wrong")
        reply, answer, is_unsure = await self.client.insist(
            CHANGE_PASSWORD,
            "POST",
            "/api/auth/change-password",
            OK,
            unsure=[REVOKED, wrong],
            headers=bearer(session.access),
            body=body,
        )
        if answer is not OK:
            await self._find_password(old, new)
            return
        account.password = new
        self.promises.end_all(account, reply.worker, is_sure=not is_unsure)
        self._begun(reply)
        await self.refused_sign_in(old)

    async def _find_password(self, old: str, new: str) -> None:
        """Find out which password is the user's, where that was not acknowledged."""
        # Whether the sessions have ended is not known either.
        self.account.sessions.clear()
        for password in (new, old):
            body = {"email": self.account.email, "password": password}
            allowed = (OK, WRONG_CREDENTIALS) if password is new else (OK,)
            reply, answer, _ = await self.client.insist(
                SIGN_IN_AGAIN, "POST", "/api/auth/signin", *allowed, body=body
            )
            if answer is OK:
                self.account.password = password
                self._begun(reply)
                return

    async def delete_account(self, session: Session) -> None:
        account = self.account
        reply, answer, is_unsure = await self.client.insist(
            DELETE_ACCOUNT,
            "POST",
            "/api/auth/delete-account",
            OK,
            # Without the user the token names nobody; where that was in time, it has
            # ended as well.
            unsure=[REVOKED, Answer(401)],
            headers=bearer(session.access),
            body={"password": account.password},
        )
        tasks = [
            key for key, one in self.promises.tasks.items() if one.owner == account.id
        ]
        for key in tasks:
            del self.promises.tasks[key]
        if answer is OK and not is_unsure:
            account.is_gone = True
            self.promises.deleted.update(tasks)
            self.promises.end_all(account, reply.worker)
            await self.refused_sign_in(account.password)
            return
        # The first attempt may have deleted it, without its tasks and its sessions.
        account.is_gone = None
        account.sessions.clear()


ENDINGS = {
    "sign-out": "sign_out",
    "stolen refresh token": "be_robbed",
    "password": "change_password",
    "staying": "stay",
    "sign-out everywhere": "sign_out_everywhere",
    "deletion": "delete_account",
}
"""Name -> method of `Sessions`."""
