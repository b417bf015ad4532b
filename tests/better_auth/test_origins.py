"""Trusted origins with wildcards, beside the server's own function in Node."""

from __future__ import annotations

import json
import random
import subprocess
from typing import Any

import pytest

from better_auth_server import NEWEST, installed_packages
from fastbearer.better_auth import BetterAuth
from fastbearer.better_auth.origins import origins_and_rules
from fastbearer.errors import ConfigurationError
from project import SECRET
from waiting import HANG

PATTERNS = [
    *("https://app.example.com", "http://localhost:3000", "http://[::1]:3000"),
    *(
        "https://*.example.com",
        "https://*.example.com:8443",
        "https://app-*.vercel.app",
    ),
    *("http://localhost:*", "http://127.0.0.1:*", "http://192.168.*.*:3000"),
    *("http://192.168.1.?", "http://10.*", "http://10.*:*", "http://*.*.*.*:*"),
    *("*://app.example.com", "http?://app.example.com", "http*://*.example.com"),
    *(
        "*.example.com",
        "*.example.com:*",
        "192.168.*.*",
        "localhost:*",
        "?.example.com",
    ),
    *("https://*", "*", "https://**", "https://*.*.example.com", "https://a*b*c.test"),
    *("http://[::1]:*", "https://*.example.com/**", "https://??p.example.com"),
    *("myapp://", "myapp:", "myapp://host", "MyApp://Host", "myapp://host:81"),
    *("exp://192.168.*.*:*/**", "exp://**", "exp://*", "exp://192.168.*.*:*/*"),
    *(
        "capacitor://localhost",
        "chrome-extension://*",
        "tauri://*.localhost",
        "com.x.y:",
    ),
    *("exp://10.0.0.?:8081", "exp+app://*", "ionic://localhost/", "myapp://*/**"),
]
"""All that are in the documentation, and others of their kinds."""

HOSTS = [
    *(
        "example.com",
        "app.example.com",
        "a.b.example.com",
        "x.example.com",
        "localhost",
    ),
    *("app.example.com.evil.test", "evil.test", "aexample.com", "app-1.vercel.app"),
    *(
        "app-1.evil.vercel.app",
        "192.168.1.2",
        "192.168.evil.test",
        "10.0.0.1",
        "10.evil",
    ),
    *("127.0.0.1", "192.168.1.256", "192.168.01.2", "0x7f.1", "127.1", "2130706433"),
    *(
        "[::1]",
        "[0:0:0:0:0:0:0:1]",
        "[::ffff:1.2.3.4]",
        "[fe80::1]",
        "host",
        "HOST",
        "",
    ),
    *(
        "xn--bcher-kva.example.com",
        "a_b.example.com",
        "app.example.com.",
        "a..example.com",
    ),
    *("axbxc.test", "abc.test", "a.localhost", "app.localhost", "1.2.3.4.5", "x.1"),
]
SCHEMES = ["https", "http", "myapp", "exp", "capacitor", "chrome-extension", "tauri"]
SCHEMES += ["HTTPS", "MYAPP", "com.x.y", "exp+app", "ionic"]
PORTS = ["", ":3000", ":8443", ":443", ":80", ":81", ":8081", ":0", ":99999", ":03000"]
ODD = [
    *("null", "", "*", "https://", "https://app.example.com/", "javascript:alert(1)"),
    *("https://app.example.com@evil.test", "https://evil.test/app.example.com"),
    *("https://evil.test#app.example.com", "https://evil.test?x=.example.com", "//x"),
    *(
        "https://evil.test\\.example.com",
        "https://app.example.com\n",
        " https://x",
        "/x",
    ),
    *(
        "myapp://user@host",
        "myapp://host/../x",
        "myapp://host?x",
        "myapp:",
        "exp://a b",
    ),
    *("https://a.example.com, https://b.example.com", "https:app.example.com", "x:y"),
    *("https://ex\u00e4mple.com", "https://a%2eexample.com", "https://*.example.com"),
    *(
        "file:///x",
        "data:text/html,x",
        "blob:https://app.example.com/x",
        "ftp://x.example.com",
    ),
    *("https://" + "a" * 300 + ".example.com", "https://app.example.com\x00"),
]


def origins() -> list[str]:
    usual = [f"{s}://{h}{p}" for s in SCHEMES for h in HOSTS for p in PORTS]
    dice = random.Random(19)
    letters = "abc.-:*/\\?#@[]%1920 "
    some = [
        f"{dice.choice(SCHEMES)}://"
        + "".join(dice.choices(letters, k=dice.randint(0, 14)))
        for _ in range(2_000)
    ]
    return [*usual, *some, *ODD]


def of_the_server(patterns: list[str], every: list[str]) -> list[list[bool]]:
    """Return pattern -> origin -> what Better Auth's own function says."""
    program = """
    import { readFileSync } from "node:fs";
    const path = "./node_modules/better-auth/dist/auth/trusted-origins.mjs";
    const { matchesOriginPattern } = await import(process.cwd() + path.slice(1));
    const [patterns, origins] = JSON.parse(readFileSync(0, "utf8"));
    const said = patterns.map((p) => origins.map((o) => matchesOriginPattern(o, p)));
    console.log(JSON.stringify(said));
    """
    said = subprocess.run(
        ["node", "--input-type=module", "-e", program],
        cwd=installed_packages(NEWEST),
        input=json.dumps([patterns, every]),
        capture_output=True,
        text=True,
        check=True,
        timeout=HANG,
    )
    found: list[list[bool]] = json.loads(said.stdout)
    return found


