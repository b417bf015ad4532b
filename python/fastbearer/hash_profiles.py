"""The costs of password hashes that others recommend, by name."""

from __future__ import annotations

import os

from .errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["costs_of_profile"]

TESTING = "testing"
PROFILES: dict[str, dict[str, Any]] = {
    # RFC 9106 4: the second recommendation, then the first
    "rfc9106-low-memory": {"time_cost": 3, "memory_cost": 65536, "parallelism": 4},
    "rfc9106": {"time_cost": 1, "memory_cost": 2097152, "parallelism": 4},
    # OWASP Password Storage Cheat Sheet: of equal strength, less memory each
    "owasp-46mib": {"time_cost": 1, "memory_cost": 47104, "parallelism": 1},
    "owasp-19mib": {"time_cost": 2, "memory_cost": 19456, "parallelism": 1},
    "owasp-12mib": {"time_cost": 3, "memory_cost": 12288, "parallelism": 1},
    "owasp-9mib": {"time_cost": 4, "memory_cost": 9216, "parallelism": 1},
    "owasp-7mib": {"time_cost": 5, "memory_cost": 7168, "parallelism": 1},
    "owasp-scrypt": {"scheme": "scrypt", "n": 2**17, "r": 8, "p": 1},
    "owasp-bcrypt": {"scheme": "bcrypt", "rounds": 10},
    # RFC 9106 3.1: the least that Argon2 takes
    TESTING: {"time_cost": 1, "memory_cost": 8, "parallelism": 1},
}


def costs_of_profile(name: str) -> dict[str, Any]:
    """Return the arguments of `PasswordHash` for a published recommendation.

    Raises:
        ConfigurationError: There is no such profile, or it is the one for tests, and
            the environment does not say ``FASTBEARER_TESTING=1``.
    """
    if name not in PROFILES:
        raise ConfigurationError(f"a profile is one of {', '.join(PROFILES)}")
    if name == TESTING and os.environ.get("FASTBEARER_TESTING") != "1":
        raise ConfigurationError(
            "the profile testing protects no password: "
            "it needs FASTBEARER_TESTING=1 in the environment"
        )
    return PROFILES[name]
