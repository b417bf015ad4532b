"""Counting the requests of an API key, as the plugin counts them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select, update

from fastbearer.better_auth.api_keys.key import USED_UP, KeyRules, refused, unreadable
from fastbearer.better_auth.api_keys.limits import Limits, limits_of
from fastbearer.errors import TooManyAttemptsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import ColumnElement
    from sqlalchemy.ext.asyncio import AsyncConnection

    from fastbearer.better_auth.tables import Table

__all__ = ["Counting"]

ATTEMPTS = 8
COUNTED = ("lastRequest", "requestCount", "rateLimitMax", "rateLimitTimeWindow")
OVER = "the API key has reached its limit"


class Counting:
    """Counts in the row of a key; whoever counts at the same time is seen.

    Each update holds only while what was read is still so, like those of the plugin,
    which the server may be doing meanwhile.

    Args:
        connection: Of one transaction: what is refused was not counted.
        table: The table ``apikey``.
        rules: Which limits are on.
    """

    def __init__(
        self, connection: AsyncConnection, table: Table, rules: KeyRules
    ) -> None:
        self._connection = connection
        self._table = table
        self._rules = rules

    async def count(self, row: Mapping[str, Any], now: float) -> None:
        """Count a request.

        Args:
            row: Field -> what is stored.
            now: Seconds since the epoch.

        Raises:
            InvalidAPIKeyError: The key has no requests left.
            TooManyAttemptsError: It has reached its rate limit, or is to be refilled.
        """
        time = datetime.fromtimestamp(now, UTC)
        limits = self._limits(row)
        if limits.remaining is not None:
            await self._take_one(row, limits, time)
        if self._rules.is_rate_limited(limits):
            await self._take_place(row, limits, time)

    # --- remaining ----------------------------------------------------------------

    async def _take_one(
        self, row: Mapping[str, Any], limits: Limits, now: datetime
    ) -> None:
        amount, refills_at = limits.refill_amount, limits.refills_at
        is_due = refills_at is not None and now > refills_at
        if is_due and amount is not None and await self._refill(row, amount, now):
            return
        remaining = self._table.column("remaining")
        if await self._update(row, [remaining > 0], now, {"remaining": remaining - 1}):
            return
        if refills_at is None:
            raise refused(USED_UP, "api_key_used_up")
        seconds = max((refills_at - now).total_seconds(), 1)
        raise TooManyAttemptsError(OVER, seconds)

    async def _refill(self, row: Mapping[str, Any], amount: int, now: datetime) -> bool:
        last = self._table.column("lastRefillAt")
        is_same = _is(last, row["lastRefillAt"])
        values = {"remaining": amount - 1, "lastRefillAt": now}
        return await self._update(row, [is_same], now, values)

    # --- the rate limit -----------------------------------------------------------

    async def _take_place(
        self, row: Mapping[str, Any], limits: Limits, now: datetime
    ) -> None:
        for _ in range(ATTEMPTS):
            if limits.window is None:  # turned off meanwhile
                return
            ends, most = limits.window_ends, limits.most
            is_new = ends is None or now > ends
            if ends is not None and not is_new and limits.counted >= most:
                seconds = (ends - now).total_seconds()
                raise TooManyAttemptsError(OVER, max(seconds, 1))
            counted = func.coalesce(self._table.column("requestCount"), 0)
            if is_new:
                # Of several who begin a window, one does; the rest counts on.
                guards = [_is(self._table.column("lastRequest"), row["lastRequest"])]
                count: Any = 1
            else:
                guards = [counted < most, self._is_after(now - limits.window)]
                count = counted + 1
            values = {"requestCount": count, "lastRequest": now}
            if await self._update(row, guards, now, values):
                return
            row = await self._again(row)
            limits = self._limits(row)
        raise TooManyAttemptsError(OVER, 1)

    def _is_after(self, time: datetime) -> ColumnElement[bool]:
        (stored,) = self._table.row({"lastRequest": time}).values()
        after: ColumnElement[bool] = self._table.column("lastRequest") > stored
        return after

    # --- rows ---------------------------------------------------------------------

    def _limits(self, row: Mapping[str, Any]) -> Limits:
        try:
            return limits_of(self._table.dated(row))
        except ValueError as error:  # changed meanwhile
            raise unreadable(error) from None

    async def _again(self, row: Mapping[str, Any]) -> dict[str, Any]:
        query = select(*map(self._table.column, COUNTED)).where(
            self._table.column("id") == row["id"]
        )
        found = (await self._connection.execute(query)).first()
        if found is None:  # deleted meanwhile
            raise refused(USED_UP, "api_key_used_up")
        return {**row, **dict(zip(COUNTED, found, strict=True))}

    async def _update(
        self,
        row: Mapping[str, Any],
        guards: list[ColumnElement[bool]],
        now: datetime,
        values: Mapping[str, Any],
    ) -> bool:
        """Update the row while the guards hold, and tell whether they did."""
        named = self._table.row({**values, "updatedAt": now})
        query = (
            update(self._table.clause)
            .where(self._table.column("id") == row["id"], *guards)
            .values(named)
        )
        return (await self._connection.execute(query)).rowcount == 1


def _is(column: Any, value: Any) -> ColumnElement[bool]:
    found: ColumnElement[bool] = column.is_(None) if value is None else column == value
    return found
