from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from queue import SimpleQueue
from typing import Any, TypeVar, final

from .keys import KeySet
from .tokens import Token

_T = TypeVar("_T")

libcrypto_version: str
"""The release of libcrypto that runs, as it names itself."""
libsodium_version: str | None
"""The release of libsodium, or None where the core was built without it."""
algorithms: tuple[str, ...]
"""The signature algorithms (RFC 7518 3.1, RFC 8037, RFC 8812, RFC 9864)."""
argon2_engine: str
"""What computes Argon2: "avx512", "avx2", "portable" or "libargon2"."""
dict_members: str
"""How claims are read from a dict: "read" in place, or "asked for" one by one."""
dict_values: str
"""How claims come into a dict: "written" straight into a copy, or "set" by name."""
ed25519_engine: str
"""What verifies Ed25519: "libsodium" or "libcrypto"."""
scrypt_engine: str
"""What computes scrypt: "libsodium" or "libcrypto"."""
key_set_max: int
"""The most entries of a JWK Set."""
key_set_text_max: int
"""The most bytes of a JWK Set's text."""

@final
class Key:
    """A key that knows its one algorithm and was checked and prepared once.

    Immutable, and safe to share between threads. Made by `from_secret`,
    `from_pem`, `from_der`, `from_jwk` and `generate`; neither repr() nor an
    error shows key material.
    """

    @classmethod
    def from_secret(
        cls,
        secret: str | bytes,
        algorithm: str = "HS256",
        *,
        kid: str | None = None,
        allow_short_secret: bool = False,
    ) -> Key:
        """Make an HMAC key (RFC 7518 3.2) of a shared secret.

        Args:
            secret: A str is taken as UTF-8, bytes as they are; at least as
                long as the hash: 32, 48 or 64 bytes.
            algorithm: HS256, HS384 or HS512.
            kid: The key's id (RFC 7515 4.1.4).
            allow_short_secret: Takes a shorter secret, but never an empty one.

        Raises:
            InvalidKeyError: The secret is too short or blank, or is an
                asymmetric key (PEM, DER, JWK, SSH), which is no secret at all
                (RFC 8725 3.1).
        """
    @classmethod
    def generate(cls, algorithm: str, *, kid: str | None = None) -> Key:
        """Make a fresh random key.

        An HMAC key has as many bytes as its hash, an RSA key 2048 bits; EdDSA
        is Ed25519.

        Args:
            algorithm: Such as "HS256", "RS256", "ES256" or "EdDSA".
            kid: The key's id (RFC 7515 4.1.4).

        Raises:
            InvalidKeyError: The algorithm is unknown.
        """
    @classmethod
    def from_pem(
        cls,
        data: str | bytes,
        algorithm: str | None = None,
        *,
        kid: str | None = None,
        password: str | bytes | None = None,
    ) -> Key:
        """Read a key of the first key or certificate in a PEM string (RFC 7468).

        SubjectPublicKeyInfo, PKCS#1, PKCS#8 (also encrypted), SEC 1, and X.509
        certificates, of which only the key is used: their dates, names and
        chain are not checked.

        Args:
            data: The text, str or bytes.
            algorithm: By default that of the curve, and RS256 for RSA.
            kid: The key's id (RFC 7515 4.1.4).
            password: Of an encrypted PKCS#8 key, str or bytes.

        Raises:
            InvalidKeyError: There is no such key, or it breaks a rule; the
                message names the rule, and shows no key material.
        """
    @classmethod
    def from_der(
        cls,
        data: str | bytes,
        algorithm: str | None = None,
        *,
        kid: str | None = None,
        password: str | bytes | None = None,
    ) -> Key:
        """Like `from_pem`, for the binary form, which must be the whole of data.

        Args:
            data: DER, as bytes.
            algorithm: By default that of the curve, and RS256 for RSA.
            kid: The key's id (RFC 7515 4.1.4).
            password: Of an encrypted PKCS#8 key, str or bytes.

        Raises:
            InvalidKeyError: There is no such key, or it breaks a rule.
            TypeError: An argument has the wrong type.
        """
    @classmethod
    def from_jwk(
        cls,
        jwk: Mapping[str, Any] | str | bytes,
        algorithm: str | None = None,
        *,
        lenient: bool = False,
    ) -> Key:
        """Read a key of a JWK: a mapping, or the text of one (str or bytes).

        `use`, `key_ops` and `alg` are obeyed, members have exactly the length
        that their type asks for, and private members must match the public
        ones.

        Args:
            jwk: Of kty oct, RSA, EC or OKP.
            algorithm: By default the JWK's `alg`, then that of the curve,
                RS256 or HS256.
            lenient: Takes what other writers leave in a public key and what
                cannot confuse which key is meant: members that are null or
                empty, leading zero octets, padded or standard base64.

        Raises:
            InvalidKeyError: The JWK breaks a rule; the message names the rule,
                and `member` the member.
        """
    def __copy__(self) -> Key: ...
    def __deepcopy__(self, memo: Any, /) -> Key: ...
    def to_pem(self, private: bool = False) -> str:
        """Return the key as PEM text (RFC 7468).

        Args:
            private: Whether it is PKCS#8, unencrypted; the public half is
                written as SubjectPublicKeyInfo.

        Raises:
            InvalidKeyError: The private half is asked for and there is none,
                or the key is a shared secret, which has no PEM form.
        """
    def to_jwk(self, private: bool = False) -> dict[str, Any]:
        """Return the key as a dict of its JWK (RFC 7517 4).

        It has `alg`, and `kid` if the key has one.

        Args:
            private: Whether the private half, or the shared secret, is in it.

        Raises:
            InvalidKeyError: The private half is asked for and there is none,
                or it is not asked for and the key is a shared secret.
        """
    def thumbprint(self) -> str:
        """Return the key's SHA-256 thumbprint as base64url (RFC 7638).

        It is that of the public half, or of the shared secret.
        """
    def public(self) -> Key:
        """Return the key without its private half; itself if it has none.

        Raises:
            InvalidKeyError: A shared secret has no public half.
        """
    @property
    def algorithm(self) -> str:
        """The algorithm that the key signs with, as in a header."""
    @property
    def algorithms(self) -> tuple[str, ...]:
        """Those of the tokens that it verifies.

        Several for an RSA key of a set that names none (RFC 7517 4.4), and
        both names that an Edwards key has (RFC 8037, RFC 9864).
        """
    @property
    def kid(self) -> str | None:
        """The key's id, or None."""
    @property
    def is_private(self) -> bool:
        """Whether it has a private half; a shared secret is one."""

