"""Proofs of possession, one rule of RFC 9449 4.3 after the other."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import math
import warnings
from collections.abc import Callable
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import ECKey, JWKRegistry, OctKey, OKPKey, RSAKey

from fastbearer import Key
from fastbearer._core import raw_sign
from fastbearer.errors import (
    BoundTokenError,
    ConfigurationError,
    InvalidProofError,
    StoreUnavailableError,
)
from fastbearer.fastapi.dpop import DPoP, Proofs
from fastbearer.fastapi.replays import MemoryReplays
from fastbearer.fastapi.requested_url import normalised
from project import ROOT

REASONS = frozenset(
    (
        *("no_proof", "unbound", "other_binding", "other_key", "proof_missing"),
        *("two_proofs", "proof_too_long", "proof_key", "proof_alg", "proof_claim"),
        *("proof_jti", "proof_htm", "proof_htu", "proof_iat", "proof_ath"),
        *("proof_replayed", "nonce_missing", "nonce_unknown"),
    )
)
"""Why a token or its proof was refused; beside them are those of a JWT that is not
good, like "proof_signature_wrong": the core's own after "proof_"."""

OF_JWTS = (ROOT / "tests" / "core" / "reasons.txt").read_text().split()
NOW = 1_800_000_000
TOKEN = "eyJhbGciOiJFUzI1NiJ9.e30.c2ln"
URL = "https://api.example.com/tasks"
KEY = ECKey.generate_key("P-256", private=True)


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def ath(token: str = TOKEN) -> str:
    return b64(hashlib.sha256(token.encode()).digest())


def proof(
    key: Any = KEY, alg: str = "ES256", *, header: Any = None, **claims: Any
) -> str:
    """Return a proof as a client would make it with joserfc; None leaves out."""
    payload = {"jti": "one", "htm": "GET", "htu": URL, "iat": NOW, "ath": ath()}
    payload = {k: v for k, v in {**payload, **claims}.items() if v is not None}
    public = key.as_dict(private=False)
    members = {"typ": "dpop+jwt", "alg": alg, "jwk": public, **(header or {})}
    members = {k: v for k, v in members.items() if v is not None}
    registry = jws.JWSRegistry(algorithms=[alg], strict_check_header=False)
    text = json.dumps(payload).encode()
    return jws.serialize_compact(members, text, key, registry=registry)


def handmade(header: dict[str, Any], key: Any = KEY) -> str:
    """Return a proof with a header that joserfc would not write."""
    usual = {"typ": "dpop+jwt", "alg": "ES256", "jwk": KEY.as_dict(private=False)}
    payload = proof().split(".")[1]
    message = f"{b64(json.dumps({**usual, **header}).encode())}.{payload}"
    signer = Key.from_jwk(key.as_dict(private=True))
    return f"{message}.{b64(raw_sign(message.encode(), signer))}"


def bound(key: Any = KEY) -> dict[str, Any]:
    return {"sub": "u1", "cnf": {"jkt": key.thumbprint()}}


def scope(*proofs: str, method: str | None = "GET", **more: Any) -> dict[str, Any]:
    headers = [(b"host", b"api.example.com")]
    headers += [(b"dpop", text.encode("latin-1")) for text in proofs]
    found: dict[str, Any] = {
        "type": "http",
        "scheme": "https",
        "headers": headers,
        "root_path": "",
        "path": "/tasks",
        "raw_path": b"/tasks",
        "query_string": b"a=b",
        **more,
    }
    if method is not None:
        found["method"] = method
    return found


def check(
    *proofs: str,
    dpop: DPoP | None = None,
    claims: dict[str, Any] | None = None,
    clock: Callable[[], float] = lambda: NOW,
    token: str = TOKEN,
    origin: str | None = None,
    **more: Any,
) -> None:
    checker = Proofs(dpop or DPoP(), origin=origin, clock=clock)
    asyncio.run(checker.check(scope(*proofs, **more), token, claims or bound()))


