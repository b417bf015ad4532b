"""Tokens: fastbearer beside its peers, in one process.

Every case of a table runs in every round, in turn, and the least time of all
rounds counts: the machine may be shared, the ratios hold. Keys are loaded, each
peer is called in its fastest documented way with the same checks (signature,
exp, and aud and iss where the token has them), and all answers are compared
before anything is timed. Peers that are not installed are named and left out.

    python benchmarks/tokens.py [--rounds N] [--json FILE]
"""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    # The project, not this folder, whose http.py is not Python's package.
    sys.path[0] = str(Path(__file__).parent.parent)

import argparse
import importlib
import importlib.metadata
import json
import os
import platform
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import cycle, islice
from typing import Any

from fastbearer import Key, Signer, Verifier, _core

SECRET = "q7Wn3VfB0sXcE5rT9yUiK2mLhJ8gDzA4pO6vNxCbQwY"
ISSUER, AUDIENCE = "https://id.example.com/realms/main", "https://api.example.com"
IAT, EXP = 1_795_483_104, 4_102_444_800
DISTINCT = 400
CALLS = 400  # in one timing

Claims = dict[str, Any]
Call = Callable[[Any], Any]


@dataclass(frozen=True)
class Token:
    """A kind of token: its claims, and how long it is under HS256, if that is told."""

    name: str
    size: int | None
    claims: Callable[[int], Claims]
    checks: dict[str, str]


@dataclass(frozen=True)
class Peer:
    """What a library offers for one key and one kind of token."""

    name: str
    verify: Call | None
    sign: Call | None


def own_claims(n: int) -> Claims:
    """Return what ``generate_jwt_token`` signs, for the n-th user."""
    user = f"user-{n:06d}"
    return {
        "sub": user,
        "user_id": user,
        "email": f"a{n:05d}@exa.io",
        "iat": IAT,
        "exp": EXP,
    }


def provider_claims(n: int) -> Claims:
    """Return what identity providers sign, for the n-th user."""
    return {
        "iss": ISSUER,
        "sub": f"0f1e2d3c-4b5a-6978-8796-a5b4c3{n:06d}",
        "aud": [AUDIENCE, "account"],
        "azp": "web-frontend",
        "exp": EXP,
        "iat": IAT,
        "jti": f"8a7b6c5d-4e3f-4a1b-9c8d-7e6f5a{n:06d}",
        "typ": "Bearer",
        "email": f"ada.lovelace.{n:06d}@example.com",
        "email_verified": True,
        "name": "Augusta Ada King Lovelace",
        "realm_access": {"roles": ["admin", "user"]},
        "resource_access": {"account": {"roles": ["view-profile"]}},
        "scope": "openid profile email",
        "tid": f"tenant{n:06d}",
    }


def unknown_claims(n: int) -> Claims:
    """Return claims whose names are in no list of usual ones, for the n-th user."""
    return {
        "sub": f"user-{n:06d}",
        "exp": EXP,
        "iat": IAT,
        "x_shop": "north",
        "x_basket_id": f"b{n:06d}",
        "x_flags": 7,
        "x_level_name": "gold",
        "x_started_by": "web",
        "x_partner_code": "none",
    }


def mixed_claims(n: int) -> Claims:
    """Return claims of one of three shapes, as a service of several issuers gets."""
    if n % 3 == 0:
        return own_claims(n)
    if n % 3 == 1:
        return unknown_claims(n)
    claims = provider_claims(n)
    del claims["aud"]  # which has to be expected, or is refused
    return claims


TOKENS = (
    Token("own", 219, own_claims, {}),
    Token("provider", 745, provider_claims, {"iss": ISSUER, "aud": AUDIENCE}),
    Token("unknown names", None, unknown_claims, {}),
    Token("mixed shapes", None, mixed_claims, {}),
)


# --- peers: name -> what makes its calls ----------------------------------------