@final
class Verifier:
    """Verifies compact signed tokens (RFC 7515, RFC 7519), strictly.

    Immutable but for its cache, and safe to share between threads.

    Args:
        key: A Key, or a KeySet (or other iterable) of them.
        issuer: The accepted `iss`, one string or several; then it is required.
        audience: The accepted `aud`, one string or several; then it is
            required. Without it a token must have no `aud` (RFC 7519 4.1.3).
        ignore_audience: Accepts whatever `aud` says.
        leeway: Seconds (or a timedelta) by which clocks may differ.
        require: Names of claims that must be there and not null.
        typ: The media type that the header's `typ` must have (RFC 8725 3.11),
            one or several; None among them takes a header without `typ`.
        max_age: Seconds (or a timedelta) since `iat`, which is then required.
        max_bytes: Longer tokens, in bytes, are refused before they are read.
        allow_padding: Takes correct '=' padding, as some load balancers add.
        cache: How many of the last tokens whose signature has passed are
            remembered, so that a token that comes again costs no signature
            check. Its claims are read and checked all the same.
        clock: A callable that returns seconds since the epoch.
        algorithms: Narrows those of the keys (RFC 8725 3.1): one or several.

    Raises:
        ConfigurationError: An option has a value that makes no sense.
        TypeError: An option has the wrong type.
    """

    def __new__(
        cls,
        key: Key | KeySet | Iterable[Key],
        *,
        issuer: str | Iterable[str] | None = None,
        audience: str | Iterable[str] | None = None,
        ignore_audience: bool = False,
        leeway: float | timedelta = 0,
        require: Iterable[str] = ...,  # ("exp",), which inspect cannot read
        typ: str | Iterable[str | None] | None = None,
        max_age: float | timedelta | None = None,
        max_bytes: int = 16384,
        allow_padding: bool = False,
        cache: int = 0,
        clock: Callable[[], float] | None = None,
        algorithms: str | Iterable[str] | None = None,
    ) -> Verifier: ...
    def __copy__(self) -> Verifier: ...
    def __deepcopy__(self, memo: Any, /) -> Verifier: ...
    def verify(self, token: str | bytes, /) -> dict[str, Any]:
        """Return the claims of a token whose signature and claims are right.

        Args:
            token: A compact JWS (RFC 7515 7.1), str or bytes.

        Raises:
            TokenError: The token was not accepted; the subclass says why. No byte
                of the payload is read before the signature has passed.
            TypeError: The argument is neither str nor bytes.
        """
    def verify_complete(self, token: str | bytes, /) -> Token:
        """Like `verify`, but return a Token: a named tuple of header and claims.

        Args:
            token: A compact JWS (RFC 7515 7.1), str or bytes.

        Raises:
            TokenError: The token was not accepted; the subclass says why.
            TypeError: The argument is neither str nor bytes.
        """