def refusal(*proofs: str, **more: Any) -> str:
    with pytest.raises((InvalidProofError, BoundTokenError)) as raised:
        check(*proofs, **more)
    reason = raised.value.reason
    assert reason is not None
    assert reason in REASONS or reason.removeprefix("proof_") in OF_JWTS
    return reason


KEYS = {
    "ES256": ECKey.generate_key("P-256"),
    "ES384": ECKey.generate_key("P-384"),
    "ES512": ECKey.generate_key("P-521"),
    "EdDSA": OKPKey.generate_key("Ed25519"),
    "Ed25519": OKPKey.generate_key("Ed25519"),
    "RS256": RSAKey.generate_key(2048),
    "PS256": RSAKey.generate_key(2048),
}


@pytest.mark.parametrize("alg", KEYS)
def test_a_client_with_a_key_of_each_kind(alg: str) -> None:
    key = KEYS[alg]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # joserfc says that EdDSA has another name now
        text = proof(key, alg)
    check(text, claims=bound(key))


RFC_PROOF = (
    "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZy"
    "aHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpi"
    "VFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiJlMWozVl9"
    "iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9"
    "wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05"
    "yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1ple"
    "mAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA"
)
RFC_TOKEN = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"
RFC_THUMBPRINT = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"


def test_the_request_of_rfc_9449_7_1() -> None:
    check(
        RFC_PROOF,
        claims={"cnf": {"jkt": RFC_THUMBPRINT}},
        token=RFC_TOKEN,
        clock=lambda: 1562262618,
        origin="https://resource.example.org",
        path="/protectedresource",
        raw_path=b"/protectedresource",
    )


@pytest.mark.parametrize("clock", [1562262612, 1562262679])
def test_the_request_of_rfc_9449_7_1_at_another_time(clock: int) -> None:
    reason = refusal(
        RFC_PROOF,
        claims={"cnf": {"jkt": RFC_THUMBPRINT}},
        token=RFC_TOKEN,
        clock=lambda: clock,
        origin="https://resource.example.org",
        path="/protectedresource",
        raw_path=b"/protectedresource",
    )
    assert reason == "proof_iat"


def test_a_request_without_a_proof() -> None:
    assert refusal() == "proof_missing"


def test_a_request_with_two_proofs() -> None:
    assert refusal(proof(jti="a"), proof(jti="b")) == "two_proofs"


def test_two_proofs_that_a_proxy_has_joined() -> None:
    assert refusal(f"{proof(jti='a')}, {proof(jti='b')}").startswith("proof_")


@pytest.mark.parametrize("text", ["", ".", "..", "a.b.c", "é.é.é", "e30.e30.e30", "\0"])
def test_what_is_not_a_jwt(text: str) -> None:
    assert refusal(text).startswith("proof_")


def test_a_proof_that_is_too_long() -> None:
    assert refusal(proof(more="x" * 4096)) == "proof_too_long"


@pytest.mark.parametrize("name", ["jti", "htm", "htu", "iat", "ath"])
@pytest.mark.parametrize("value", [None, 7.5, "", ["a"], {}, True])
def test_a_claim_that_is_missing_or_of_another_type(name: str, value: object) -> None:
    if (name, value) == ("iat", 7.5):
        value = "7"
    assert refusal(proof(**{name: value})).startswith("proof_")


@pytest.mark.parametrize("typ", [None, "JWT", "at+jwt", "dpop", ""])
def test_a_token_of_another_type_is_not_a_proof(typ: str | None) -> None:
    assert refusal(proof(header={"typ": typ})).startswith("proof_")


def test_the_type_written_as_a_whole_media_type() -> None:
    check(proof(header={"typ": "application/dpop+jwt"}))
    check(proof(header={"typ": "DPoP+JWT"}))


def test_an_algorithm_that_is_not_accepted() -> None:
    strict = DPoP(algorithms=["PS256"])
    assert refusal(proof(), dpop=strict) == "proof_alg"
    rs512 = proof(KEYS["RS256"], "RS512")
    assert refusal(rs512, claims=bound(KEYS["RS256"])) == "proof_alg"


