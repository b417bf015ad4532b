"""The accounts of an application, for commands that work on them."""

from __future__ import annotations

import importlib
import logging
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from fastbearer import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastbearer.accounts import Accounts

__all__ = ["import_accounts", "quiet"]

NO_MODULE = "--app {}: there is no such module to be imported from this folder"
NO_ACCOUNTS = (
    "--app {}: name the Accounts of your application, like package.module:accounts"
)


def import_accounts(name: str | None) -> Accounts:
    """Return the accounts of an application, for which an extra is needed.

    Args:
        name: ``package.module:accounts``, as a server would import it; with another
            object of the module or none, the only accounts in it. None for those of
            the settings.

    Raises:
        ConfigurationError: There are none of that name.
        ModuleNotFoundError: The extra is missing.
    """
    from fastbearer.accounts import Accounts, accounts

    if name is None:
        return accounts
    module_name, _, attribute = name.partition(":")
    sys.path.insert(0, str(Path.cwd()))
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if not error.name or not f"{module_name}.".startswith(f"{error.name}."):
            raise  # one that it imports itself
        raise ConfigurationError(NO_MODULE.format(ascii(name))) from None
    except (TypeError, ValueError):
        raise ConfigurationError(NO_MODULE.format(ascii(name))) from None
    found = getattr(module, attribute, None) if attribute else None
    if isinstance(found, Accounts):
        return found
    several = {
        id(one): one for one in vars(module).values() if isinstance(one, Accounts)
    }
    if len(several) != 1 or (attribute and not hasattr(module, attribute)):
        raise ConfigurationError(NO_ACCOUNTS.format(ascii(name)))
    return next(iter(several.values()))


class Errors(logging.Filter):
    """Lets errors pass."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether a record is one."""
        return record.levelno >= logging.ERROR


@contextmanager
def quiet() -> Iterator[None]:
    """Leave out what our log says to an application that starts; not the audit log."""
    logger, errors = logging.getLogger("fastbearer"), Errors()
    logger.addFilter(errors)
    try:
        yield
    finally:
        logger.removeFilter(errors)
