"""Signed tokens (RFC 7515)."""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from typing import Any

from fastbearer._core import base64url_bytes
from fastbearer.compat.jwt._headers import HeaderRules, header_object
from fastbearer.compat.jwt.algorithms import Algorithm, get_default_algorithms
from fastbearer.compat.jwt.api_jwk import PyJWK
from fastbearer.compat.jwt.exceptions import (
    DecodeError,
    InvalidAlgorithmError,
    InvalidKeyError,
    InvalidSignatureError,
    InvalidTokenError,
)
from fastbearer.compat.jwt.types import SigOptions
from fastbearer.compat.jwt.utils import base64url_encode
from fastbearer.compat.jwt.warnings import (
    InsecureKeyLengthWarning,
    RemovedInPyjwt3Warning,
)
from fastbearer.errors import MalformedTokenError

__all__ = [
    "UNSET",
    "PyJWS",
    "decode",
    "decode_complete",
    "encode",
    "get_algorithm_by_name",
    "get_unverified_header",
    "register_algorithm",
    "unregister_algorithm",
    "warn_of_arguments",
]

UNSET: Any = object()
"""No algorithm was named; None is the name of ``none``."""

NO_ALGORITHMS = (
    'It is required that you pass in a value for the "algorithms" argument when'
    " calling decode()."
)
NO_PAYLOAD = (
    'It is required that you pass in a value for the "detached_payload" argument to'
    " decode a message having the b64 header set to false."
)
UNWANTED_PAYLOAD = (
    'It is only valid to pass "detached_payload" when the protected header has "b64"'
    " set to false."
)
B64_NOT_CRITICAL = "The 'b64' header parameter requires 'b64' to be listed in 'crit'."

Loaded = tuple[bytes, bytes, dict[str, Any], bytes]