def test_a_proof_made_with_a_shared_secret() -> None:
    """The jwk of an "oct" key would be a key that everybody knows."""
    key = OctKey.import_key({"kty": "oct", "k": b64(b"x" * 32)})
    text = proof(key, "HS256", header={"jwk": {"kty": "oct", "k": b64(b"x" * 32)}})
    assert refusal(text) == "proof_alg"


def test_a_proof_with_a_public_key_as_secret() -> None:
    header = {"typ": "dpop+jwt", "alg": "HS256", "jwk": KEY.as_dict(private=False)}
    message = f"{b64(json.dumps(header).encode())}.{proof().split('.')[1]}"
    mac = hmac.digest(KEY.as_pem(private=False), message.encode(), "sha256")
    assert refusal(f"{message}.{b64(mac)}") == "proof_alg"


def test_an_unsigned_proof() -> None:
    header = {"typ": "dpop+jwt", "alg": "none", "jwk": KEY.as_dict(private=False)}
    _, payload, _ = proof().split(".")
    text = f"{b64(json.dumps(header).encode())}.{payload}."
    assert refusal(text) == "proof_alg"


@pytest.mark.parametrize("member", ["d", "p", "k", "oth"])
def test_a_proof_with_a_private_key_in_it(member: str) -> None:
    leaked = {**KEY.as_dict(private=False), member: KEY.as_dict(private=True)["d"]}
    assert refusal(proof(header={"jwk": leaked})) == "proof_key"


@pytest.mark.parametrize(
    "jwk", [None, "x", [], {}, {"kty": "EC"}, {"kty": "RSA", "n": "AQAB", "e": "AQAB"}]
)
def test_a_proof_without_a_usable_key(jwk: object) -> None:
    assert refusal(handmade({"jwk": jwk})) == "proof_key"


def test_a_key_on_another_curve_than_the_algorithm() -> None:
    text = proof(header={"jwk": KEYS["ES384"].as_dict(private=False)})
    assert refusal(text) == "proof_key"


def test_a_signature_of_another_key() -> None:
    """The thief has token and public key of the victim, and no private key."""
    thief = ECKey.generate_key("P-256")
    text = proof(thief, header={"jwk": KEY.as_dict(private=False)})
    assert refusal(text) == "proof_signature_wrong"


def test_a_proof_of_the_thief_s_own_key() -> None:
    thief = ECKey.generate_key("P-256")
    assert refusal(proof(thief)) == "other_key"


def test_a_changed_proof() -> None:
    header, _, signature = proof().split(".")
    payload = proof(htm="DELETE").split(".")[1]
    text = f"{header}.{payload}.{signature}"
    assert refusal(text, method="DELETE") == "proof_signature_wrong"


def test_a_proof_with_a_critical_member_nobody_knows() -> None:
    assert refusal(handmade({"crit": ["x"], "x": 1})).startswith("proof_")


def test_a_proof_for_another_method() -> None:
    assert refusal(proof(htm="POST")) == "proof_htm"
    assert refusal(proof(htm="get")) == "proof_htm"
    check(proof(htm="POST"), method="POST")


def test_a_websocket_begins_as_a_get() -> None:
    socket = {"method": None, "type": "websocket", "scheme": "wss"}
    for url in (URL, URL.replace("https", "wss")):
        check(proof(htu=url), **socket)
    assert refusal(proof(htu=URL.replace("https", "ws")), **socket) == "proof_htu"