@final
class Signer:
    """Signs claims as compact tokens (RFC 7515, RFC 7519).

    Immutable, and safe to share between threads. What it adds never replaces
    a claim that the caller gives.

    Args:
        key: The Key to sign with.
        issuer: Adds `iss`.
        audience: Adds `aud`: one string, or several.
        lifetime: Seconds (or a timedelta): adds `iat` and `exp`, as integers.
        clock: A callable that returns seconds since the epoch.
        ascii: Writes other characters as escapes, as json.dumps does.

    Raises:
        ConfigurationError: An option has a value that makes no sense.
        TypeError: An option has the wrong type.
    """

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
    def __copy__(self) -> Signer: ...
    def __deepcopy__(self, memo: Any, /) -> Signer: ...
    def sign(
        self, claims: dict[str, Any], /, *, headers: dict[str, Any] | None = None
    ) -> str:
        """Return the compact token of the claims.

        Args:
            claims: A dict of what JSON has. `exp`, `nbf` and `iat` may be
                datetimes; one without a time zone is taken as UTC.
            headers: More members of the header; `typ` None leaves it out.

        Raises:
            TypeError: A value has a type that JSON does not have.
            ValueError: A value that a strict verifier would refuse: NaN, a lone
                surrogate, more than 32 levels, or a header such as `crit`.
        """

@final
class SessionSecret:
    """A Better Auth server's secret, prepared. Immutable.

    Args:
        secret: A str is taken as UTF-8, bytes as they are.

    Raises:
        InvalidKeyError: The secret holds a lone surrogate.
        TypeError: The secret is neither str nor bytes.
    """

    def __new__(cls, secret: str | bytes, /) -> SessionSecret: ...
    @staticmethod
    def is_token(value: object, /) -> bool:
        """Tell whether a value is a session token: 32 letters and digits."""
    def __copy__(self) -> SessionSecret: ...
    def __deepcopy__(self, memo: Any, /) -> SessionSecret: ...
    def sign_token(self, token: str, /) -> str:
        """Return token, dot and signature, as in the cookie `session_token`.

        Raises:
            ValueError: The token is not 32 letters and digits.
        """
    def read_token(self, value: str | bytes, /) -> str:
        """Return the token of a signed value, which may be escaped and quoted.

        Raises:
            MalformedTokenError: It is not token, dot and signature.
            InvalidSignatureError: Another secret has signed it.
            TypeError: The value is neither str nor bytes.
        """
    def read_compact(self, value: str | bytes, /) -> tuple[dict[str, Any], int]:
        """Return the payload of signed session data (strategy "compact").

        Returns:
            The payload, and its end in milliseconds since the epoch.

        Raises:
            MalformedTokenError: It is not such a value, or not strict JSON.
            InvalidSignatureError: Another secret has signed it.
            TypeError: The value is neither str nor bytes.
        """
    def is_sealed_with(self, value: str | bytes, /) -> bool:
        """Tell whether sealed session data names this secret as its key.

        Raises:
            MalformedTokenError: The value has characters that are not ASCII.
            TypeError: The value is neither str nor bytes.
        """
    def open(self, value: str | bytes, /) -> dict[str, Any]:
        """Return the object that is sealed in session data (strategy "jwe").

        Raises:
            UnknownKeyError: It names another secret, or has another form.
            InvalidSignatureError: It was altered.
            MalformedTokenError: What is inside is not a strict JSON object.
            TypeError: The value is neither str nor bytes.
        """
    def seal(self, text: bytes, /) -> str:
        """Return JSON text, sealed as a JWE (RFC 7516) with A256CBC-HS512.

        Raises:
            TypeError: The text is not bytes.
        """

