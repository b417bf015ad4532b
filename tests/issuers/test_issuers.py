"""Several issuers side by side: whose a token is, and what it must have."""

import asyncio
import base64
import itertools
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from fastbearer import Key, Signer
from fastbearer.errors import ConfigurationError, KeySourceError, TokenError
from fastbearer.issuers import Introspection, Issuer, IssuersVerifier
from fastbearer.testing import FrozenClock
from introspection_server import CLIENT_ID, CLIENT_SECRET, IntrospectionServer
from key_server import KeyServer, answer, serving
from project import OTHER_SECRET, SECRET

pytestmark = pytest.mark.http

CLOCK = FrozenClock()
RSA = Key.generate("RS256", kid="rsa")
ED = Key.generate("EdDSA", kid="ed")
ES = Key.generate("ES256", kid="es")
HS = Key.from_secret(SECRET)
OTHER_HS = Key.from_secret(OTHER_SECRET)


@pytest.fixture
def server() -> Iterator[KeyServer]:
    with KeyServer(serving(RSA, ED)) as running:
        yield running


def claims(**more: Any) -> dict[str, Any]:
    made = {"sub": "u1", "exp": int(CLOCK.now) + 60, **more}
    return {name: value for name, value in made.items() if value is not None}


def token(key: Key, header: dict[str, Any] | None = None, **more: Any) -> str:
    return Signer(key).sign(claims(**more), headers=header)


def made(*issuers: Issuer) -> IssuersVerifier:
    return IssuersVerifier(issuers, CLOCK)


def outcome(verifier: IssuersVerifier, given: str) -> Any:
    """Return the claims, or code, reason and claim of the refusal: both ways alike."""

    def of(call: Any) -> Any:
        try:
            return call()
        except TokenError as error:
            return error.code, error.reason, getattr(error, "claim", None)
        except KeySourceError as error:
            return error.code

    blocking = of(lambda: verifier.verify(given))

    async def wait() -> Any:
        return await verifier.averify(given)

    assert blocking == of(lambda: asyncio.run(wait()))
    return blocking


def good(verifier: IssuersVerifier, given: str) -> bool:
    return isinstance(outcome(verifier, given), dict)


def test_the_issuer_is_chosen_before_anything_is_fetched(server: KeyServer) -> None:
    verifier = made(
        Issuer("https://one", keys=f"{server.origin}/one", audience="tasks"),
        Issuer("https://two", keys=f"{server.origin}/two"),
        Issuer("https://three", keys=ES),
        Issuer.secret(SECRET),
    )
    assert good(verifier, token(HS))
    assert good(verifier, token(ES, iss="https://three"))
    unknown = ("invalid_issuer", "iss_wrong", "iss")
    for stranger in ("https://four", "https://one/", "HTTPS://ONE", "", "x" * 9000):
        assert outcome(verifier, token(RSA, iss=stranger)) == unknown
    assert server.hits == 0
    assert good(verifier, token(RSA, iss="https://two"))
    assert server.paths == ["/two"]
    assert good(verifier, token(RSA, iss="https://one", aud="tasks"))
    assert server.paths == ["/two", "/one"]


def test_each_issuer_has_rules_of_its_own() -> None:
    verifier = made(
        Issuer("a", keys=ES, audience=["x", "y"], leeway=10, typ="at+jwt"),
        Issuer("b", keys=ED, required={"tid": "t1"}),
        Issuer("c", keys=RSA, ignore_audience=True, require=("exp", "jti")),
    )
    late = int(CLOCK.now) - 5
    at = {"typ": "at+jwt"}
    assert good(verifier, token(ES, at, iss="a", aud="y", exp=late))
    assert outcome(verifier, token(ES, at, iss="a", aud="z")) == (
        "invalid_audience",
        "aud_wrong",
        "aud",
    )
    assert outcome(verifier, token(ES, iss="a", aud="x"))[1] == "typ_wrong"
    assert good(verifier, token(ED, iss="b", tid="t1"))
    assert outcome(verifier, token(ED, iss="b", tid="t1", exp=late))[1] == "exp_passed"
    assert outcome(verifier, token(ED, iss="b", tid="t1", aud="x"))[1] == (
        "aud_unexpected"
    )
    assert good(verifier, token(RSA, iss="c", jti="1", aud="anything"))
    assert outcome(verifier, token(RSA, iss="c", aud="x")) == (
        "missing_claim",
        "claim_missing",
        "jti",
    )