class PyJWS(HeaderRules):
    """Signs and verifies, with a register of algorithms of its own.

    Args:
        algorithms: The names of those that it knows; None for all.
        options: ``verify_signature`` and ``enforce_minimum_key_length``.
    """

    header_typ = "JWT"

    def __init__(
        self,
        algorithms: Sequence[str] | None = None,
        options: SigOptions | None = None,
    ) -> None:
        self._algorithms = get_default_algorithms()
        if algorithms is not None:
            known = self._algorithms.items()
            self._algorithms = {name: one for name, one in known if name in algorithms}
        self.has_default_algorithms: bool = algorithms is None
        self.options: SigOptions = self._get_default_options()
        if options is not None:
            self.options = {**self.options, **options}

    @staticmethod
    def _get_default_options() -> SigOptions:
        return {"verify_signature": True, "enforce_minimum_key_length": False}

    def register_algorithm(self, alg_id: str, alg_obj: Algorithm) -> None:
        """Add an algorithm.

        Raises:
            TypeError: The object is not an `Algorithm`.
            ValueError: The name is taken.
        """
        if alg_id in self._algorithms:
            raise ValueError("Algorithm already has a handler.")
        if not isinstance(alg_obj, Algorithm):
            raise TypeError("Object is not of type `Algorithm`")
        self._algorithms[alg_id] = alg_obj
        self.has_default_algorithms = False

    def unregister_algorithm(self, alg_id: str) -> None:
        """Remove an algorithm.

        Raises:
            KeyError: There is no algorithm of that name.
        """
        if alg_id not in self._algorithms:
            raise KeyError(
                "The specified algorithm could not be removed because it is not"
                " registered."
            )
        del self._algorithms[alg_id]
        self.has_default_algorithms = False

    def get_algorithms(self) -> list[str]:
        """Return the names of the algorithms."""
        return list(self._algorithms)

    def get_algorithm_by_name(self, alg_name: str) -> Algorithm:
        """Return an algorithm.

        Raises:
            NotImplementedError: There is no algorithm of that name.
        """
        found = self._algorithms.get(alg_name)
        if found is None:
            raise NotImplementedError("Algorithm not supported")
        return found

    # --- signing -----------------------------------------------------------------

    def encode(
        self,
        payload: bytes,
        key: Any,
        algorithm: str | None = UNSET,
        headers: dict[str, Any] | None = None,
        json_encoder: type[json.JSONEncoder] | None = None,
        is_payload_detached: bool = False,
        sort_headers: bool = True,
    ) -> str:
        """Return a signed token.

        Args:
            payload: Any bytes.
            key: A secret, PEM, key object or PyJWK.
            algorithm: By default the PyJWK's, else HS256; None for no signature.
            headers: More members of the header; its ``alg`` is the one that signs.
            json_encoder: For the header.
            is_payload_detached: Leaves the payload out of the text (RFC 7797).
            sort_headers: Sorts the members of the header by name.

        Raises:
            InvalidKeyError: The key cannot be used.
            InvalidTokenError: A member of ``headers`` is wrong.
            NotImplementedError: The algorithm is not known.
        """
        name = _algorithm_name(key, algorithm, headers)
        if headers and headers.get("b64") is False:
            is_payload_detached = True
        header = self._header(name, headers, is_payload_detached)
        text = json.dumps(
            header, separators=(",", ":"), cls=json_encoder, sort_keys=sort_headers
        )
        encoded = base64url_encode(text.encode())
        content = payload if is_payload_detached else base64url_encode(payload)
        chosen = self.get_algorithm_by_name(name)
        prepared = chosen.prepare_key(key.key if isinstance(key, PyJWK) else key)
        self._check_key_length(chosen, prepared, self.options, stacklevel=3)
        signature = chosen.sign(encoded + b"." + content, prepared)
        written = b"" if is_payload_detached else content
        return b".".join((encoded, written, base64url_encode(signature))).decode()

    def _header(
        self, name: str, headers: dict[str, Any] | None, is_detached: bool
    ) -> dict[str, Any]:
        header: dict[str, Any] = {"typ": self.header_typ, "alg": name}
        if headers:
            self._validate_headers(headers, encoding=True)
            header.update(headers)
        if not header["typ"]:
            del header["typ"]
        header.pop("b64", None)  # true is what is meant without it
        if is_detached:
            critical = header.get("crit", [])
            if not isinstance(critical, list):
                raise InvalidTokenError("Invalid 'crit' header: must be a list")
            header["b64"] = False
            if "b64" not in critical:
                header["crit"] = [*critical, "b64"]  # RFC 7797 6
        return header

    @staticmethod
    def _check_key_length(
        chosen: Algorithm, prepared: Any, options: SigOptions, stacklevel: int
    ) -> None:
        problem = chosen.check_key_length(prepared)
        if not problem:
            return
        if options.get("enforce_minimum_key_length", False):
            raise InvalidKeyError(problem)
        warnings.warn(problem, InsecureKeyLengthWarning, stacklevel=stacklevel)

    # --- verifying ---------------------------------------------------------------

    def decode_complete(
        self,
        jwt: str | bytes,
        key: Any = "",
        algorithms: Sequence[str] | None = None,
        options: SigOptions | None = None,
        detached_payload: bytes | None = None,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """Return ``payload``, ``header`` and ``signature`` of a signed token.

        Args:
            jwt: The text.
            key: A secret, PEM, key object or PyJWK.
            algorithms: The names that its header may have.
            options: ``verify_signature`` and ``enforce_minimum_key_length``.
            detached_payload: The payload, where it is not in the text (RFC 7797).
            **kwargs: Not used; there is a warning.

        Raises:
            InvalidTokenError: The token was not accepted.
            InvalidKeyError: The key cannot be used.
        """
        if kwargs:
            warn_of_arguments("decode_complete", kwargs)
        merged = self.options if options is None else {**self.options, **options}
        is_verified = merged["verify_signature"]
        if is_verified and not algorithms and not isinstance(key, PyJWK):
            raise DecodeError(NO_ALGORITHMS)
        payload, signed, header, signature = self._load(jwt)
        self._validate_headers(header)
        if header.get("b64", True) is False:
            payload = _detached(header, detached_payload)
            signed = signed.rpartition(b".")[0] + b"." + payload
        elif detached_payload is not None:
            raise DecodeError(UNWANTED_PAYLOAD)
        if is_verified:
            self._verify_signature(signed, header, signature, key, algorithms, merged)
        return {"payload": payload, "header": header, "signature": signature}

    def decode(
        self,
        jwt: str | bytes,
        key: Any = "",
        algorithms: Sequence[str] | None = None,
        options: SigOptions | None = None,
        detached_payload: bytes | None = None,
        **kwargs: Any,
    ) -> Any:
        """Return the payload of a signed token; the rest as in `decode_complete`."""
        if kwargs:
            warn_of_arguments("decode", kwargs)
        return self.decode_complete(
            jwt, key, algorithms, options, detached_payload=detached_payload
        )["payload"]

    def get_unverified_header(self, jwt: str | bytes) -> dict[str, Any]:
        """Return the header as anybody could have written it.

        Raises:
            InvalidTokenError: The token is malformed.
        """
        header = self._load(jwt)[2]
        self._validate_headers(header)
        return header

    def _load(self, jwt: Any) -> Loaded:
        """Return payload, what was signed, header and signature."""
        if isinstance(jwt, str):
            jwt = jwt.encode("utf-8", "surrogatepass")
        if not isinstance(jwt, bytes):
            raise DecodeError(f"Invalid token type. Token must be a {bytes}")
        signed, dot, encoded_signature = jwt.rpartition(b".")
        encoded_header, second, encoded_payload = signed.partition(b".")
        if not (dot and second):
            raise DecodeError("Not enough segments")
        part = self._decode_base64url_segment
        header = header_object(part(encoded_header, "header"))
        if header.get("b64", True) is not False:
            payload = part(encoded_payload, "payload")
        elif encoded_payload:
            raise DecodeError("Payload segment must be empty when 'b64' is false.")
        else:
            payload = b""
        return payload, signed, header, part(encoded_signature, "crypto")

    @staticmethod
    def _decode_base64url_segment(segment: bytes, name: str) -> bytes:
        # Some load balancers pad; nothing else is let pass.
        bare = segment
        if len(segment) % 4 == 0 and segment.endswith(b"="):
            bare = segment[:-2] + segment[-2:].rstrip(b"=")
        try:
            return base64url_bytes(bare)
        except MalformedTokenError:
            raise DecodeError(f"Invalid {name} padding") from None

    def _verify_signature(
        self,
        signing_input: bytes,
        header: dict[str, Any],
        signature: bytes,
        key: Any = "",
        algorithms: Sequence[str] | None = None,
        options: SigOptions | None = None,
    ) -> None:
        if algorithms is None and isinstance(key, PyJWK):
            algorithms = [key.algorithm_name]
        if "alg" not in header:
            raise InvalidAlgorithmError("Algorithm not specified")
        alg = header["alg"]
        # A text would be searched for parts of names.
        allowed = (algorithms,) if isinstance(algorithms, str) else algorithms
        if not isinstance(alg, str) or not alg:
            raise InvalidAlgorithmError("The specified alg value is not allowed")
        if allowed is not None and alg not in allowed:
            raise InvalidAlgorithmError("The specified alg value is not allowed")
        chosen = self._chosen(alg, key)
        prepared = chosen.prepare_key(key.key if isinstance(key, PyJWK) else key)
        effective = self.options if options is None else options
        self._check_key_length(chosen, prepared, effective, stacklevel=5)
        if not chosen.verify(signing_input, prepared, signature):
            raise InvalidSignatureError("Signature verification failed")

    def _chosen(self, alg: str, key: Any) -> Algorithm:
        if isinstance(key, PyJWK):
            if alg != key.algorithm_name:
                raise InvalidAlgorithmError(
                    f"Token algorithm {alg!r} does not match the key's algorithm"
                    f" {key.algorithm_name!r}"
                )
            return key.Algorithm
        try:
            return self.get_algorithm_by_name(alg)
        except NotImplementedError as error:
            raise InvalidAlgorithmError("Algorithm not supported") from error


def warn_of_arguments(function: str, arguments: dict[str, Any]) -> None:
    """Warn the caller's caller of arguments that do nothing."""
    warnings.warn(
        f"passing additional kwargs to {function}() is deprecated and will be removed"
        f" in pyjwt version 3. Unsupported kwargs: {tuple(arguments)}",
        RemovedInPyjwt3Warning,
        stacklevel=3,
    )


def _algorithm_name(
    key: Any, algorithm: str | None, headers: dict[str, Any] | None
) -> str:
    name: str | None = (headers or {}).get("alg")
    if name:
        return name
    if algorithm is None or algorithm is UNSET:
        if isinstance(key, PyJWK):
            return key.algorithm_name
        return "none" if algorithm is None else "HS256"
    return algorithm


def _detached(header: dict[str, Any], payload: bytes | None) -> bytes:
    if "b64" not in (header.get("crit") or []):
        raise InvalidTokenError(B64_NOT_CRITICAL)
    if payload is None:
        raise DecodeError(NO_PAYLOAD)
    return payload


_jws_global_obj = PyJWS()
encode = _jws_global_obj.encode
decode_complete = _jws_global_obj.decode_complete
decode = _jws_global_obj.decode
register_algorithm = _jws_global_obj.register_algorithm
unregister_algorithm = _jws_global_obj.unregister_algorithm
get_algorithm_by_name = _jws_global_obj.get_algorithm_by_name
get_unverified_header = _jws_global_obj.get_unverified_header