SAME = [
    *(URL, "HTTPS://API.Example.COM/tasks", "https://api.example.com:443/tasks"),
    *(f"{URL}?a=b", f"{URL}?x=/y", f"{URL}#top", "https://api.example.com/%74asks"),
]
OTHERS = [
    *("", "/tasks", "api.example.com/tasks", "http://api.example.com/tasks"),
    *("https://api.example.com:8443/tasks", "https://evil.example/tasks"),
    *("https://api.example.com/tasks/", "https://api.example.com/Tasks"),
    *("https://api.example.com", "https://api.example.com/tasks%2F"),
    *("https://user@api.example.com/tasks", "https://api.example.com\\/tasks"),
    *("https://api.example.com.evil.example/tasks", "https://api.example.com/tasks;a"),
    *("javascript:alert(1)", "https://[::1]/tasks", "https:///tasks", "é"),
    "https://api.example.com/x/../tasks",
]


@pytest.mark.parametrize("url", SAME)
def test_the_url_of_the_request_in_another_spelling(url: str) -> None:
    check(proof(htu=url))


@pytest.mark.parametrize("url", OTHERS)
def test_the_url_of_another_request(url: str) -> None:
    assert refusal(proof(htu=url)) in ("proof_htu", "proof_claim")


def test_a_path_with_escapes() -> None:
    text = proof(htu="https://api.example.com/a%20b/%C3%A9/~x")
    for raw in (b"/a%20b/%c3%a9/%7Ex", None):  # ASGI lets a server leave it out
        check(text, path="/a b/é/~x", raw_path=raw)


def raw_path(path: str, root: str) -> dict[str, Any]:
    return {"path": path, "raw_path": path.encode(), "root_path": root}


@pytest.mark.parametrize("path", ["/tasks", "/v1/tasks"])
def test_after_a_proxy_that_cuts_a_prefix(path: str) -> None:
    """FastAPI's root_path leaves the path alone; uvicorn's is put before it."""
    url = "https://api.example.com/v1/tasks"
    check(proof(htu=url), **raw_path(path, "/v1"))
    based = DPoP(base_url="https://api.example.com/v1/")
    check(proof(htu=url), dpop=based, **raw_path(path, "/v1"))
    plain = {"scheme": "http", **raw_path("/tasks", "")}
    check(proof(htu=url, jti="two"), dpop=based, **plain)
    assert refusal(proof(), dpop=based, **raw_path(path, "/v1")) == "proof_htu"


def test_within_a_mounted_application() -> None:
    mounted = {**raw_path("/v1/tasks", "/v1"), "app_root_path": ""}
    check(proof(htu="https://api.example.com/v1/tasks"), **mounted)
    both = {**raw_path("/tasks/x", "/proxy/tasks"), "app_root_path": "/proxy"}
    check(proof(htu="https://api.example.com/proxy/tasks/x"), **both)


def test_the_configured_url_counts_whatever_the_host_header_says() -> None:
    """Otherwise a proof for another service would do, if only its name is sent."""
    evil = {"headers": [(b"host", b"evil.example"), (b"dpop", b"")]}
    text = proof(htu="https://evil.example/tasks")
    evil["headers"][1] = (b"dpop", text.encode())
    for options in (
        {"origin": "https://api.example.com"},
        {"dpop": DPoP(base_url="https://api.example.com")},
    ):
        assert refusal(text, **options, **evil) == "proof_htu"


@pytest.mark.parametrize("hosts", [[], [b"api.example.com", b"api.example.com"]])
def test_a_request_with_no_host_or_two(hosts: list[bytes]) -> None:
    headers = [(b"host", host) for host in hosts] + [(b"dpop", proof().encode())]
    assert refusal(headers=headers) == "proof_htu"


@pytest.mark.parametrize("age", [-5, 0, 30, 60])
def test_a_proof_made_just_now(age: float) -> None:
    check(proof(iat=NOW - age))


@pytest.mark.parametrize("age", [-5.5, -3600, 60.5, 3600, NOW, -(2**53)])
def test_a_proof_made_at_another_time(age: float) -> None:
    assert refusal(proof(iat=NOW - age)).startswith("proof_")


def test_a_window_of_ones_own() -> None:
    wide = DPoP(lifetime=300, leeway=60)
    check(proof(iat=NOW - 300), dpop=wide)
    check(proof(iat=NOW + 60, jti="two"), dpop=wide)
    assert refusal(proof(iat=NOW - 301), dpop=wide) == "proof_iat"