def test_the_keys_of_one_issuer_sign_for_no_other() -> None:
    verifier = made(
        Issuer("a", keys=ES), Issuer("b", keys=ED), Issuer.secret(SECRET, "c")
    )
    for key, name in ((ED, "a"), (ES, "b"), (HS, "a"), (ES, "c"), (OTHER_HS, "c")):
        assert not good(verifier, token(key, iss=name))
    swapped = Key.generate("ES256", kid="es")
    assert outcome(verifier, token(swapped, iss="a"))[0] == "invalid_signature"


def test_an_issuer_with_two_names() -> None:
    names = ["https://accounts.google.com", "accounts.google.com"]
    verifier = made(Issuer(names, keys=ES), Issuer.secret(SECRET))
    assert all(good(verifier, token(ES, iss=name)) for name in names)
    assert not good(verifier, token(ES))


def test_a_shared_secret_with_and_without_iss() -> None:
    verifier = made(Issuer.secret(SECRET, ("me", None)), Issuer("a", keys=ES))
    assert good(verifier, token(HS))
    assert good(verifier, token(HS, iss="me"))
    assert not good(verifier, token(HS, iss="you"))
    alone = made(Issuer.secret(SECRET, ["me", None]))
    assert good(alone, token(HS)) and good(alone, token(HS, iss="me"))
    assert outcome(alone, token(HS, iss="you")) == (
        "invalid_issuer",
        "iss_wrong",
        "iss",
    )
    assert outcome(alone, token(HS, iss=["me"]))[1] == "iss_wrong"


@pytest.mark.parametrize("beside", [(), (Issuer("a", keys=ES),)])
def test_a_secret_with_a_name_takes_no_tokens_without(beside: Any) -> None:
    verifier = made(Issuer.secret(SECRET, "me"), *beside)
    assert good(verifier, token(HS, iss="me"))
    assert outcome(verifier, token(HS)) == ("missing_claim", "claim_missing", "iss")
    assert outcome(verifier, token(HS, iss=["me"]))[0] == "invalid_issuer"


def test_secrets_live_side_by_side_by_their_names() -> None:
    first, second = Issuer.secret(SECRET, "me"), Issuer.secret(OTHER_SECRET, "you")
    for third in ((), (Issuer.secret(SECRET * 2),)):
        verifier = made(first, second, *third)
        assert good(verifier, token(HS, iss="me"))
        assert good(verifier, token(OTHER_HS, iss="you"))
        assert not good(verifier, token(HS, iss="you"))
        assert not good(verifier, token(OTHER_HS, iss="me"))
        assert not good(verifier, token(OTHER_HS))
        unnamed = token(Key.from_secret(SECRET * 2))
        assert good(verifier, unnamed) is bool(third)


@pytest.mark.parametrize(
    "several",
    [
        [Issuer.secret(SECRET), Issuer.secret(OTHER_SECRET)],
        [Issuer.secret(SECRET), Issuer.secret(OTHER_SECRET, ("me", None))],
        [Issuer(None, keys=HS, any_issuer=True), Issuer.secret(OTHER_SECRET)],
        [Issuer(None, keys=ES), Issuer(("a", None), keys=ED)],
    ],
)
def test_two_that_take_tokens_without_iss(several: list[Issuer]) -> None:
    with pytest.raises(ConfigurationError, match=r"^two issuers take tokens without"):
        made(*several)


