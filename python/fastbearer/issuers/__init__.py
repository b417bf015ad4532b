"""Who issues tokens, and what its tokens must have.

Needs the extra ``jwks`` for keys from a URL. ``import fastbearer`` does not load this
package.
"""

from .introspection import Introspection
from .issuer import Issuer
from .verifier import IssuersVerifier

__all__ = ["Introspection", "Issuer", "IssuersVerifier"]