def trusts(pattern: str, origin: str) -> bool:
    exact, rules = origins_and_rules([pattern])
    return origin in exact or any(rule(origin) for rule in rules)


def is_usual(origin: str) -> bool:
    """Tell whether a browser or an app would write an origin so."""
    scheme, _, rest = origin.partition("://")
    host, _, port = rest.partition(":")
    if scheme not in SCHEMES or scheme != scheme.lower():
        return False
    if (scheme, port) in (("https", "443"), ("http", "80")):
        return False
    is_port = not port or (port.isdigit() and port[0] != "0" and int(port) < 65536)
    return is_port and not rest.endswith(":") and host in USUAL_HOSTS


USUAL_HOSTS = {
    *(host for host in HOSTS if host.islower() and not host.startswith("[")),
    *("192.168.1.2", "10.0.0.1", "127.0.0.1"),
} - {"0x7f.1", "127.1", "a..example.com", "x.1", "10.evil"}


@pytest.mark.node
def test_origins_are_trusted_as_the_server_trusts_them() -> None:
    """Never more than there; and for what clients send, exactly so."""
    every = origins()
    said = of_the_server(PATTERNS, every)
    more, fewer, agreed = [], [], 0
    for pattern, answers in zip(PATTERNS, said, strict=True):
        exact, rules = origins_and_rules([pattern])
        for origin, is_there in zip(every, answers, strict=True):
            is_here = origin in exact or any(rule(origin) for rule in rules)
            agreed += is_here and is_there
            if is_here and not is_there:
                more.append((pattern, origin))
            if is_there and not is_here and is_usual(origin):
                fewer.append((pattern, origin))
    assert more[:20] == []
    assert [one for one in fewer if not one[0].endswith(".com/**")] == []
    assert agreed > 2_000 and len(every) * len(PATTERNS) > 200_000
    # With a path the server trusts a host that only begins so; that is not taken over.
    assert ("https://*.example.com/**", "https://app.example.com.evil.test") in fewer


@pytest.mark.parametrize(
    ("pattern", "origin", "is_trusted"),
    [
        ("https://*.example.com", "https://app.example.com", True),
        ("https://*.example.com", "https://a.b.example.com", True),
        ("https://*.example.com", "https://example.com", False),
        ("https://*.example.com", "http://app.example.com", False),
        ("https://*.example.com", "https://app.example.com.evil.test", False),
        ("https://*.example.com", "https://app.example.com:8443", False),
        ("http://localhost:*", "http://localhost:5173", True),
        ("http://localhost:*", "http://localhost:5173.evil.test", False),
        ("http://localhost:*", "http://localhost", False),
        ("myapp://", "myapp://", True),
        ("myapp://", "myapp://anything", True),
        ("myapp://", "myapps://", False),
        ("exp://192.168.*.*:*/**", "exp://192.168.1.2:8081", True),
        ("exp://192.168.*.*:*/**", "exp://192.168.evil.test:8081", False),
        ("*", "null", False),
    ],
)
def test_patterns_of_the_documentation(
    pattern: str, origin: str, is_trusted: bool
) -> None:
    assert trusts(pattern, origin) is is_trusted


@pytest.mark.parametrize(
    "pattern",
    [
        *("", "null", "example.com", "app.example.com:3000", "https://x/y", "myapp"),
        *("https://*.example.com/callback", "*.example.com/x", "myapp://host/callback"),
        *(
            "https://*.exa mple.com",
            "https://*.ex\\ample.com",
            "https://*.ex\u00e4mple.com",
        ),
        *(
            "exp://*/x/**",
            "exp://*/*/*",
            "ftp://*",
            "file://*",
            5,
            None,
        ),
        *(
            "https://*.a.com,https://b.com",
            "https://user@*.example.com/x",
            b"https://x",
        ),
    ],
    ids=repr,
)
def test_patterns_that_no_origin_matches_are_refused(pattern: Any) -> None:
    with pytest.raises(ConfigurationError, match="trusted_origins"):
        BetterAuth(SECRET, trusted_origins=[pattern])


def test_one_text_is_not_a_list() -> None:
    with pytest.raises(ConfigurationError, match="one by one"):
        BetterAuth(SECRET, trusted_origins="https://a.example")


def test_patterns_of_the_environment() -> None:
    listed = "https://*.example.com, myapp://,,exp://192.168.*.*:*/**,https://a.test/"
    environment = {"BETTER_AUTH_SECRET": SECRET, "BETTER_AUTH_TRUSTED_ORIGINS": listed}
    ba = BetterAuth.from_environment(environment)
    assert ba.trusted_origins == {"http://localhost:3000", "https://a.test"}
    assert len(ba.origin_rules) == 3


def test_a_hostile_origin_costs_little() -> None:
    """Of many wildcards, no text makes more steps than the product of the lengths."""
    rule = origins_and_rules(["https://" + "*a" * 40 + "b"])[1][0]
    assert not rule("https://" + "a" * 250)