def test_one_name_for_a_secret_and_for_keys() -> None:
    verifier = made(Issuer("a", keys=ES), Issuer.secret(SECRET, "a"))
    assert good(verifier, token(HS, iss="a")) and good(verifier, token(ES, iss="a"))
    confused = Key.from_secret(OTHER_SECRET, kid="es")
    assert not good(verifier, token(confused, iss="a"))
    for several in (
        [Issuer("a", keys=ES), Issuer("a", keys=ED)],
        [Issuer("a", keys="https://id.example/keys"), Issuer(["b", "a"], keys=ES)],
        [Issuer.secret(SECRET), Issuer.secret(OTHER_SECRET)],
        [Issuer("a", keys=[ES, HS]), Issuer.secret(SECRET, "a")],
        [Issuer("a", keys=ES, any_issuer=True), Issuer("b", keys=ED, any_issuer=True)],
        [Issuer("a", keys=ES, user_claim="oid"), Issuer.secret(SECRET, "a")],
    ):
        with pytest.raises(ConfigurationError):
            made(*several)
    with pytest.raises(ConfigurationError):
        made()


def test_an_issuer_whose_tokens_may_have_any_iss(server: KeyServer) -> None:
    verifier = made(
        Issuer("a", keys=server.url), Issuer(None, keys=HS, any_issuer=True)
    )
    for name in (None, "", "me", "https://elsewhere"):
        assert good(verifier, token(HS, iss=name))
    assert server.hits == 0
    assert not good(verifier, token(HS, iss="a"))  # which is somebody else's
    assert good(verifier, token(RSA, iss="a"))
    assert outcome(verifier, token(RSA, iss="b")) == (
        "invalid_issuer",
        "iss_wrong",
        "iss",
    )
    assert outcome(verifier, token(RSA)) == ("missing_claim", "claim_missing", "iss")
    assert outcome(verifier, token(OTHER_HS, iss="b"))[0] == "invalid_signature"


def raw(payload: bytes, key: Key = ES) -> str:
    """Return a signed token of a payload that no signer of ours would write."""
    from fastbearer import jws

    return jws.sign(payload, key)


HOSTILE = [
    b'{"iss":["a"],"exp":%d}',
    b'{"iss":4,"exp":%d}',
    b'{"iss":{"a":"a"},"exp":%d}',
    b'{"iss":true,"exp":%d}',
    b'{"iss":null,"exp":%d}',
    b'{"iss":"b","iss":"a","exp":%d}',
    b'{"iss":"a","exp":%d,"iss":"a"}',
    b'{"\\u0069ss":"b","iss":"a","exp":%d}',
    b'{"ISS":"a","exp":%d}',
    b'{"iss":"a\\u0000","exp":%d}',
    b'{"iss":"a ","exp":%d}',
    b'{"iss":"\\ud800","exp":%d}',
    b'{"x":{"iss":"a"},"exp":%d}',
    b'[{"iss":"a","exp":%d}]',
    b'{"iss":"' + b"a" * 9000 + b'","exp":%d}',
    b'{"iss":"a","exp":%d',
]


@pytest.mark.parametrize("payload", HOSTILE)
def test_an_iss_that_is_none_chooses_nobody(server: KeyServer, payload: bytes) -> None:
    verifier = made(Issuer("a", keys=server.url), Issuer("b", keys=ED))
    given = raw(payload % (int(CLOCK.now) + 60), RSA)
    assert not good(verifier, given)
    assert server.hits == 0


def test_an_escaped_iss_is_the_same(server: KeyServer) -> None:
    verifier = made(Issuer("a", keys=server.url), Issuer("b", keys=ED))
    payload = b'{"\\u0069\\u0073\\u0073":"\\u0061","exp":%d}' % (int(CLOCK.now) + 60)
    assert good(verifier, raw(payload, RSA))