def fastbearer_calls(algorithm: str, key: Key, token: Token) -> Peer:
    public = key if algorithm.startswith("HS") else key.public()
    options = {"issuer": token.checks.get("iss"), "audience": token.checks.get("aud")}
    verifier = Verifier(public, **options)
    return Peer("fastbearer", verifier.verify, Signer(key).sign)


def cached_calls(algorithm: str, key: Key, token: Token) -> Peer:
    options = {"issuer": token.checks.get("iss"), "audience": token.checks.get("aud")}
    public = key if algorithm.startswith("HS") else key.public()
    verifier = Verifier(public, cache=1000, **options)
    return Peer("fastbearer, cache", verifier.verify, None)


def ryjwt_calls(algorithm: str, key: Key, token: Token) -> Peer:
    import ryjwt

    options: dict[str, Any] = {"algorithms": [algorithm]}
    options |= {"issuer": ISSUER, "audience": AUDIENCE} if token.checks else {}
    if algorithm.startswith("HS"):
        secret = ryjwt.SecretKey(SECRET, **options)
        return Peer("ryjwt", secret.decode, secret.encode)
    public = ryjwt.PublicKey(key.public().to_pem().encode(), **options)
    private = ryjwt.PrivateKey(
        key.to_pem(private=True).encode(), algorithms=[algorithm]
    )
    return Peer("ryjwt", public.decode, private.encode)


def pyjwt_calls(algorithm: str, key: Key, token: Token) -> Peer:
    import jwt

    jwk = key.to_jwk(private=True)
    private = jwt.PyJWK(jwk, algorithm)
    shown = jwk if algorithm.startswith("HS") else key.public().to_jwk()
    checks: dict[str, Any] = {"options": {"require": ["exp", *token.checks]}}
    checks |= {"issuer": ISSUER, "audience": AUDIENCE} if token.checks else {}
    decode = partial(
        jwt.PyJWT().decode, key=jwt.PyJWK(shown, algorithm), algorithms=[algorithm]
    )
    encode = partial(jwt.PyJWT().encode, key=private, algorithm=algorithm)
    return Peer("PyJWT", partial(decode, **checks), encode)


def python_jose_calls(algorithm: str, key: Key, token: Token) -> Peer | None:
    from jose import jwk, jwt

    if not algorithm.startswith(("HS", "RS", "ES256")):
        return None
    private = SECRET if algorithm.startswith("HS") else key.to_pem(private=True)
    public = SECRET if algorithm.startswith("HS") else key.public().to_pem()
    required = {f"require_{name}": True for name in ("exp", *token.checks)}
    checks: dict[str, Any] = {"options": required}
    checks |= {"issuer": ISSUER, "audience": AUDIENCE} if token.checks else {}
    decode = partial(
        jwt.decode, key=jwk.construct(public, algorithm), algorithms=[algorithm]
    )
    encode = partial(
        jwt.encode, key=jwk.construct(private, algorithm), algorithm=algorithm
    )
    return Peer("python-jose", partial(decode, **checks), encode)


def joserfc_calls(algorithm: str, key: Key, token: Token) -> Peer | None:
    from joserfc import jwk, jwt
    from joserfc.jws import JWSRegistry

    # joserfc has RFC 9864's name, and warns about the older one
    name = "Ed25519" if algorithm == "EdDSA" else algorithm
    members = key.to_jwk(private=True) | {"alg": name}
    loaded = jwk.import_key(members)
    registry = JWSRegistry(algorithms=[name, algorithm])
    rules: dict[str, Any] = {
        name: {"essential": True, "value": value}
        for name, value in token.checks.items()
    }
    claims = jwt.JWTClaimsRegistry(exp={"essential": True}, **rules)

    def verify(token: str) -> Claims:
        decoded = jwt.decode(token, loaded, algorithms=[name], registry=registry)
        claims.validate(decoded.claims)
        return decoded.claims

    def sign(claims: Claims) -> str:
        return jwt.encode({"alg": name}, claims, loaded, [name], registry=registry)

    if name != algorithm:
        return None
    return Peer("joserfc", verify, sign)


