"""A role of PostgreSQL that its server turns away in one way or another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from secrets import token_hex
from typing import NamedTuple

from servers import ask, postgres

CUT = "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE usename = ?"
"""Returns when the sessions have ended."""


class Refusal(NamedTuple):
    """How a role is turned away.

    Attributes:
        begin: What an administrator says.
        end: What they say afterwards.
    """

    begin: str
    end: str


REFUSALS: Mapping[str, Refusal] = {
    "login": Refusal("ALTER ROLE {role} NOLOGIN", "ALTER ROLE {role} LOGIN"),
    "limit": Refusal(
        "ALTER ROLE {role} CONNECTION LIMIT 0", "ALTER ROLE {role} CONNECTION LIMIT -1"
    ),
    "closed": Refusal(
        "ALTER DATABASE {name} ALLOW_CONNECTIONS false",
        "ALTER DATABASE {name} ALLOW_CONNECTIONS true",
    ),
    "name": Refusal(
        "ALTER DATABASE {name} RENAME TO {name}_away",
        "ALTER DATABASE {name}_away RENAME TO {name}",
    ),
    "right": Refusal(
        "REVOKE CONNECT ON DATABASE {name} FROM PUBLIC",
        "GRANT CONNECT ON DATABASE {name} TO PUBLIC",
    ),
}
"""By SQLSTATE: 28000, 53300, 55000, 3D000, 42501."""


@dataclass
class Role:
    """A role that may do everything in one database.

    Attributes:
        name: Of the role.
        database: Its name.
        url: The role's, of the database.
    """

    name: str
    database: str
    url: str

    @contextmanager
    def refused(self, kind: str) -> Iterator[None]:
        """Turn the role away: those of its sessions that there are, and new ones.

        Args:
            kind: One of `REFUSALS`.
        """
        refusal = REFUSALS[kind]
        # A database that somebody else is in gets no other name.
        self._say("ALTER ROLE {role} NOLOGIN")
        self._cut()
        self._say(refusal.begin)
        if kind != "login":
            self._say("ALTER ROLE {role} LOGIN")
        try:
            yield
        finally:
            self._cut()
            self._say(refusal.end)

    @contextmanager
    def read_only(self) -> Iterator[None]:
        """Let the role write nothing, as on a replica."""
        self._say("ALTER ROLE {role} SET default_transaction_read_only = on")
        self._cut()
        try:
            yield
        finally:
            self._say("ALTER ROLE {role} RESET default_transaction_read_only")
            self._cut()

    def _cut(self) -> None:
        ask(postgres(), CUT, self.name)

    def _say(self, command: str) -> None:
        ask(postgres(), command.format(role=self.name, name=self.database))


@contextmanager
def own_role(url: str) -> Iterator[Role]:
    """Give a role that owns nothing, and may do everything in one database.

    Args:
        url: A superuser's, of the database.
    """
    role = Role(
        name := f"fastbearer_role_{token_hex(6)}",
        url.rpartition("/")[2],
        url.replace("//postgres@", f"//{name}@"),
    )
    ask(url, f"CREATE ROLE {name} LOGIN")
    try:
        ask(url, f"GRANT ALL ON SCHEMA public TO {name}")
        ask(url, f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {name}")
        ask(url, f"GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {name}")
        yield role
    finally:
        ask(url, f"DROP OWNED BY {name}")
        ask(url, f"DROP ROLE {name}")