def segment(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "given",
    [
        "",
        ".",
        "..",
        "...",
        "a.b.c",
        "a" * 100,
        "é.é.é",
        f"{segment({'alg': 'none'})}.{segment({'iss': 'a'})}.",
        f"{segment({'alg': 4})}.{segment({'iss': 'a'})}.",
        f"{segment({'alg': 'none'})}.{segment({'iss': 'x'})}.",
        f"{segment([])}.{segment({'iss': 'x'})}.",
        "." * 20000,
    ],
)
def test_what_is_no_token_is_refused_as_such(server: KeyServer, given: str) -> None:
    for verifier in (
        made(Issuer("a", keys=server.url), Issuer.secret(SECRET)),
        made(Issuer("a", keys=ES), Issuer("b", keys=ED)),
        made(Issuer("a", keys=ES), Issuer.secret(SECRET, "a")),
    ):
        assert outcome(verifier, given)[0] in (
            "malformed_token",
            "invalid_algorithm",
            "invalid_issuer",
        )


def test_a_token_is_as_long_as_its_issuer_allows() -> None:
    verifier = made(
        Issuer("a", keys=ES, max_bytes=40_000), Issuer("b", keys=ED, max_bytes=2000)
    )
    long = "x" * 20_000
    assert good(verifier, token(ES, iss="a", more=long))
    too_long = ("malformed_token", "token_too_long", None)
    assert outcome(verifier, token(ED, iss="b", more=long)) == too_long
    assert outcome(verifier, token(ES, iss="a", more=long * 2)) == too_long
    assert outcome(verifier, token(ES, iss="c", more=long * 2)) == too_long


# --- what tokens must have ----------------------------------------------------------


@pytest.mark.parametrize(
    ("required", "good_claims", "bad_claims"),
    [
        ({"token_use": "access"}, [{"token_use": "access"}], [{}, {"token_use": "id"}]),
        (
            {"client_id": ["a", "b"]},
            [{"client_id": "a"}, {"client_id": "b"}],
            [{"client_id": "c"}, {"client_id": ["a"]}, {"client_id": None}],
        ),
        ({"sts": (None, "active")}, [{}, {"sts": "active"}], [{"sts": "pending"}]),
        (
            {"act.tenant": "t"},
            [{"act": {"tenant": "t"}}, {"act.tenant": "t"}],
            [{"act": {"tenant": "u"}}, {"act": "t"}, {"act": [{"tenant": "t"}]}, {}],
        ),
        ({"https://x.example/y": 1}, [{"https://x.example/y": 1}], [{}]),
        (
            {"level": 1},
            [{"level": 1}, {"level": 1.0}],
            [{"level": True}, {"level": "1"}],
        ),
        ({"email_verified": True}, [{"email_verified": True}], [{"email_verified": 1}]),
        (
            {"org": {"id": "a", "roles": ["x"]}},
            [{"org": {"roles": ["x"], "id": "a"}}],
            [{"org": {"id": "a"}}, {"org": {"id": "a", "roles": ["x", "y"]}}],
        ),
        ({"amr": [["pwd", "otp"]]}, [{"amr": ["pwd", "otp"]}], [{"amr": ["pwd"]}]),
    ],
)
def test_claims_that_must_have_a_value(
    required: Any, good_claims: Any, bad_claims: Any
) -> None:
    verifier = made(Issuer("a", keys=ES, required=required))
    for more in good_claims:
        assert good(verifier, token(ES, iss="a", **more)), more
    name = next(iter(required))
    for more in bad_claims:
        code, reason, claim = outcome(verifier, token(ES, iss="a", **more))
        assert (code, reason) in (
            ("missing_claim", "claim_missing"),
            ("invalid_claim", "value_wrong"),
        )
        assert claim == name


