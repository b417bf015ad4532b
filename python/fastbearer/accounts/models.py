"""The tables that this package owns."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import BigInteger, inspect, true
from sqlmodel import Field

from fastbearer.accounts.emails import EMAIL_LENGTH
from fastbearer.accounts.names import PHONE_LENGTH, USERNAME_LENGTH, Name
from fastbearer.accounts.records import Record, UtcDateTime, Words, new_id, utc_now

__all__ = [
    "Code",
    "Ended",
    "EndedNumber",
    "EndedRecent",
    "Invitation",
    "RefreshToken",
    "User",
]

NAME_LENGTH = 255
ROLES_LENGTH = 1000
ID_LENGTH = 255
"""Of users who are kept elsewhere."""

ADDRESS = "fastbearer_address"
GIVEN = "fastbearer_given"
ROW = "fastbearer_row"


class User(Record, table=True):
    """A user who signed up here.

    Attributes:
        id: Opaque; 32 lower-case hexadecimal digits.
        email: In the form of `normalize_email`, hence unique whatever its case
            was.
        username: In the form of `normalize_username`, or None.
        phone: In the form of `normalize_phone`, or None.
        name: What the user wants to be called, if they said so.
        password_hash: Of any format that ``PasswordHash.verify`` knows.
        email_verified: Whether a code sent to the e-mail has come back.
        is_active: False for who may not sign in.
        roles: Words without spaces.
        created_at: UTC.
        updated_at: UTC.
    """

    __tablename__: ClassVar[Any] = "fastbearer_user"

    id: str = Field(default_factory=new_id, primary_key=True, max_length=32)
    email: str = Field(unique=True, max_length=EMAIL_LENGTH)
    username: str | None = Field(
        default=None, unique=True, index=True, max_length=USERNAME_LENGTH
    )
    phone: str | None = Field(
        default=None, unique=True, index=True, max_length=PHONE_LENGTH
    )
    name: str | None = Field(default=None, max_length=NAME_LENGTH)
    password_hash: str = Field(repr=False)
    email_verified: bool = False
    is_active: bool = Field(default=True, sa_column_kwargs={"server_default": true()})
    roles: list[str] = Field(
        default_factory=list,
        sa_type=Words(ROLES_LENGTH),
        sa_column_kwargs={"server_default": ""},
    )
    created_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)
    updated_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)

    @property
    def address(self) -> str:
        """Where messages go: the e-mail, letter for letter as it is on record."""
        address: str = inspect(self).info.get(ADDRESS, self.email)
        return address

    def put_on_record(self, address: str) -> None:
        """Note how the e-mail is written where it is kept."""
        inspect(self).info[ADDRESS] = address

    @property
    def given(self) -> Mapping[str, Any]:
        """What a new user has given beside the fields above, as the schema has it."""
        given: Mapping[str, Any] = inspect(self).info.get(GIVEN, {})
        return given

    def give(self, values: Mapping[str, Any]) -> None:
        """Note what a new user has given."""
        inspect(self).info[GIVEN] = values

    @property
    def row(self) -> Any:
        """The project's own row of the user, where the store has one, or the user."""
        return inspect(self).info.get(ROW, self)

    def put_in_row(self, row: Any) -> None:
        """Note which row of the project's the user is."""
        inspect(self).info[ROW] = row

    @property
    def other_names(self) -> tuple[str | None, ...]:
        """What the user is called beside their e-mail."""
        return self.name, self.username, self.phone

    def called(self, name: Name) -> str | None:
        """Return one of the names that the user signs in with, if they have it."""
        value: str | None = getattr(self, name)
        return value


class Code(Record, table=True):
    """A code in a message: who has it can read the mail of the address.

    Attributes:
        id: The digest of the code.
        purpose: What it is good for.
        user_id: Whose it is. Codes are made for nobody as well, so that the same
            is done for every e-mail.
        state: The digest of the user's id, e-mail and password hash; once one
            of them has changed, the code is good no more. That of the target, too.
        target: The e-mail to be, where the code is for a change of it.
        expires_at: UTC.
    """

    __tablename__: ClassVar[Any] = "fastbearer_code"

    id: str = Field(primary_key=True, max_length=64)
    purpose: str = Field(max_length=32)
    user_id: str = Field(max_length=255, index=True)
    state: str = Field(max_length=64)
    target: str = Field(
        default="",
        max_length=EMAIL_LENGTH,
        sa_column_kwargs={"server_default": ""},
    )
    expires_at: datetime = Field(sa_type=UtcDateTime, index=True)


class Invitation(Record, table=True):
    """Leave to sign up: whoever has the code may do it once.

    Attributes:
        id: The digest of the code.
        email: The only one that may sign up with it, in the form of
            `normalize_email`; None for whichever.
        is_sent: Whether the code went to that e-mail, and so shows whose it is.
        roles: Those of the user to be.
        invited_by: The id of who invites, if that was said.
        created_at: UTC.
        expires_at: UTC.
        used_at: UTC; when somebody signed up with it.
    """

    __tablename__: ClassVar[Any] = "fastbearer_invitation"

    id: str = Field(primary_key=True, max_length=64)
    email: str | None = Field(default=None, max_length=EMAIL_LENGTH)
    is_sent: bool = False
    roles: list[str] = Field(default_factory=list, sa_type=Words(ROLES_LENGTH))
    invited_by: str | None = Field(default=None, max_length=ID_LENGTH)
    created_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime, index=True)
    used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class RefreshToken(Record, table=True):
    """A refresh token.

    Attributes:
        id: The digest of the token.
        user_id: Whose session.
        family: The session: all tokens that came from one sign-in.
        expires_at: UTC; that of the session.
        used_at: UTC; when the next token of the family took its place.
        generation: That of its user when the session began; None for sessions
            from before there were generations.
    """

    __tablename__: ClassVar[Any] = "fastbearer_refresh_token"

    id: str = Field(primary_key=True, max_length=64)
    user_id: str = Field(max_length=255, index=True)
    family: str = Field(max_length=32, index=True)
    expires_at: datetime = Field(sa_type=UtcDateTime, index=True)
    used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    generation: int | None = Field(default=None, sa_type=BigInteger)


class Ended(Record, table=True):
    """A token, a session or a user's sessions that have ended.

    Attributes:
        id: A letter for the kind, and the digest of the id.
        value: When it expires, in seconds since the epoch; of a user ("u:..."), the
            least generation of a session that is good.
        expires_at: UTC; when nobody need remember it any longer, or None.
        number: Greater than that of every change before it.
    """

    __tablename__: ClassVar[Any] = "fastbearer_ended"

    id: str = Field(primary_key=True, max_length=72)
    value: int = Field(sa_type=BigInteger)
    expires_at: datetime | None = Field(default=None, sa_type=UtcDateTime, index=True)
    number: int = Field(sa_type=BigInteger, index=True)


class EndedNumber(Record, table=True):
    """The number of the latest change in `Ended`: one row.

    Attributes:
        id: 1.
        number: Of the latest change.
    """

    __tablename__: ClassVar[Any] = "fastbearer_ended_number"

    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    number: int = Field(sa_type=BigInteger)


class EndedRecent(Record, table=True):
    """A number that a change in `Ended` has had in the last hour, or the latest.

    A process that knows another one knows what this database has lost.

    Attributes:
        number: Of the change.
    """

    __tablename__: ClassVar[Any] = "fastbearer_ended_recent"

    number: int = Field(
        primary_key=True,
        sa_type=BigInteger,
        sa_column_kwargs={"autoincrement": False},
    )
