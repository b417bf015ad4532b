"""Users in a model of the project's own."""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, or_, true, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from fastbearer.accounts.models import User
from fastbearer.accounts.names import NAMES, Name
from fastbearer.accounts.stores.keys import check_keys, gives_keys
from fastbearer.accounts.stores.mapping import FIELDS, UserMapping
from fastbearer.accounts.stores.model_checks import ModelChecks
from fastbearer.accounts.stores.new_rows import make_row, new_values
from fastbearer.accounts.stores.protocol import UserInUseError, taken
from fastbearer.accounts.stores.queries import UserRows
from fastbearer.accounts.stores.rows import detach, free_of_references
from fastbearer.accounts.stores.transactions import Transactions

__all__ = ["SQLAlchemyUserStore", "SQLModelUserStore"]

IN_USE = "rows of other tables refer to the user"

T = TypeVar("T")


class SQLAlchemyUserStore:
    """Keeps users in a table of the project, through its own sessions.

    The model has an id (text, UUID or integer, made by the model or by the
    database), a field for the password hash, and one of the names that somebody
    signs in with: ``email``, ``username``, ``phone``. Other fields are used where
    they are there. Names are compared in lower case; put a unique index on
    ``lower(email)``, or store them so.

    Users who were deleted with their row left in place are as good as unknown. The
    e-mail of one who is not active stays taken; that of a deleted row is free again
    where the table's unique index leaves such rows out.

    Integer ids must not be given twice: in SQLite the table needs
    ``sqlite_autoincrement``, else the next user inherits the tokens of one who
    was deleted.

    Args:
        model: A mapped class: SQLModel's with ``table=True``, or SQLAlchemy's,
            declared or mapped imperatively.
        session_dependency: The function with ``yield`` that FastAPI's
            ``Depends`` takes, or a ``sessionmaker`` or ``async_sessionmaker``: it
            gives a ``Session``, which is then used in a thread, or an
            ``AsyncSession``, of SQLModel or of SQLAlchemy.
        id: Name of the attribute with the id; the primary key, or unique.
        email: Name of the attribute with the e-mail. Users without one have "".
        password_hash: Name of the attribute with the hash.
        name: Name of the attribute with the user's name.
        username: Name of the attribute with the user name.
        phone: Name of the attribute with the phone number.
        email_verified: Name of the attribute that is true once the e-mail is known
            to be the user's.
        is_active: Name of the attribute that is false for users who may not sign in.
        roles: Name of the attribute with the roles: a list, a string with spaces
            between them, or an Enum.
        deleted_at: Name of the attribute that is not None for deleted users.

    Attributes:
        attribute_names: Field of a user -> the attribute in which the model has it.
        row_type: The model.
        session_dependency: As given, if it is a function with ``yield``, else None.

    Raises:
        ConfigurationError: The model lacks an attribute that is needed, or one that
            was given another name; or the sessions are unfit.
    """

    def __init__(
        self,
        model: type,
        session_dependency: Callable[[], Any],
        *,
        id: str = "id",
        email: str = "email",
        password_hash: str = "password_hash",
        name: str = "name",
        username: str = "username",
        phone: str = "phone",
        email_verified: str = "email_verified",
        is_active: str = "is_active",
        roles: str = "roles",
        deleted_at: str = "deleted_at",
    ) -> None:
        given = locals()
        self._fields = UserMapping(model, {field: given[field] for field in FIELDS})
        self._model: type[Any] = self._fields.model
        self.row_type: type[Any] = self._model
        self.attribute_names: dict[str, str] = self._fields.attributes
        self._rows = UserRows(self._fields)
        self._transactions = Transactions(session_dependency)
        self.session_dependency: Callable[[], Any] | None = (
            self._transactions.dependency
        )

    @asynccontextmanager
    async def lifespan(self, app: object) -> AsyncIterator[None]:
        """Look at the table, if it is there already.

        Raises:
            ConfigurationError: It would give an integer id twice.
        """
        column = self._fields.column("id")
        if column is not None and gives_keys(column):
            await self._run(lambda session: check_keys(session, column))
        yield

    async def check_fields(self, fields: Collection[str]) -> None:
        """Check the model, and its table if it is there, against what sign-up gives.

        Args:
            fields: ``email``, ``password`` and the others.

        Raises:
            ConfigurationError: A field has no column, or a column that must have a
                value gets none, or two users could have one user name.
        """
        has_own_rows = self._has_own_rows
        checks = ModelChecks(self._fields)
        checks.check_fields(fields, has_own_rows=has_own_rows)
        await checks.look_at_table(self._transactions)
        checks.check_columns(fields, has_own_rows=has_own_rows)

    async def check_hash_length(self, length: int) -> None:
        """Check that the column of the password hash is long enough.

        Args:
            length: Of the hashes that are made, in characters.

        Raises:
            ConfigurationError: It is shorter.
        """
        checks = ModelChecks(self._fields)
        await checks.look_at_table(self._transactions)
        checks.check_hash_length(length)

    def keeps(self, field: str) -> bool:
        """Tell whether the model has a column for a field of a user, or another one."""
        return not self._fields.unknown([field])

    def check_roles(self, roles: Sequence[str]) -> None:
        """Make sure that the column of the model takes these roles.

        Raises:
            ConfigurationError: It takes others only.
        """
        self._fields.written({"roles": list(roles)})

    def new_row(self, user: User) -> Any:
        """Return the row of a new user, with what was given; override it for more."""
        values = new_values(self._fields, user, leaves_out=self._has_own_rows)
        return make_row(self._model, self._fields.written(values))

    @property
    def _has_own_rows(self) -> bool:
        return type(self).new_row is not SQLAlchemyUserStore.new_row

    async def add(self, user: User) -> None:
        """As in `UserStore`; the user's id and defaults become those of the row."""

        def insert(session: Session, row: Any) -> tuple[Any, User]:
            session.add(row)
            session.flush()
            return row, self._user(session, row)

        row, made = await self._insert(user, insert)
        user.id = made.id
        user.is_active, user.roles = made.is_active, made.roles
        user.email_verified = made.email_verified
        user.put_in_row(row)

    async def rehearse(self, user: User) -> None:
        """As in `RehearsingUserStore`."""

        def insert(session: Session, row: Any) -> None:
            savepoint = session.begin_nested()
            session.add(row)
            session.flush()
            savepoint.rollback()

        await self._insert(user, insert)

    async def _insert(self, user: User, insert: Callable[[Session, Any], T]) -> T:
        """Do what inserts the row of a new user.

        Raises:
            EmailTakenError: Somebody has the e-mail.
            NameTakenError: Somebody has the user name or the phone number.
        """
        names = {name: user.called(name) for name in NAMES}
        await self._raise_taken(names)
        row = self.new_row(user)
        try:
            return await self._run(lambda session: insert(session, row))
        except IntegrityError:
            # The database may hold more to be equal than we do.
            await self._raise_taken(names, is_refused=True)
            raise

    async def find_by_email(self, email: str) -> User | None:
        """As in `UserStore`."""
        return await self.find_by("email", email)

    async def find_by(self, name: Name, value: str) -> User | None:
        """As in `NamedUserStore`."""
        if not self._fields.keeps(name):
            return None

        def find(session: Session) -> User | None:
            row = self._rows.one_called(session, name, value)
            return None if row is None else self._user(session, row)

        return await self._run(find)

    async def find(self, user_id: str) -> User | None:
        """As in `UserStore`."""

        def find(session: Session) -> User | None:
            row = self._row(session, user_id)
            return None if row is None else self._user(session, row)

        return await self._run(find)

    async def find_in(self, session: Any, user_id: str) -> User | None:
        """As in `SessionUserStore`."""

        def find(session: Session) -> User | None:
            row = self._row(session, user_id)
            return None if row is None else self._fields.user(row)

        return await self._transactions.run_in(session, find)

    def _row(self, session: Session, user_id: str) -> Any | None:
        row = self._rows.row(session, user_id)
        return None if row is None or self._fields.is_deleted(row) else row

    async def list_users(self, after: str | None, limit: int) -> Sequence[User]:
        """As in `ListingUserStore`, in the order that the database has of the ids."""
        return await self._run(
            lambda session: [
                self._user(session, row)
                for row in self._rows.page(session, after, limit)
            ]
        )

    async def replace_password_hash(self, user: User, password_hash: str) -> bool:
        """As in `UserStore`: one statement, that of several at a time one wins."""
        values = {"password_hash": password_hash}
        return await self._write(user, values, self._has_hash(user))

    async def verify_email(self, user: User) -> None:
        """As in `UserStore`; without such a field, nothing is noted."""
        if self._fields.keeps("email_verified"):
            values = {"email_verified": True}
            await self._write(user, values, self._has_email(user))

    async def change(self, user: User, values: Mapping[str, Any]) -> bool:
        """As in `WritableUserStore`; the table's unique constraints decide.

        Raises:
            ConfigurationError: The model has no column for one of them.
        """
        if not values:
            return await self._is_unchanged(user)
        names = {name: values[name] for name in NAMES if values.get(name)}
        if names:
            await self._raise_taken(names, user.id)
        try:
            is_same = self._has_email(user), self._has_hash(user)
            return await self._write(user, values, *is_same)
        except IntegrityError:
            await self._raise_taken(names, user.id, is_refused=True)
            raise

    async def remove(self, user: User) -> bool:
        """As in `UserStore`, and as the model's relationships say.

        A ``cascade`` for deletion and ``passive_deletes`` hold, and else what the
        foreign key says (``ON DELETE``). Where neither says anything, rows that refer
        to the user keep them in place.

        Raises:
            UserInUseError: Rows refer to the user.
            StoreUnavailableError: The database cannot be reached, or is too busy.
        """

        def remove(session: Session) -> bool:
            row = self._rows.row(session, user.id, is_to_go=True)
            if row is None:
                return True
            # Compared by the database, as by the other methods.
            is_same = self._has_hash(user)
            if self._rows.row(session, user.id, is_same, is_to_go=True) is None:
                return False
            free_of_references(session, self._fields.mapper, row)
            session.delete(row)
            return True

        try:
            return await self._run(remove)
        except IntegrityError:
            raise UserInUseError(IN_USE) from None

    def _user(self, session: Session, row: Any) -> User:
        user = self._fields.user(row)  # a property may look at a relationship
        detach(session, row)
        return user

    async def _raise_taken(
        self,
        names: Mapping[Name, str | None],
        owner: str | None = None,
        *,
        is_refused: bool = False,
    ) -> None:
        """Raise the error that says which of some names somebody else has, if any.

        Args:
            names: Name -> value.
            owner: Whose they are to be.
            is_refused: The database has refused them: what it holds to be equal, and
                whom we take for deleted, counts as well.
        """

        def found(session: Session) -> Name | None:
            called = self._rows.equal if is_refused else self._rows.called
            for name, value in names.items():
                if not value or not self._fields.keeps(name):
                    continue
                rows = called(session, name, value)
                if any(self._fields.id_of(row) != owner for row in rows):
                    return name
            return None

        name = await self._run(found)
        if name is not None:
            raise taken(name) from None

    def _has_email(self, user: User) -> ColumnElement[bool]:
        """Return whether a user's e-mail is still what it was."""
        if not self._fields.keeps("email"):
            return true()
        stored = self._fields.attribute("email")
        is_same: ColumnElement[bool] = stored == user.address
        return is_same if user.address else or_(is_same, stored.is_(None))

    def _has_hash(self, user: User) -> ColumnElement[bool]:
        """Return whether a user's hash is still what it was."""
        stored = self._fields.attribute("password_hash")
        is_same: ColumnElement[bool] = stored == user.password_hash
        # Of one who has none yet, NULL has been read as empty.
        return is_same if user.password_hash else or_(is_same, stored.is_(None))

    async def _is_unchanged(self, user: User) -> bool:
        found = await self.find(user.id)
        if found is None or found.address != user.address:
            return False
        return found.password_hash == user.password_hash

    async def _write(
        self, user: User, values: Mapping[str, Any], *only_if: ColumnElement[bool]
    ) -> bool:
        """Update a user's row, and tell whether it was changed."""
        key = self._fields.key(user.id)
        if key is None:
            return False
        statement = (
            update(self._model)
            .where(self._fields.attribute("id") == key, *only_if)
            .values(self._fields.written(values))
            .execution_options(synchronize_session=False)
        )

        def write(session: Session) -> bool:
            result: Any = session.execute(statement)
            return bool(result.rowcount == 1)

        return await self._run(write)

    async def _run(self, work: Callable[[Session], T]) -> T:
        return await self._transactions.run(work)


SQLModelUserStore = SQLAlchemyUserStore
"""The same: models of SQLModel are models of SQLAlchemy."""
