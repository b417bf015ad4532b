from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, final

from .keys import KeySet
from .tokens import Token

libcrypto_version: str
algorithms: tuple[str, ...]
argon2_engine: str

@final
class Key:
    @classmethod
    def from_secret(
        cls,
        secret: str | bytes,
        algorithm: str = "HS256",
        *,
        kid: str | None = None,
        allow_short_secret: bool = False,
    ) -> Key: ...
    @classmethod
    def generate(cls, algorithm: str, *, kid: str | None = None) -> Key: ...
    @classmethod
    def from_pem(
        cls,
        data: str | bytes,
        algorithm: str | None = None,
        *,
        kid: str | None = None,
        password: str | bytes | None = None,
    ) -> Key: ...
    @classmethod
    def from_der(
        cls,
        data: str | bytes,
        algorithm: str | None = None,
        *,
        kid: str | None = None,
        password: str | bytes | None = None,
    ) -> Key: ...
    @classmethod
    def from_jwk(
        cls, jwk: Mapping[str, Any] | str | bytes, algorithm: str | None = None
    ) -> Key: ...
    def to_pem(self, private: bool = False) -> str: ...
    def to_jwk(self, private: bool = False) -> dict[str, Any]: ...
    def thumbprint(self) -> str: ...
    def public(self) -> Key: ...
    @property
    def algorithm(self) -> str: ...
    @property
    def kid(self) -> str | None: ...
    @property
    def is_private(self) -> bool: ...

@final
class Verifier:
    def __new__(
        cls,
        key: Key | KeySet | Iterable[Key],
        *,
        issuer: str | Iterable[str] | None = None,
        audience: str | Iterable[str] | None = None,
        ignore_audience: bool = False,
        leeway: float | timedelta = 0,
        require: Iterable[str] = ...,  # ("exp",), which inspect cannot read
        typ: str | None = None,
        max_age: float | timedelta | None = None,
        max_bytes: int = 16384,
        allow_padding: bool = False,
        cache: int = 0,
        clock: Callable[[], float] | None = None,
    ) -> Verifier: ...
    def verify(self, token: str | bytes, /) -> dict[str, Any]: ...
    def verify_complete(self, token: str | bytes, /) -> Token: ...

@final
class Signer:
    def __new__(
        cls,
        key: Key,
        *,
        issuer: str | None = None,
        audience: str | Iterable[str] | None = None,
        lifetime: float | timedelta | None = None,
        clock: Callable[[], float] | None = None,
        ascii: bool = False,
    ) -> Signer: ...
    def sign(
        self, claims: dict[str, Any], /, *, headers: dict[str, Any] | None = None
    ) -> str: ...

def aead_seal(
    name: str, key: bytes, iv: bytes, aad: bytes, text: bytes, /
) -> tuple[bytes, bytes]: ...
def aead_open(
    name: str, key: bytes, iv: bytes, aad: bytes, text: bytes, tag: bytes, /
) -> bytes: ...
def aead_sizes(name: str, /) -> tuple[int, int]: ...
def aes_wrap(kek: bytes, key: bytes, /) -> bytes: ...
def aes_unwrap(kek: bytes, wrapped: bytes, /) -> bytes: ...
def rsa_oaep_seal(key: Key, sha256: bool, text: bytes, /) -> bytes: ...
def rsa_oaep_open(key: Key, sha256: bool, text: bytes, /) -> bytes: ...
def bearer_token(headers: Sequence[Sequence[bytes]], name: bytes, /) -> str | None: ...
def jws_sign(payload: bytes, key: Key, headers: dict[str, Any] | None, /) -> str: ...
def jws_verify(token: str | bytes, keys: Key | Iterable[Key], /) -> bytes: ...
def raw_sign(message: bytes, key: Key, /) -> bytes: ...
def raw_verify(message: bytes, signature: bytes, key: Key, /) -> bool: ...
def unverified_header(token: str | bytes, /) -> dict[str, Any]: ...
def base64url_bytes(text: str | bytes, /) -> bytes: ...
def json_object(text: str | bytes, /) -> dict[str, Any]: ...
def password_hash(
    password: str | bytes, setting: str | bytes, threads: int = 0, /
) -> str: ...
def password_verify(
    password: str | bytes, hash: str | bytes, threads: int = 0, /
) -> bool: ...
def password_scheme(hash: str | bytes, /) -> str: ...
def password_rest(seconds: int, /) -> int: ...