def aead_seal(
    name: str, key: bytes, iv: bytes, aad: bytes, text: bytes, /
) -> tuple[bytes, bytes]:
    """Encrypt and authenticate as the content encryptions of JWE do (RFC 7518 5).

    Args:
        name: Such as "A256GCM" or "A256CBC-HS512".
        key: As many bytes as `aead_sizes` says.
        iv: As many bytes as `aead_sizes` says, never the same under one key.
        aad: What is authenticated beside the text, bytes.
        text: The plaintext, bytes.

    Returns:
        Ciphertext and tag.

    Raises:
        ValueError: The name is unknown, or the key or the iv has another size.
        TypeError: An argument is not bytes.
    """

def aead_open(
    name: str, key: bytes, iv: bytes, aad: bytes, text: bytes, tag: bytes, /
) -> bytes:
    """Return the plaintext, which `aead_seal` has encrypted.

    Raises:
        InvalidSignatureError: Anything was altered, or the key is another one.
        ValueError: The name is unknown, or the key or the iv has another size.
        TypeError: An argument is not bytes.
    """

def aead_sizes(name: str, /) -> tuple[int, int]:
    """Return how many bytes key and iv have (RFC 7518 5.1).

    Raises:
        ValueError: There is no content encryption of that name.
    """

def aes_wrap(kek: bytes, key: bytes, /) -> bytes:
    """Return a key, encrypted with AES key wrap (RFC 3394).

    Args:
        kek: The key that encrypts it: 16, 24 or 32 bytes.
        key: The key, of 16 to 64 bytes, a multiple of 8.

    Returns:
        Eight bytes more than the key has.

    Raises:
        FastbearerError: A size is none of these.
        TypeError: An argument is not bytes.
    """

def aes_unwrap(kek: bytes, wrapped: bytes, /) -> bytes:
    """Return the key that `aes_wrap` has encrypted.

    Raises:
        InvalidSignatureError: It was altered, or encrypted with another key.
        TypeError: An argument is not bytes.
    """

def rsa_oaep_seal(key: Key, sha256: bool, text: bytes, /) -> bytes:
    """Return bytes, encrypted for an RSA key with OAEP (RFC 7518 4.3).

    Args:
        key: An RSA Key, of which the public half is used.
        sha256: Whether OAEP hashes with SHA-256, or else with SHA-1.
        text: Bytes, at most 66 (SHA-1: 42) fewer than the modulus has.

    Raises:
        FastbearerError: The text is too long.
        TypeError: The key is not an RSA Key, or the text is not bytes.
    """

def rsa_oaep_open(key: Key, sha256: bool, text: bytes, /) -> bytes:
    """Return the text that `rsa_oaep_seal` has encrypted.

    Raises:
        InvalidSignatureError: It was altered, or the key is another one.
        TypeError: The key is not an RSA Key, or the text is not bytes.
    """

def bearer_token(headers: Sequence[Sequence[bytes]], name: bytes, /) -> str | None:
    """Return the bearer token of the headers of a request (RFC 6750 2.1).

    It is as it came: "" where the header holds none, None where there is no
    such header.

    Args:
        headers: ASGI's: pairs of bytes, the names in lower case.
        name: The header's name, bytes in lower case.

    Raises:
        ValueError: There are two such headers.
        TypeError: An argument has the wrong type.
    """

def cookie_values(
    headers: Sequence[Sequence[bytes]], name: bytes, whole: bool = False, /
) -> dict[str, str | list[str]]:
    """Return name -> value of the cookies that are looked for (RFC 6265 5.4).

    A value is a str, or a list where several came that differ.

    Args:
        headers: ASGI's: pairs of bytes, the names in lower case.
        name: Bytes: what the names begin with, after "__Secure-" or without
            it; or, if `whole` is true, the one name.
        whole: Whether `name` is all of a name.

    Raises:
        ValueError: One of them had more than eight different values.
        TypeError: An argument has the wrong type.
    """

def jwk_set_key(jwk: Mapping[str, Any], lenient: bool, /) -> Key:
    """Read the key of an entry of a JWK Set; see fastbearer.KeySet.from_jwks.

    One that names no algorithm serves those of its family (RFC 7517 4.4).

    Raises:
        InvalidKeyError: The entry breaks a rule; the message names the rule,
            and `member` the member.
    """

