"""Who issues tokens, and what its tokens must have.

Needs the extra ``jwks`` for keys from a URL. ``import fastbearer`` does not load this
package.
"""

from .issuer import Issuer
from .verifier import IssuersVerifier

__all__ = ["Issuer", "IssuersVerifier"]