PEERS: dict[str, Callable[[str, Key, Token], Peer | None]] = {
    "fastbearer": fastbearer_calls,
    "cache": cached_calls,
    "ryjwt": ryjwt_calls,
    "jose": python_jose_calls,
    "jwt": pyjwt_calls,
    "joserfc": joserfc_calls,
}
PACKAGES = {"ryjwt": "ryjwt", "jose": "python-jose", "jwt": "PyJWT"} | {
    name: name for name in ("joserfc", "orjson", "cryptography")
}


def floor(token: Token) -> Peer:
    """Return what reading and writing the same JSON costs, without a token."""
    import orjson

    return Peer("orjson", orjson.loads, orjson.dumps)


# --- marks: (algorithm, operation, token) -> peer -> least or greatest ratio ------

AT_LEAST = {  # how many times as fast as the peer
    ("HS256", "python-jose"): 20.0,
    ("RS256", "PyJWT"): 3.0,
    ("ES256", "PyJWT"): 1.5,
    ("EdDSA", "PyJWT"): 1.25,
}
AT_MOST = {  # of the peer's time
    ("HS256", "verify", "own", "ryjwt"): 0.55,
    ("HS256", "verify", "provider", "ryjwt"): 0.59,
    ("HS256", "verify", "unknown names", "ryjwt"): 0.6,
    ("HS256", "sign", "own", "ryjwt"): 0.68,
    ("HS256", "sign", "provider", "ryjwt"): 0.64,
    ("HS256", "verify", "own", "orjson"): 2.5,
    ("HS256", "verify", "provider", "orjson"): 2.5,
    ("RS256", "verify", "own", "ryjwt"): 1.12,
    ("ES256", "verify", "own", "ryjwt"): 1.27,
    ("EdDSA", "verify", "own", "ryjwt"): (
        1.3 if _core.ed25519_engine == "libsodium" else 2.9
    ),
}


def mark(algorithm: str, operation: str, token: str, peer: str, ratio: float) -> str:
    """Return what the mark is and whether it is reached, if there is one."""
    least = AT_LEAST.get((algorithm, peer))
    if least is not None and (operation == "verify" or algorithm == "HS256"):
        return f"{'reached' if 1 / ratio >= least else 'MISSED'} (>= {least:g}x)"
    most = AT_MOST.get((algorithm, operation, token, peer))
    if most is None:
        return ""
    return f"{'reached' if ratio <= most else 'MISSED'} (<= {most:g})"


# --- timing -----------------------------------------------------------------------


def time_call(call: Call, arguments: list[Any]) -> float:
    """Return the seconds of one pass over the arguments, in a plain loop."""
    start = time.perf_counter()
    for argument in arguments:
        call(argument)
    return (time.perf_counter() - start) / len(arguments)


def race(calls: dict[str, tuple[Call, list[Any]]], rounds: int) -> dict[str, float]:
    """Return the least µs per call of each, taking turns."""
    best = dict.fromkeys(calls, float("inf"))
    for _ in range(rounds):
        for name, (call, arguments) in calls.items():
            best[name] = min(best[name], time_call(call, arguments))
    return {name: seconds * 1e6 for name, seconds in best.items()}


def repeated(values: list[Any], distinct: int) -> list[Any]:
    return list(islice(cycle(values[:distinct]), CALLS))


# --- one table ----------------------------------------------------------------------


def peers_of(algorithm: str, key: Key, token: Token) -> Iterator[Peer]:
    for module, make in PEERS.items():
        if module in PACKAGES and not is_installed(module):
            continue
        peer = make(algorithm, key, token)
        if peer is not None:
            yield peer