def session_misfit(session: object, user: object, is_row: bool, /) -> str | None:
    """Return what is wrong with a session and its user, or None.

    That is "session" or "user" where one is no dict, and else the name of
    a member that is absent, or has another type than Better Auth writes.

    Args:
        session: What has the members of a session.
        user: The same for those of a user.
        is_row: Whether they come from a table, whose columns may be empty.
    """

def jws_sign(payload: bytes, key: Key, headers: dict[str, Any] | None, /) -> str:
    """Return the compact JWS of a payload; see fastbearer.jws.sign.

    Raises:
        InvalidKeyError: The key is a public one.
        TypeError: An argument has the wrong type.
        ValueError: A header that a verifier would refuse.
    """

def jws_verify(token: str | bytes, keys: Key | Iterable[Key], /) -> bytes:
    """Return the payload of a compact JWS; see fastbearer.jws.verify.

    Raises:
        TokenError: The token was not accepted; the subclass says why.
        TypeError: The token is neither str nor bytes, or a key is not a Key.
    """

def raw_sign(message: bytes, key: Key, /) -> bytes:
    """Return the bare signature of any bytes, as a JWS has it (RFC 7518 3).

    Raises:
        InvalidKeyError: The key is a public one.
        TypeError: The message is not bytes, or the key is not a Key.
    """

def raw_verify(message: bytes, signature: bytes, key: Key, /) -> bool:
    """Return whether a bare signature is right, in constant time.

    Raises:
        TypeError: Message or signature is not bytes, or the key is not a Key.
    """

def unverified_header(token: str | bytes, /) -> dict[str, Any]:
    """Return a token's header as anybody could have written it.

    No signature is checked, so nothing in it may be trusted: it serves to
    explain a refusal, or to choose between verifiers, each of which then
    verifies for itself (RFC 8725 3.1).

    Args:
        token: A compact JWS, str or bytes.

    Raises:
        MalformedTokenError: Not three segments, or the header's JSON is not
            strict.
        TypeError: The argument is neither str nor bytes.
    """

def unverified_issuer(token: str | bytes, max_bytes: int = 16384, /) -> str | None:
    """Return the `iss` of a token's payload as anybody could have written it.

    It serves to choose the issuer whose verifier then judges the token (RFC
    8725 3.8), and nothing else: no signature is checked. None stands for a
    token that is longer than max_bytes, has not three segments, or whose
    payload is not a strict JSON object with one `iss`, a string. Padding
    is passed over, and the header is not looked at; both are the verifier's to
    judge. Linear in time.

    Raises:
        TypeError: The token is neither str nor bytes, or max_bytes no int.
    """

def base64url_bytes(text: str | bytes, /) -> bytes:
    """Return the bytes that strict base64url stands for (RFC 7515 2).

    Args:
        text: Without padding; str or bytes.

    Raises:
        MalformedTokenError: It has padding, spaces, foreign characters, or
            trailing bits that are not zero.
        TypeError: The text is neither str nor bytes.
    """

def json_object(text: str | bytes, /) -> dict[str, Any]:
    """Return the dict of a strict JSON text (RFC 8259, RFC 7493 2).

    Args:
        text: A str, or bytes in UTF-8; at most 32 levels.

    Raises:
        MalformedTokenError: It is not one object, or can be read in two ways.
        TypeError: The text is neither str nor bytes.
    """

def json_secrets(text: str | bytes, kept: list[Any], /) -> dict[str, Any]:
    """Read JSON like json_object, but keep what json_wipe() shall wipe.

    Args:
        text: As for json_object.
        kept: A list, to which its strings and dicts are added, even if the
            text is refused.

    Raises:
        MalformedTokenError: It is not one object, or can be read in two ways.
        TypeError: The text is neither str nor bytes, or kept is no list.
    """

def json_wipe(kept: list[Any], /) -> None:
    """Empty the dicts of a list, then wipe its strings that nobody else has.

    Args:
        kept: What json_secrets() has filled.

    Raises:
        TypeError: It is no list.
    """