def test_one_of_several_claims_will_do() -> None:
    require = ("exp", ("azp", "appid"), "realm_access.roles")
    verifier = made(Issuer("a", keys=ES, require=require))
    roles = {"realm_access": {"roles": []}}
    assert good(verifier, token(ES, iss="a", appid="x", **roles))
    assert outcome(verifier, token(ES, iss="a", **roles))[2] == "azp"
    assert outcome(verifier, token(ES, iss="a", azp="x"))[2] == "realm_access.roles"


@pytest.mark.parametrize(
    ("typ", "taken", "refused"),
    [
        (None, [None, "JWT", "x"], []),
        ("at+jwt", ["at+jwt", "application/at+jwt", "AT+JWT"], [None, "JWT", "x"]),
        (("JWT", None), ["JWT", "jwt", None], ["at+jwt", "application/at+jwt", ""]),
        (("JWT", "at+jwt"), ["JWT", "at+jwt"], [None, "id+jwt"]),
    ],
)
def test_the_type_of_a_token(typ: Any, taken: Any, refused: Any) -> None:
    verifier = made(Issuer("a", keys=ES, typ=typ))
    for one in taken:
        assert good(verifier, token(ES, {"typ": one}, iss="a")), one
    for one in refused:
        found = outcome(verifier, token(ES, {"typ": one}, iss="a"))
        assert found == ("invalid_claim", "typ_wrong", "typ"), one


def test_an_access_token_for_others_is_no_session_of_the_same_server(
    server: KeyServer,
) -> None:
    """The rule of Better Auth's plugin jwt(), whose server signs at+jwt as well."""
    verifier = made(
        Issuer(
            server.origin,
            keys=server.url,
            audience=server.origin,
            algorithms=["EdDSA", "ES256", "ES512", "PS256", "RS256"],
            typ=("JWT", None),
            require_kid=True,
            require=("exp", "sub"),
        )
    )
    own = {"iss": server.origin, "aud": server.origin}
    assert good(verifier, token(ED, {"typ": None}, **own))
    assert outcome(verifier, token(ED, {"typ": "at+jwt"}, **own))[1] == "typ_wrong"
    bare = Key.from_pem(ED.to_pem(private=True))
    assert outcome(verifier, token(bare, **own))[:2] == ("unknown_key", "kid_needed")
    assert outcome(verifier, token(ED, **{**own, "sub": 4}))[:2] == (
        "invalid_claim",
        "user_not_text",
    )
    assert outcome(verifier, token(ED, **{**own, "sub": ""}))[0] == "missing_claim"
    assert outcome(verifier, token(ED, **{**own, "sub": None}, user_id="u"))[2] == "sub"


def test_algorithms_narrow_the_keys(server: KeyServer) -> None:
    verifier = made(Issuer("a", keys=server.url, algorithms=["EdDSA"]))
    assert good(verifier, token(ED, iss="a"))
    assert outcome(verifier, token(RSA, iss="a"))[0] == "invalid_algorithm"
    here = made(Issuer("a", keys=[ES, ED], algorithms="ES256"))
    assert good(here, token(ES, iss="a"))
    assert not good(here, token(ED, iss="a"))


def test_algorithms_choose_for_a_key_that_does_not_say_its_own(
    server: KeyServer,
) -> None:
    """As RFC 7517 4.4 has it, alg is optional in a JWK."""
    entry = RSA.public().to_jwk()
    del entry["alg"]
    server.behave = answer(json.dumps({"keys": [entry]}).encode())
    private = {**RSA.to_jwk(private=True)}
    del private["alg"]
    ps512 = Key.from_jwk(private, "PS512")
    narrowed = made(Issuer("a", keys=server.url, algorithms=["PS512"]))
    assert good(narrowed, token(ps512, iss="a"))
    assert outcome(narrowed, token(RSA, iss="a"))[0] == "invalid_algorithm"
    wide = made(Issuer("a", keys=server.url))
    assert good(wide, token(ps512, iss="a")) and good(wide, token(RSA, iss="a"))