def is_installed(module: str) -> bool:
    try:
        importlib.import_module(module)
    except ImportError:
        return False
    return True


def compare_answers(peers: list[Peer], tokens: list[str], claims: list[Claims]) -> None:
    """Stop where a peer reads or writes another thing than the others."""
    for peer in peers:
        for token, expected in zip(tokens, claims, strict=True):
            if peer.verify is not None and peer.verify(token) != expected:
                raise SystemExit(f"{peer.name} reads other claims")
        if peer.sign is not None:
            signed = peer.sign(dict(claims[0]))
            if peers[0].verify is not None and peers[0].verify(signed) != claims[0]:
                raise SystemExit(f"{peer.name} signs other claims")


def check_refusals(peers: list[Peer], key: Key, token: Token) -> None:
    """Stop where a peer takes a bad token; name one that lacks only a check."""
    claims = token.claims(0)
    signer = Signer(key)
    good = signer.sign(claims)
    flipped = "A" if good[-10] != "A" else "B"
    bad = {
        "a changed signature": good[:-10] + flipped + good[-9:],
        "an expired token": signer.sign({**claims, "exp": 1}),
    }
    lacking = {
        f"a token without {name}": signer.sign(
            {key: value for key, value in claims.items() if key != name}
        )
        for name in ("exp", *token.checks)
    }
    for peer in peers:
        if peer.verify is None:
            continue
        for what, text in bad.items():
            if takes(peer.verify, text):
                raise SystemExit(f"{peer.name} takes {what}")
        for what, text in lacking.items():
            if takes(peer.verify, text):
                print(f"  note: {peer.name} takes {what}: it does less")


def takes(verify: Call, token: str) -> bool:
    try:
        verify(token)
    except Exception:
        return False
    return True


def measure(algorithm: str, token: Token, rounds: int) -> Iterator[dict[str, Any]]:
    """Yield a row for each operation, number of distinct inputs and peer."""
    is_hmac = algorithm.startswith("HS")
    key = Key.from_secret(SECRET, algorithm) if is_hmac else Key.generate(algorithm)
    claims = [token.claims(n) for n in range(DISTINCT)]
    tokens = [Signer(key).sign(one) for one in claims]
    if algorithm == "HS256" and token.size not in (None, len(tokens[0])):
        raise SystemExit(f"the {token.name} token has {len(tokens[0])} bytes")
    peers = list(peers_of(algorithm, key, token))
    compare_answers(peers, tokens, claims)
    check_refusals(peers, key, token)
    texts = [json.dumps(one, separators=(",", ":")).encode() for one in claims]
    for distinct in (1, DISTINCT):
        for operation in ("verify", "sign"):
            inputs = repeated(tokens if operation == "verify" else claims, distinct)
            calls = {
                peer.name: (call, inputs)
                for peer in peers
                if (call := getattr(peer, operation)) is not None
            }
            if is_hmac and is_installed("orjson"):
                plain = repeated(texts if operation == "verify" else claims, distinct)
                calls["orjson"] = (getattr(floor(token), operation), plain)
            for name, µs in race(calls, rounds).items():
                yield {
                    "algorithm": algorithm,
                    "token": token.name,
                    "bytes": len(tokens[0]),
                    "operation": operation,
                    "distinct": distinct,
                    "peer": name,
                    "µs": round(µs, 3),
                }


# --- large tokens ---------------------------------------------------------------


