"""Running the steps of a folder on a connection, one process at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, exc, inspect, text

__all__ = ["ACCOUNTS", "Migrations", "UnknownStepError"]

LOCK = 0x6661737462  # "fastb": whoever migrates one of our databases holds it
WAIT_SECONDS = 10
"""How long MariaDB is asked to wait at a time: less than a driver waits for it."""


class UnknownStepError(Exception):
    """A step was taken that is not known here: a later version has taken it."""


class Migrations:
    """The steps of a folder, and the table that remembers which were taken.

    Args:
        folder: Has a folder ``versions`` with Alembic's revisions.
        version_table: A name that begins with ``fastbearer_``.
    """

    def __init__(self, folder: Path, version_table: str) -> None:
        self._folder = folder
        self._version_table = version_table

    def upgrade(self, connection: Connection) -> None:
        """Take the steps that were not taken, all or none.

        Other processes that do the same at the same time wait. MariaDB and MySQL
        commit each change of a table: there, a step that fails is taken again, and
        goes on with what is left of it.

        Args:
            connection: With the isolation level AUTOCOMMIT.

        Raises:
            UnknownStepError: A step was taken that is not known here.
        """
        with _alone(connection):
            if connection.dialect.name == "mysql":
                self._make_version_table(connection)
            if not self._knows_all(connection):
                raise UnknownStepError
            command.upgrade(self._config(connection), "head")

    def _make_version_table(self, connection: Connection) -> None:
        """Make it as Alembic does, but for the name of its key: MySQL warns of one."""
        if self._version_table in inspect(connection).get_table_names():
            return
        column = "version_num VARCHAR(32) NOT NULL PRIMARY KEY"
        connection.execute(text(f"CREATE TABLE {self._version_table} ({column})"))

    def is_current(self, connection: Connection) -> bool:
        """Tell whether every step was taken.

        Raises:
            UnknownStepError: One was taken that is not known here.
        """
        if not self._knows_all(connection):
            raise UnknownStepError
        head = self._script(connection).get_current_head()
        return self._taken(connection) == (head,)

    def _knows_all(self, connection: Connection) -> bool:
        """Tell whether all steps that were taken are known here."""
        script = self._script(connection)
        known = {revision.revision for revision in script.walk_revisions()}
        return known.issuperset(self._taken(connection))

    def _taken(self, connection: Connection) -> tuple[str, ...]:
        """Return the last step that was taken."""
        options = {"version_table": self._version_table}
        context = MigrationContext.configure(connection, opts=options)
        return context.get_current_heads()

    def _script(self, connection: Connection) -> ScriptDirectory:
        return ScriptDirectory.from_config(self._config(connection))

    def _config(self, connection: Connection) -> Config:
        config = Config()
        config.set_main_option("script_location", str(self._folder).replace("%", "%%"))
        config.attributes["connection"] = connection
        config.attributes["version_table"] = self._version_table
        return config


@contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    """Run a transaction that excludes every other one of this kind."""
    if connection.dialect.name == "mysql":
        with _locked(connection):
            yield
        return
    is_sqlite = connection.dialect.name == "sqlite"
    connection.execute(text("BEGIN IMMEDIATE" if is_sqlite else "BEGIN"))
    try:
        if not is_sqlite:
            connection.execute(text(f"SELECT pg_advisory_xact_lock({LOCK})"))
        yield
    except BaseException:
        connection.execute(text("ROLLBACK"))
        raise
    connection.execute(text("COMMIT"))


@contextmanager
def _locked(connection: Connection) -> Iterator[None]:
    """Hold a lock of the server for this database."""
    names = {"name": f"fastbearer {LOCK:x}"}
    key = "SHA2(CONCAT(:name, ' ', DATABASE()), 224)"  # 56 characters of 64
    take = text(f"SELECT GET_LOCK({key}, {WAIT_SECONDS})").bindparams(**names)
    while (is_held := connection.execute(take).scalar_one()) == 0:
        pass
    if is_held is None:
        raise exc.SQLAlchemyError("the database gives no lock")
    try:
        yield
    finally:
        connection.execute(text(f"SELECT RELEASE_LOCK({key})").bindparams(**names))


ACCOUNTS = Migrations(Path(__file__).parent, "fastbearer_accounts_version")
"""The tables of the accounts."""