def test_one_issuer_that_fails_does_not_stop_the_others(server: KeyServer) -> None:
    server.behave = answer(b"", 500)
    verifier = made(Issuer("a", keys=server.url), Issuer("b", keys=ES))
    assert outcome(verifier, token(RSA, iss="a")) == "key_source_unavailable"
    assert good(verifier, token(ES, iss="b"))


def test_a_rotated_key_of_one_issuer_of_two(server: KeyServer) -> None:
    verifier = made(
        Issuer("a", keys=f"{server.origin}/a"), Issuer("b", keys=f"{server.origin}/b")
    )
    newer = Key.generate("ES256", kid="newer")
    assert good(verifier, token(RSA, iss="a"))
    server.behave = serving(RSA, newer)
    assert good(verifier, token(newer, iss="b"))
    assert server.paths == ["/a", "/b"]


def test_the_first_tokens_of_many_threads_fetch_once(server: KeyServer) -> None:
    verifier = made(
        Issuer("a", keys=f"{server.origin}/a"), Issuer("b", keys=f"{server.origin}/b")
    )
    given = [token(RSA, iss="a"), token(ED, iss="b"), token(RSA, iss="c")]
    ready = threading.Barrier(12)
    found: list[bool] = []

    def ask(number: int) -> None:
        ready.wait()
        try:
            verifier.verify(given[number % 3])
            found.append(True)
        except TokenError:
            found.append(False)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [False] * 4 + [True] * 8
    assert sorted(server.paths) == ["/a", "/b"]


def test_the_first_tokens_of_an_event_loop_fetch_once(server: KeyServer) -> None:
    verifier = made(Issuer("a", keys=server.url), Issuer("b", keys=ES))

    async def ask() -> list[Any]:
        given = [token(RSA, iss="a"), token(ES, iss="b")] * 8
        return await asyncio.gather(*map(verifier.averify, given))

    assert len(asyncio.run(ask())) == 16
    assert server.hits == 1


def test_a_token_is_text_or_bytes() -> None:
    verifier = made(Issuer("a", keys=ES), Issuer.secret(SECRET))
    given = token(ES, iss="a")
    assert verifier.verify(given.encode()) == verifier.verify(given)
    assert asyncio.run(verifier.averify(given.encode())) == verifier.verify(given)
    for wrong in (None, 4, [given]):
        with pytest.raises(TypeError):
            verifier.verify(wrong)  # type: ignore[arg-type]
    with pytest.raises(TokenError):
        verifier.verify(b"\xff.\xff.\xff")


@pytest.mark.parametrize("typ", ["JWT", "x", None])
def test_a_short_way_to_the_one_secret_takes_nothing_more(typ: str | None) -> None:
    """Tokens that begin as ours are not looked into; the others are."""
    for issuers in (
        [Issuer.secret(SECRET, "me"), Issuer("a", keys=ES)],
        [Issuer(None, keys=HS, any_issuer=True), Issuer("a", keys=ES)],
        [
            Issuer(None, keys=HS, any_issuer=True),
            Issuer("a", keys=ES, user_claim="oid"),
        ],
        [Issuer("me", keys=HS), Issuer("a", keys=OTHER_HS)],
        [Issuer("me", keys=HS), Issuer("a", keys=[ES, OTHER_HS])],
    ):
        verifier = made(*issuers)
        for key, name in itertools.product((HS, OTHER_HS), ("me", "a", "x", None)):
            given = token(key, {"typ": typ}, iss=name)
            found = outcome(verifier, given)  # which compares begin with verify
            assert isinstance(found, (dict, tuple))


def test_forgetting_to_await_lets_nobody_in() -> None:
    verifier = made(Issuer("a", keys=ES), Issuer("b", keys=ED))
    with pytest.raises(TypeError, match="await"):
        assert verifier.averify("anything")


# --- whom claims name ---------------------------------------------------------------


