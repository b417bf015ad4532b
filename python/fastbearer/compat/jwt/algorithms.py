"""The algorithms, and the register of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastbearer.compat._shared.key_objects import types_of
from fastbearer.compat.jwt._algorithm import Algorithm, NoneAlgorithm
from fastbearer.compat.jwt._curves import ECAlgorithm, OKPAlgorithm
from fastbearer.compat.jwt._hmac import HMACAlgorithm
from fastbearer.compat.jwt._rsa import RSAAlgorithm, RSAPSSAlgorithm

if TYPE_CHECKING:
    AllowedECKeys = AllowedKeys = AllowedOKPKeys = AllowedRSAKeys = Any
    AllowedPrivateKeys = AllowedPublicKeys = Any

__all__ = [
    "Algorithm",
    "ECAlgorithm",
    "HMACAlgorithm",
    "NoneAlgorithm",
    "OKPAlgorithm",
    "RSAAlgorithm",
    "RSAPSSAlgorithm",
    "get_default_algorithms",
    "has_crypto",
    "requires_cryptography",
]

has_crypto = True
"""Whether there are other algorithms than HMAC: the core has them all."""

requires_cryptography: set[str] = {
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES256K", "ES384", "ES512", "ES521", "EdDSA"),
}
"""Those that PyJWT has only with another package."""


def get_default_algorithms() -> dict[str, Algorithm]:
    """Return name -> algorithm, for a register of one's own."""
    sha256, sha384, sha512 = (
        HMACAlgorithm.SHA256,
        HMACAlgorithm.SHA384,
        HMACAlgorithm.SHA512,
    )
    return {
        "none": NoneAlgorithm(),
        "HS256": HMACAlgorithm(sha256),
        "HS384": HMACAlgorithm(sha384),
        "HS512": HMACAlgorithm(sha512),
        "RS256": RSAAlgorithm(sha256),
        "RS384": RSAAlgorithm(sha384),
        "RS512": RSAAlgorithm(sha512),
        "ES256": ECAlgorithm(sha256, "secp256r1"),
        "ES256K": ECAlgorithm(sha256, "secp256k1"),
        "ES384": ECAlgorithm(sha384, "secp384r1"),
        "ES521": ECAlgorithm(sha512, "secp521r1"),  # a slip of PyJWT's first years
        "ES512": ECAlgorithm(sha512, "secp521r1"),
        "PS256": RSAPSSAlgorithm(sha256),
        "PS384": RSAPSSAlgorithm(sha384),
        "PS512": RSAPSSAlgorithm(sha512),
        "EdDSA": OKPAlgorithm(),
    }


KINDS: dict[str, tuple[str, ...]] = {
    "AllowedRSAKeys": ("RSA",),
    "AllowedECKeys": ("EC",),
    "AllowedOKPKeys": ("OKP",),
    "AllowedKeys": ("RSA", "EC", "OKP"),
}
HALVES = {"AllowedPrivateKeys": "Private", "AllowedPublicKeys": "Public"}


def __getattr__(name: str) -> Any:
    """Return a class of key objects, or a union of them: made late, for heavy."""
    if name.startswith("_"):
        raise AttributeError(name)  # the import system asks for some
    every = [cls for kind in KINDS["AllowedKeys"] for cls in types_of(kind)]
    by_name = {cls.__name__: cls for cls in every}
    if name in by_name:
        return by_name[name]
    kinds = KINDS.get(name, ())
    classes = [cls for kind in kinds for cls in types_of(kind)]
    if name in HALVES:
        classes = [cls for cls in every if HALVES[name] in cls.__name__] or every
    if not classes:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    union: Any = classes[0]
    for cls in classes[1:]:
        union = union | cls
    return union