def test_a_proof_for_another_token() -> None:
    assert refusal(proof(ath=ath("another"))) == "proof_ath"
    assert refusal(proof(ath=ath() + "=")) == "proof_ath"


UNBOUND = [
    ({}, "unbound"),
    ({"cnf": None}, "other_binding"),
    ({"cnf": {}}, "other_binding"),
    ({"cnf": "x"}, "other_binding"),
    ({"cnf": {"jkt": None}}, "other_binding"),
    ({"cnf": {"jkt": ["x"]}}, "other_binding"),
    ({"cnf": {"x5t#S256": "x"}}, "other_binding"),
    ({"cnf": {"kid": "x"}}, "other_binding"),
    ({"cnf": {"jkt": KEY.thumbprint(), "x5t#S256": "x"}}, "other_binding"),
    ({"cnf": {"jkt": KEY.thumbprint() + "="}}, "other_key"),
    ({"cnf": {"jkt": ""}}, "other_key"),
]


@pytest.mark.parametrize(("claims", "reason"), UNBOUND)
def test_a_token_that_is_not_bound_to_the_key(
    claims: dict[str, Any], reason: str
) -> None:
    assert refusal(proof(), claims={"sub": "u1", **claims}) == reason


class Clock:
    def __init__(self) -> None:
        self.now = float(NOW)

    def __call__(self) -> float:
        return self.now


def test_a_proof_is_good_once() -> None:
    dpop = DPoP()
    check(proof(), dpop=dpop)
    assert refusal(proof(), dpop=dpop) == "proof_replayed"
    check(proof(jti="two"), dpop=dpop)
    other = KEYS["ES256"]
    check(proof(other), dpop=dpop, claims=bound(other))


def test_a_proof_is_remembered_for_as_long_as_it_is_good() -> None:
    clock, dpop = Clock(), DPoP()
    early = proof(iat=NOW + 5)
    check(early, dpop=dpop, clock=clock)
    for second in (1, 30, 65):
        clock.now = NOW + second
        check(proof(jti=f"at {second}", iat=clock.now), dpop=dpop, clock=clock)
        assert refusal(early, dpop=dpop, clock=clock) == "proof_replayed"
    clock.now = NOW + 66
    assert refusal(early, dpop=dpop, clock=clock) == "proof_iat"


