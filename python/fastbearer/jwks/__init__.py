"""Keys from a URL: JSON Web Key Sets (RFC 7517 5), fetched and kept.

Needs the extra ``jwks``. ``import fastbearer`` does not load this package.
"""

from .client import JWKSClient
from .discovery import DiscoveredKeys
from .source import KeySource
from .verifier import JWKSVerifier

__all__ = ["DiscoveredKeys", "JWKSClient", "JWKSVerifier", "KeySource"]