def password_hash(
    password: str | bytes, setting: str | bytes, threads: int = 0, /
) -> str:
    """Return the hash of a password under a setting.

    Args:
        password: A str is taken as UTF-8; at most 4096 bytes.
        setting: The scheme, its costs and the salt, as `password_setting`
            writes them; the digest in it is not looked at.
        threads: Of one Argon2 hash, at most; 0 means as many as cores.

    Raises:
        InvalidHashError: The setting is malformed, of an unknown format, or
            asks for more memory or time than is allowed.
        PasswordTooLongError: Over 4096 bytes, or over 72 for bcrypt.
        PasswordError: A lone surrogate, or a NUL for bcrypt.
        TypeError: An argument is neither str nor bytes.
    """

def password_verify(
    password: str | bytes,
    hash: str | bytes,
    threads: int = 0,
    weak: bool = False,
    /,
) -> bool:
    """Return whether the password made the hash, in constant time.

    Args:
        password: A str is taken as UTF-8. What cannot be hashed never matches.
        hash: Of any supported format.
        threads: Of one Argon2 hash, at most; 0 means as many as cores.
        weak: Also verifies hashes of weak formats; they are refused otherwise.

    Raises:
        InvalidHashError: The hash is malformed, of an unknown format or of a
            weak one, or asks for more memory or time than is allowed.
        TypeError: An argument is neither str nor bytes.
    """

def password_scheme(hash: str | bytes, /) -> str:
    """Return the name of a hash's format, once its syntax and cost are checked.

    Raises:
        InvalidHashError: The hash is malformed, of an unknown format, or asks
            for more memory or time than is allowed.
        TypeError: The hash is neither str nor bytes.
    """

def password_is_sole(password: str | bytes, hash: str | bytes, /) -> bool:
    """Return whether no other password can verify as this one does.

    False where the format sees a part of the password only, or takes several
    for one: then what was typed may not be what the user once chose.

    Raises:
        InvalidHashError: The hash is malformed, of an unknown format, or asks
            for more memory or time than is allowed.
        TypeError: An argument is neither str nor bytes.
    """

def password_parts(hash: str | bytes, /) -> dict[str, Any]:
    """Return what a hash says besides its bytes, as password_setting takes it.

    Returns:
        `scheme` and `kind`, which are str; `is_weak`, a bool; and the costs
        and sizes, which are int: `memory_cost` in KiB, `salt_size` and
        `digest_size` in bytes. What a format does not say is 0.

    Raises:
        InvalidHashError: The hash is malformed, of an unknown format, or asks
            for more memory or time than is allowed.
        TypeError: The hash is neither str nor bytes.
    """

def password_setting(
    scheme: str,
    salt: str | bytes,
    /,
    *,
    rounds: int = 0,
    memory_cost: int = 0,
    parallelism: int = 1,
    block_size: int = 8,
    digest_size: int = 32,
    version: int = 0,
    kind: str = "",
) -> str:
    """Return nobody's hash: these costs, this salt, and a digest of zeros.

    To hash under; or, at the same cost, to verify where there is no user.

    Args:
        scheme: The format's name, such as "argon2id".
        salt: Bytes; or ASCII text where a format keeps it as it is.
        rounds: Argon2's passes, PBKDF2's iterations, scrypt's N, or bcrypt's
            cost, of which the hash takes 2 ** rounds steps.
        memory_cost: Argon2's memory in KiB.
        parallelism: Lanes of Argon2, or scrypt's p.
        block_size: scrypt's r.
        digest_size: Bytes of the digest.
        version: The format's, where it has several.
        kind: Which one of a format that has several kinds, such as "2b".

    Raises:
        InvalidHashError: There is no such format, or a cost or a size is out
            of its range.
        TypeError: An argument has the wrong type.
    """

def password_rest(seconds: int, /) -> int:
    """Give back the memory that no hash has used for that many seconds.

    It returns how many pieces of memory are still kept.
    """

def in_slot(
    slots: SimpleQueue[Any],
    threads: set[int],
    work: Callable[..., _T],
    args: tuple[Any, ...],
    /,
) -> _T:
    """Return what work(*args) returns, which is done in a slot.

    The slot is given back whatever the work raises, at whatever moment a
    signal's handler does, and without memory. A thread that is in a slot
    needs no other one.

    Args:
        slots: A queue of what is free, such as a SimpleQueue: get() waits for
            a slot, and put() gives it back.
        threads: A set of the numbers of the threads that are in a slot.
        work: What is called.
        args: A tuple.

    Raises:
        AttributeError: The queue has no put(), or no get().
        TypeError: An argument has the wrong type.
    """