class SharedReplays:
    """A store with a clock of its own, like a server that several processes ask."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._until: dict[str, float] = {}

    def is_first_use(self, proof: str, now: float, seconds: int) -> bool:
        if self._until.get(proof, 0) > self._clock():
            return False
        self._until[proof] = self._clock() + seconds
        return True


@pytest.mark.parametrize(("lifetime", "leeway"), [(60, 5), (1, 0), (3, 7)])
def test_a_proof_is_good_once_for_processes_whose_clocks_differ(
    lifetime: int, leeway: int
) -> None:
    """They differ as far as both still take what a client makes just now."""
    clock = Clock()
    dpop = DPoP(lifetime=lifetime, leeway=leeway, replays=SharedReplays(clock))

    def ahead() -> float:
        return clock.now + lifetime

    def behind() -> float:
        return clock.now - leeway

    for process in (ahead, behind):
        made = proof(iat=clock.now, jti=process.__name__)
        check(made, dpop=dpop, clock=process)
    late = proof(iat=ahead() + leeway)
    check(late, dpop=dpop, clock=ahead)
    for _ in range(5 * math.ceil(lifetime + leeway)):
        clock.now += 0.5
        for process in (ahead, behind):
            assert refusal(late, dpop=dpop, clock=process) in ONCE_USED


ONCE_USED = ("proof_replayed", "proof_iat")


def test_a_refused_proof_is_not_remembered() -> None:
    """Otherwise anybody could fill the memory, or use up what a client will send."""
    replays = MemoryReplays()
    dpop = DPoP(replays=replays)
    thief = ECKey.generate_key("P-256")
    for text in (proof(thief), proof(htm="PUT"), proof(iat=1), proof(ath="x")):
        refusal(text, dpop=dpop)
    assert len(replays) == 0


def test_a_full_memory_refuses_rather_than_forgets() -> None:
    clock, replays = Clock(), MemoryReplays(capacity=2)
    dpop = DPoP(replays=replays)
    for name in ("a", "b"):
        check(proof(jti=name), dpop=dpop, clock=clock)
    with pytest.raises(StoreUnavailableError):
        check(proof(jti="c"), dpop=dpop, clock=clock)
    assert refusal(proof(jti="a"), dpop=dpop, clock=clock) == "proof_replayed"
    clock.now += 132
    check(proof(jti="c", iat=clock.now), dpop=dpop, clock=clock)
    assert len(replays) <= 2


def test_the_memory_does_not_grow_for_ever() -> None:
    clock, replays = Clock(), MemoryReplays()
    for number in range(2000):
        clock.now = NOW + number
        assert replays.is_first_use(str(number), clock.now, 65)
        assert len(replays) <= 67


SECRET = "n" * 32


def nonce_for(**more: Any) -> str:
    with pytest.raises(InvalidProofError) as raised:
        check(proof(), dpop=DPoP(nonce_secret=SECRET), **more)
    assert raised.value.nonce is not None
    return raised.value.nonce


def test_a_proof_with_the_nonce_that_was_asked_for() -> None:
    nonce = nonce_for()
    asks = DPoP(nonce_secret=SECRET.encode())  # as in another process
    check(proof(nonce=nonce), dpop=asks)
    later = {"clock": lambda: NOW + 300}
    check(proof(nonce=nonce, iat=NOW + 300), dpop=asks, **later)


@pytest.mark.parametrize("nonce", ["", "x", "é", 7, ["x"], {}, True])
def test_a_nonce_of_somebody_else(nonce: object) -> None:
    dpop = DPoP(nonce_secret=SECRET)
    assert refusal(proof(nonce=nonce), dpop=dpop) == "nonce_unknown"


def test_a_nonce_that_is_too_old() -> None:
    nonce, dpop = nonce_for(), DPoP(nonce_secret=SECRET)
    text = proof(nonce=nonce, iat=NOW + 600)
    assert refusal(text, dpop=dpop, clock=lambda: NOW + 600) == "nonce_unknown"
    other = DPoP(nonce_secret="m" * 32)
    assert refusal(proof(nonce=nonce), dpop=other) == "nonce_unknown"


def test_a_nonce_that_nobody_asked_for_is_ignored() -> None:
    check(proof(nonce="of another server"))


@pytest.mark.parametrize(
    "wrong",
    [
        *({"algorithms": ["HS256"]}, {"algorithms": []}, {"algorithms": "ES256"}),
        *({"algorithms": ["none"]}, {"base_url": "api.example.com"}),
        *({"base_url": "https://u:p@api.example.com"}, {"nonce_secret": "short"}),
        *({"lifetime": 0}, {"lifetime": 10**9}, {"leeway": -1}, {"leeway": 10**9}),
    ],
)
def test_settings_that_make_no_sense(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        DPoP(**wrong)


def test_the_secret_of_nonces_is_not_shown() -> None:
    assert SECRET not in repr(DPoP(nonce_secret=SECRET))


@pytest.mark.parametrize("tail", ["?" * 9000, "?" * 9000 + "\x01", "#" * 9000])
def test_a_hostile_query_is_cut_before_the_url_is_read(tail: str) -> None:
    """A pattern that meets it would take the square of its length."""
    assert normalised(URL + tail) == URL


def test_the_keys_of_clients_are_joserfc_s() -> None:
    assert JWKRegistry.import_key(KEY.as_dict(private=False)).thumbprint() == (
        Key.from_jwk(KEY.as_dict(private=False)).thumbprint()
    )
