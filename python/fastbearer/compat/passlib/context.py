"""Several schemes, of which one makes the new hashes."""

from __future__ import annotations

from typing import Any

from fastbearer.compat.passlib._options import configured, names_in, scheme_options
from fastbearer.compat.passlib.exc import UnknownHashError
from fastbearer.compat.passlib.handlers._base import Handler
from fastbearer.compat.passlib.hash import HANDLERS

__all__ = ["CryptContext", "LazyCryptContext"]


class CryptContext:
    """Hashes with the default scheme, and verifies with all of them.

    Args:
        schemes: Names or handlers, separated by commas if it is a str.
        default: The one for new hashes; the first that is not deprecated if it
            is not given.
        deprecated: Those whose hashes are to be replaced; "auto" is all but
            the default.
        **settings: ``<scheme>__<setting>=value``, like ``bcrypt__rounds=13``;
            ``truncate_error`` is for every scheme that knows it.

    Raises:
        KeyError: There is no such scheme, or no such setting.
        TypeError: A setting is of another type.
        ValueError: A setting is out of range, and that cannot be mended.
    """

    def __init__(
        self,
        schemes: Any = None,
        *,
        default: Any = None,
        deprecated: Any = (),
        **settings: Any,
    ) -> None:
        self._given = {
            "schemes": schemes,
            "default": default,
            "deprecated": deprecated,
            **settings,
        }
        options = scheme_options(settings)
        self._handlers: dict[str, Handler] = {}
        for scheme in names_in(schemes):
            handler = _handler(scheme)
            if handler.name in self._handlers:
                raise KeyError(f"the scheme {handler.name!r} is there twice")
            self._handlers[handler.name] = configured(handler, options)
        old = self._names_of_old(
            [getattr(one, "name", one) for one in names_in(deprecated)]
        )
        self._default = self._name_of_default(default, old)
        is_auto = old == ["auto"]
        self._deprecated = (
            set(self._handlers) - {self._default} if is_auto else set(old)
        )

    def _names_of_old(self, deprecated: list[Any]) -> list[str]:
        if "auto" in deprecated:
            if len(deprecated) > 1:
                raise ValueError("deprecated is 'auto', or names schemes")
            return deprecated
        for name in deprecated:
            if self._handlers and name not in self._handlers:
                raise KeyError(f"no scheme {name!r} in this context")
        return deprecated

    def _name_of_default(self, default: Any, old: list[str]) -> str | None:
        if default is not None:
            name: str = _handler(default).name
            if self._handlers and name not in self._handlers:
                raise KeyError(f"no scheme {name!r} in this context")
            if name in old:
                raise ValueError("the default scheme cannot be deprecated")
            return name
        current = [name for name in self._handlers if name not in old]
        if self._handlers and not current:
            raise ValueError("at least one scheme must not be deprecated")
        return next(iter(current), None)

    def schemes(self, resolve: bool = False, category: Any = None) -> tuple[Any, ...]:
        """Return the names of the schemes, or the handlers."""
        chosen = self._handlers.values() if resolve else self._handlers
        return tuple(chosen)

    def default_scheme(
        self, category: Any = None, resolve: bool = False, **more: Any
    ) -> Any:
        """Return the name of the scheme of new hashes, or its handler."""
        handler = self.handler()
        return handler if resolve else handler.name

    def handler(self, scheme: str | None = None, category: Any = None) -> Any:
        """Return the handler of a scheme.

        Raises:
            KeyError: There is none.
        """
        name = scheme or self._default
        if name is None or name not in self._handlers:
            raise KeyError("no crypt algorithms loaded in this CryptContext instance")
        return self._handlers[name]

    def hash(
        self,
        secret: str | bytes,
        scheme: str | None = None,
        category: Any = None,
        **settings: Any,
    ) -> str:
        """Return the hash of a password, by the default scheme.

        Raises:
            PasswordValueError: The scheme does not take such a password.
        """
        return str(self.handler(scheme).hash(secret, **settings))

    encrypt = hash

    def verify(
        self,
        secret: str | bytes,
        hash: str | bytes | None,
        scheme: str | None = None,
        category: Any = None,
    ) -> bool:
        """Tell whether the password made the hash; None is nobody's.

        Raises:
            UnknownHashError: No scheme knows the hash.
            PasswordValueError: Its scheme does not take such a password.
        """
        if hash is None:
            self.dummy_verify()
            return False
        handler = self.handler(scheme) if scheme else self._known(hash)
        return bool(handler.verify(secret, hash))

    def verify_and_update(
        self,
        secret: str | bytes,
        hash: str | bytes | None,
        scheme: str | None = None,
        category: Any = None,
    ) -> tuple[bool, str | None]:
        """Tell the same, and give the hash to store in its place, if any.

        There is none where bcrypt has seen but the first 72 bytes of the password:
        what was typed after them may not be its owner's.

        Raises:
            UnknownHashError: No scheme knows the hash.
        """
        if not self.verify(secret, hash, scheme) or hash is None:
            return False, None
        old = self.handler(scheme) if scheme else self._known(hash)
        is_new_one_due = self.needs_update(hash, scheme) and self.handler().can_renew(
            secret, hash, old
        )
        return True, self.hash(secret) if is_new_one_due else None

    def needs_update(
        self,
        hash: str | bytes,
        scheme: str | None = None,
        category: Any = None,
        secret: Any = None,
    ) -> bool:
        """Tell whether a hash should be replaced.

        Raises:
            UnknownHashError: No scheme knows it.
        """
        handler = self.handler(scheme) if scheme else self._known(hash)
        return handler.name in self._deprecated or bool(handler.needs_update(hash))

    hash_needs_update = needs_update

    def identify(
        self,
        hash: str | bytes,
        category: Any = None,
        resolve: bool = False,
        required: bool = False,
        unconfigured: bool = False,
    ) -> Any:
        """Return the name of a hash's scheme, or None.

        Raises:
            UnknownHashError: It is ``required``, and no scheme knows it.
            KeyError: It is ``required``, and there are no schemes.
        """
        for handler in self._handlers.values():
            if handler.identify(hash):
                return handler if resolve else handler.name
        if required and not self._handlers:
            raise KeyError("no crypt algorithms supported")
        if required:
            raise UnknownHashError
        return None

    def dummy_verify(self, elapsed: float = 0) -> bool:
        """Do the work of a verify, so that no time tells who is unknown."""
        handler = self.handler()
        if "_dummy" not in self.__dict__:
            self._dummy = handler.hash("nobody's password")
        handler.verify("another password", self._dummy)
        return False

    def copy(self, **changes: Any) -> CryptContext:
        """Return such a context with other settings."""
        return type(self)(**{**self._given, **changes})

    using = copy

    def update(self, **changes: Any) -> None:
        """Change the settings."""
        self.__dict__ = self.copy(**changes).__dict__

    def _known(self, hash: str | bytes) -> Any:
        return self.identify(hash, resolve=True, required=True)

    def __repr__(self) -> str:
        return f"<CryptContext {', '.join(self._handlers)}>"


class LazyCryptContext(CryptContext):
    """The same: nothing here is slow to make."""


def _handler(scheme: Any) -> Handler:
    if isinstance(scheme, Handler):
        return scheme
    if scheme not in HANDLERS:
        raise KeyError(f"no crypt handler found for algorithm: {scheme!r}")
    return HANDLERS[scheme]