def test_each_issuer_names_its_users_in_its_own_way() -> None:
    verifier = made(
        Issuer("a", keys=ES, user_claim="oid", role_claims="roles"),
        Issuer("b", keys=ED, scope_claims="permissions", email_claim=("mail", "upn")),
        Issuer.secret(SECRET),
    )
    a = {"iss": "a", "sub": "pairwise", "oid": "u1", "scp": "x y", "roles": ["admin"]}
    naming = verifier.naming_of(a)
    assert naming.user_id(a) == "u1"
    assert naming.scopes_of(a) == {"x", "y", "admin"}
    b = {"iss": "b", "sub": "u2", "permissions": ["p", 4], "mail": 4, "upn": "u@x"}
    naming = verifier.naming_of(b)
    assert naming.user_id(b) == "u2"
    assert naming.email_of(b) == "u@x"
    assert naming.scopes_of(b) == {"p"}
    own = {"user_id": "u3", "scope": "z"}
    assert verifier.naming_of(own).user_id(own) == "u3"
    for wrong in ({"iss": "c"}, {"iss": ["a"]}, {"iss": 4}):
        with pytest.raises(TokenError):
            verifier.naming_of(wrong)


def test_the_issuer_of_a_verified_token() -> None:
    keys, secret = Issuer("a", keys=ES), Issuer.secret(SECRET, "a")
    verifier = made(keys, secret)
    for key, issuer in ((ES, keys), (HS, secret)):
        given = token(key, iss="a")
        assert verifier.issuer_of(given, verifier.verify(given)) is issuer


# --- opaque tokens ------------------------------------------------------------------


def test_opaque_tokens_go_to_the_one_issuer_that_is_asked() -> None:
    with IntrospectionServer() as server:
        server.tokens = {
            "good": {"sub": "u1", "scope": "a", "client_id": "x", "uid": "u2"},
            "other": {"sub": "u1", "client_id": "y"},
            "two.parts": {"sub": "u3", "client_id": "x"},
        }
        how = Introspection(client_id=CLIENT_ID, client_secret=CLIENT_SECRET)
        asked = Issuer(
            server.issuer,
            keys=ED,
            introspect=how,
            required={"client_id": "x"},
            user_claim=("uid", "sub"),
        )
        verifier = IssuersVerifier([asked, Issuer("a", keys=ES)])
        found = verifier.verify("good")
        assert verifier.naming_of(found).user_id(found) == "u2"
        assert asyncio.run(verifier.averify("two.parts"))["sub"] == "u3"
        assert outcome(verifier, "other")[:2] == ("invalid_claim", "value_wrong")
        assert outcome(verifier, "unknown")[0] == "inactive_token"
        before = len(server.questions)
        with pytest.raises(TokenError):
            verifier.verify(token(ES, iss="a", exp=1))
        assert len(server.questions) == before
    with pytest.raises(ConfigurationError, match="introspect"):
        made(asked, Issuer("https://two.example", keys=ES, introspect=how))


@pytest.mark.parametrize("algorithms", [["RS256"], ["EdDSA", "ES256"], ["PS512"]])
def test_a_set_without_a_key_of_the_algorithms_says_nothing_of_a_token(
    algorithms: list[str],
) -> None:
    """It may be the wrong document, or one of before the issuer's first key."""
    good_key = Key.generate(algorithms[0], kid="k")
    with KeyServer(serving(Key.generate("ES384", kid="es384"))) as server:
        issuer = Issuer("a", keys=server.url, algorithms=algorithms)
        verifier = made(issuer)
        for _ in range(2):
            with pytest.raises(KeySourceError, match="accepted algorithm"):
                verifier.verify(token(good_key, iss="a"))
            with pytest.raises(KeySourceError, match="accepted algorithm"):
                asyncio.run(verifier.averify(token(good_key, iss="a")))
        server.behave = serving(Key.generate("ES384", kid="es384"), good_key)
        assert good(made(issuer), token(good_key, iss="a"))