def scopes(room: int) -> Claims:
    return {"scopes": [f"scope:{n:05d}:write" for n in range(room // 20)]}


def rows_of(room: int) -> Claims:
    some = range(room // 58)
    return {"rows": [{"id": n, "name": f"item {n:05d}", "ok": True} for n in some]}


LARGE: dict[str, Callable[[int], Claims]] = {
    "many keys": lambda room: {
        f"claim_{n:05d}": f"{n:011d}" for n in range(room // 29)
    },
    "a list of scopes": scopes,
    "a list of dicts": rows_of,
    "a list of numbers": lambda room: {"xs": [0.1 + n / 7 for n in range(room // 19)]},
    "one long string": lambda room: {"text": "x" * room},
}
LARGE_AT_MOST = {"a list of scopes": 0.9}  # of ryjwt's time; others 1


def large_claims(shape: str, size: int) -> Claims:
    """Return claims of a kind of LARGE, whose token has about so many bytes."""
    return {"sub": "user-1", "exp": EXP} | LARGE[shape](size * 3 // 4 - 100)


def measure_large(rounds: int) -> None:
    """Print verify and sign of about 2 kB and 20 kB, in several shapes, by ryjwt's."""
    key = Key.from_secret(SECRET)
    calls = {"verify": {"fastbearer": Verifier(key, max_bytes=65536).verify}}
    calls["sign"] = {"fastbearer": Signer(key).sign}
    if is_installed("ryjwt"):
        import ryjwt

        secret = ryjwt.SecretKey(SECRET, algorithms=["HS256"])
        calls["verify"]["ryjwt"], calls["sign"]["ryjwt"] = secret.decode, secret.encode
    for shape, size in ((shape, size) for shape in LARGE for size in (2000, 20_000)):
        claims = large_claims(shape, size)
        text = Signer(key).sign(claims)
        for operation, peers in calls.items():
            for call in calls["verify"].values():
                for sign in calls["sign"].values():
                    if call(sign(claims)) != claims:
                        raise SystemExit(f"other claims: {shape}")
            given = [text if operation == "verify" else claims] * 20
            found = race({name: (call, given) for name, call in peers.items()}, rounds)
            told = beside(
                found, LARGE_AT_MOST.get(shape, 1) if operation == "verify" else 1
            )
            print(f"  {operation:6} {shape:18} {len(text):6} B {told}")


def beside(found: dict[str, float], most: float) -> str:
    """Return our time, and its ratio to ryjwt's where that is installed."""
    told = f"{found['fastbearer']:8.3f} µs"
    if "ryjwt" in found:
        ratio = found["fastbearer"] / found["ryjwt"]
        verdict = "reached" if ratio <= most else "MISSED"
        told += f"  {ratio:5.2f} of ryjwt's  {verdict} (<= {most:g})"
    return told


# --- refused tokens -------------------------------------------------------------


def refused(verify: Call) -> Call:
    """Return a call that verifies and handles the error, as an application does."""

    def call(token: str) -> bool:
        try:
            verify(token)
        except Exception:
            return False
        raise SystemExit("a bad token is taken")

    return call


def measure_refused(rounds: int) -> None:
    """Print what a refused token costs, beside ryjwt.

    The verifier has taken a good token before, as any that is in use.
    """
    key = Key.from_secret(SECRET)
    verifier = Verifier(key)
    calls = {"fastbearer": refused(verifier.verify)}
    if is_installed("ryjwt"):
        import ryjwt

        decode = ryjwt.SecretKey(SECRET, algorithms=["HS256"]).decode
        calls["ryjwt"] = refused(decode)
    good = Signer(key).sign(own_claims(0))
    verifier.verify(good)
    wrong = f"{good[:-10]}{'A' if good[-10] != 'A' else 'B'}{good[-9:]}"
    expired = Signer(key).sign(own_claims(0) | {"exp": 1})
    bad = {
        "malformed": ("not.atoken", 0.55),
        "bad signature": (wrong, 0.65),
        "expired": (expired, 0.7),
    }
    for what, (token, most) in bad.items():
        given = {name: (call, [token] * CALLS) for name, call in calls.items()}
        print(f"  {what:14} {beside(race(given, rounds), most)}")


def measure_cache(rounds: int) -> None:
    """Print a repeated token of each algorithm beside HS256's verify."""
    claims = TOKENS[0].claims(0)
    calls: dict[str, tuple[Call, list[Any]]] = {}
    for algorithm in ("HS256", "RS256", "ES256", "EdDSA"):
        key = Key.generate(algorithm)
        is_hmac = algorithm == "HS256"
        verifier = Verifier(key) if is_hmac else Verifier(key.public(), cache=1000)
        calls[algorithm] = (verifier.verify, [Signer(key).sign(claims)] * CALLS)
    found = race(calls, rounds)
    for algorithm, µs in found.items():
        ratio = µs / found["HS256"]
        verdict = "reached" if ratio <= 1.4 else "MISSED"
        print(f"  {algorithm:6} {µs:6.3f} µs  {ratio:5.2f}  {verdict} (<= 1.4)")


def measure_import(rounds: int) -> None:
    """Print what ``import fastbearer`` costs beside ``import typing``."""
    clock = "time.perf_counter()"
    code = f"import time; start = {clock}; import {{}}; print({clock} - start)"
    least = {"typing": float("inf"), "fastbearer": float("inf")}
    for _ in range(rounds):
        for module in least:
            command = [sys.executable, "-c", code.format(module)]
            taken = float(subprocess.check_output(command))
            least[module] = min(least[module], taken)
    ratio = least["fastbearer"] / least["typing"]
    verdict = "reached" if ratio <= 2 else "MISSED"
    shown = ", ".join(f"{name} {taken * 1000:.1f} ms" for name, taken in least.items())
    print(f"  {shown}: {ratio:.2f}  {verdict} (<= 2)")


def show(rows: list[dict[str, Any]]) -> None:
    """Print a table of one algorithm and token: µs, and ours over theirs."""
    first = rows[0]
    print(f"\n{first['algorithm']}, {first['token']} token, {first['bytes']} bytes")
    ours: float = 0
    for row in rows:
        if row["peer"] == "fastbearer":
            ours = row["µs"]
            which = "one" if row["distinct"] == 1 else f"{DISTINCT} distinct"
            print(f"  {row['operation']}, {which}")
        ratio = ours / row["µs"]
        keys = (row["algorithm"], row["operation"], row["token"], row["peer"])
        verdict = "" if row["peer"] == "fastbearer" else mark(*keys, ratio)
        faster = f"{ratio:6.2f} of it = {1 / ratio:5.1f}x"
        print(f"    {row['peer']:18} {row['µs']:9.3f} µs  {faster}  {verdict}")


def describe() -> None:
    """Print what is measured, and on what."""
    model = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    print(f"fastbearer {importlib.metadata.version('fastbearer')} {_core.__file__}")
    path = os.environ.get("FASTBEARER_HMAC") or "SHA-2 by value, if it agrees"
    print(f"HMAC: {path}")
    print(f"Python {platform.python_version()}, {_core.libcrypto_version}")
    print(f"{len(model)} x {model[0] if model else platform.machine()}")
    for module, package in PACKAGES.items():
        if is_installed(module):
            print(f"  {package} {importlib.metadata.version(package)}")
        else:
            print(f"  {package} IS MISSING: its rows and marks are left out")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--algorithms", nargs="*", default=["HS256"])
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    describe()
    rows: list[dict[str, Any]] = []
    for algorithm in options.algorithms:
        rounds = options.rounds if algorithm.startswith("HS") else options.rounds // 6
        for token in TOKENS:
            table = list(measure(algorithm, token, max(rounds, 3)))
            show(table)
            rows += table
    print("\nHS256 of large tokens")
    measure_large(max(options.rounds, 3))
    print("\nHS256 verify of tokens that are refused")
    measure_refused(max(options.rounds, 3))
    print("\na repeated token, remembered, beside HS256")
    measure_cache(max(options.rounds, 3))
    print("\nimport")
    measure_import(max(options.rounds // 4, 5))
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1, ensure_ascii=False))


if __name__ == "__main__":
    sys.exit(main())
