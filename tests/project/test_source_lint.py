"""The rules of the C sources that a compiler does not know.

Each function below takes one file and returns what is wrong with it. The
layout (a function's name and its braces begin their lines) is clang-format's.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from project import ROOT

FUNCTION_LINES = 60
FILE_LINES = 350
COLUMNS = 79

BANNED = r"\b(alloca|gets|v?sprintf|strn?cat|strn?cpy|strtok)\s*\("
MAY_BE_SECRET = re.compile(r"\b\w*(digest|hash|key|mac|password|secret|sig\w*)\b")
FILLED_BY_PYTHON = re.compile(
    r"Py(GetSetDef|MemberDef|MethodDef|ModuleDef|ModuleDef_Slot|Type_Slot|Type_Spec)\b"
)
"""The interpreter's own tables, whose types cannot be const, and ``kwlist``."""


HEADERS = {
    "base": "base/base.h",
    "http": "http/http.h",
    "json": "json/json.h",
    "crypto": "crypto/crypto.h",
    "jose": "jose/jose.h",
    "password": "password/password.h",
    "better_auth": "better_auth/session.h",
}
"""The header of each room of csrc/lib, which each of its files includes first."""

USES = {
    "base": set(),
    "http": {"base"},
    "json": {"base"},
    "crypto": {"base"},
    "jose": {"crypto", "base"},
    "password": {"crypto", "base"},
    "better_auth": {"crypto", "base"},
}
"""The lattice: which other rooms a room's files may include."""

GROUND = {
    ("module/skin.h", "lib.h"),
    ("module/skin.h", "names.h"),
    ("module/skin.h", "json/dict_walk.h"),
    ("module/skin.h", "json/json_out.h"),
    ("module/skin.h", "json/shape.h"),
    ("module/json/dict_walk.h", "names.h"),
    ("module/json/shape.h", "names.h"),
    ("module/names.h", "base/base.h"),
    ("module/json/json_out.h", "base/base.h"),
    ("module/json/json_out.h", "json/json.h"),
}
"""What the header of the module's every file is made of."""


class Source(NamedTuple):
    name: str  # below csrc
    text: str

    @property
    def is_lower(self) -> bool:
        return self.name.startswith("lib/")

    @property
    def room(self) -> str:
        return self.name.split("/")[1]

    @property
    def code(self) -> str:
        """The text without what stands in comments and strings."""
        noise = r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"'
        return re.sub(noise, blank, self.text, flags=re.DOTALL)

    @property
    def includes(self) -> list[str]:
        return re.findall(r'^#\s*include\s+["<](.+)[">]', self.text, re.MULTILINE)


class Function(NamedTuple):
    name: str
    body: str


def blank(match: re.Match[str]) -> str:
    """Return as many lines, without their characters."""
    quotes = '""' if match[0].startswith('"') else " "
    return quotes + "\n" * match[0].count("\n")


def functions(source: Source) -> Iterator[Function]:
    whole = re.compile(r"^(\w+)\([^;{}]*\)\n\{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
    for match in whole.finditer(source.code):
        yield Function(match[1], match[2])


def first_include(source: Source) -> list[str]:
    """A .c file begins with its room's header, or with skin.h."""
    first = HEADERS.get(source.room) if source.is_lower else "skin.h"
    wrong = source.name.endswith(".c") and source.includes[:1] != [first]
    return [f"the first include is not {first}"] if wrong else []


def no_python_below(source: Source) -> list[str]:
    if not source.is_lower:
        return []
    found = {"Python.h", "skin.h"} & set(source.includes)
    found |= set(re.findall(r"\b_?Py[A-Z_]\w*", source.code))
    return [f"the lower storey names {name}" for name in sorted(found)]


def walls(source: Source) -> list[str]:
    """A room includes only what the lattice allows, the module its own skin.

    A room may have more headers, which are its own.
    """
    if source.name == "lib/lib.h":
        return []
    own = re.findall(r'^#\s*include\s+"(.+)"', source.text, re.MULTILINE)
    if not source.is_lower:
        return [
            f"{name} is included"
            for name in own
            if (source.name, name) not in GROUND
            and name != "skin.h"
            and not source.name.startswith(f"module/{Path(name).parent}/")
        ]
    allowed = USES[source.room]
    return [
        f"{name} is included"
        for name in own
        if not name.startswith(f"{source.room}/")
        and name not in {HEADERS[room] for room in allowed}
    ]


def prefixes(source: Source) -> list[str]:
    """What a file gives to others begins with ``fb_`` and the file's first word.

    Without a prefix of ours, another library of a static build would find its own
    names here.
    """
    if not source.name.endswith(".c"):
        return []
    word = f"fb_{Path(source.name).stem.split('_')[0]}"
    given = r"^(?![^\n]*\b(?:static|extern|typedef)\b)[A-Za-z_][\w *]*"
    function, data = r"\n(\w+)\([^;{}]*\)\n\{", r"[ *](\w+)(?:\[[^\n]*\])? = "
    return [
        f"{name} does not begin with {word}_"
        for form in (function, data)
        for name in re.findall(given + form, source.code, re.MULTILINE)
        if not name.startswith(f"{word}_") and name != "PyInit__core"
    ]


def columns(source: Source) -> list[str]:
    """At most 79; a ruler, ``/* --- x --- */``, has exactly as many."""
    lines = source.text.splitlines()
    return [
        f"line {number} has {len(line)} columns"
        for number, line in enumerate(lines, 1)
        if len(line) > COLUMNS
        or (re.match(r"/\* ---.*--- \*/$", line) and len(line) != COLUMNS)
    ]


def checked(source: Source) -> list[str]:
    """Whatever returns a status is CHECKED where it is declared."""
    is_header = source.name.endswith(".h")
    declared = r"^([\w ]*)\bstatus\s+(?:\(\*)?(\w+)\)?\([^;{}]*\)\s*[;{]"
    return [
        f"{name} is not CHECKED"
        for before, name in re.findall(declared, source.code, re.MULTILINE)
        if "CHECKED" not in before
        and before.strip() not in ("return", "else")
        and (is_header or "static" in before or "typedef" in before)
    ]


def banned_calls(source: Source) -> list[str]:
    return [f"{name} is called" for name in re.findall(BANNED, source.code)]


def early_compare(source: Source) -> list[str]:
    """Secrets are compared by CRYPTO_memcmp or fb_equal_macs.

    A comparison of what is public says so: ``/* public */`` in its line.
    """
    lines = zip(source.text.splitlines(), source.code.splitlines(), strict=True)
    return [
        f"an early-out comparison of what may be secret: {line.strip()}"
        for line, code in lines
        for match in re.finditer(r"\b(?:mem|str|strn)cmp\((.*)", code)
        if MAY_BE_SECRET.search(match[1]) and "/* public" not in line
    ]


def mutable_data(source: Source) -> list[str]:
    """Whatever outlives a call is const, down to the pointer.

    Exempt are what the interpreter's headers will not have const: its tables,
    and the keywords of PyArg_ParseTupleAndKeywords; and what the CPU answered,
    which is written before there are threads.
    """
    if source.name == "lib/base/cpu.c":
        return []
    at_file_scope = r"^(?!typedef|extern|struct \w+;)([a-zA-Z_][^=:;(){}]*?)"
    in_a_function = r"^[ ]+(static\s[^=:;(){}]*?)"
    return [
        f"mutable data: {' '.join(declared.split())}"
        for where in (at_file_scope, in_a_function)
        for declared in re.findall(where + r"\s*[=;]", source.code, re.MULTILINE)
        if not FILLED_BY_PYTHON.search(declared)
        and "char *keywords[]" not in declared
        and not re.search(r"\bconst\b[^*]*$", declared)
    ]


def long_functions(source: Source) -> list[str]:
    return [
        f"{function.name} has more than {FUNCTION_LINES} lines"
        for function in functions(source)
        if function.body.count("\n") > FUNCTION_LINES
    ]


def long_file(source: Source) -> list[str]:
    too_long = source.text.count("\n") > FILE_LINES
    return [f"more than {FILE_LINES} lines"] if too_long else []


def leaky_returns(source: Source) -> list[str]:
    """Once a function has said ``goto done``, only ``done`` may return."""
    return [
        f"{function.name} returns between 'goto done' and 'done:'"
        for function in functions(source)
        if re.search(r"(?ms)goto done;.*\breturn\b.*^done:", function.body)
    ]


def held(source: Source) -> list[str]:
    """What parses arguments by name is called by fb_option_hold alone.

    The parser borrows them from a dict that is the caller's.
    """
    parsed = source.code.count("PyArg_ParseTupleAndKeywords(")
    called = source.code.count("fb_option_hold(")
    return ["borrows from the caller's dict"] if parsed > called else []


RULES = (
    first_include,
    no_python_below,
    walls,
    prefixes,
    columns,
    checked,
    banned_calls,
    early_compare,
    mutable_data,
    long_functions,
    long_file,
    leaky_returns,
    held,
)
SOURCES = [
    Source(str(path.relative_to(ROOT / "csrc")), path.read_text())
    for path in sorted(ROOT.glob("csrc/**/*.[ch]"))
]


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_the_source_keeps_the_rules(source: Source) -> None:
    assert [problem for rule in RULES for problem in rule(source)] == []


def shared_names(sources: list[Source]) -> set[str]:
    """The file names that stand in more than one room."""
    names = Counter(Path(source.name).name for source in sources)
    return {name for name, count in names.items() if count > 1}


def test_the_names_of_the_files_are_unique() -> None:
    assert shared_names(SOURCES) == set()


def test_a_file_name_in_two_rooms_is_seen() -> None:
    planted = Source("module/token/hmac.c", '#include "skin.h"\n')
    assert shared_names([*SOURCES, planted]) == {"hmac.c"}


def test_the_functions_are_found() -> None:
    names = [function.name for source in SOURCES for function in functions(source)]
    assert len(names) > 100
    assert {"fb_hmac_sign", "verifier_verify", "PyInit__core"} <= set(names)


X = "lib/jose/x.c"
JOSE = '#include "jose/jose.h"\n'
LINE = "    x++;\n"

PLANTED: list[tuple[Callable[[Source], list[str]], str, str]] = [
    (first_include, X, "#include <string.h>\n" + JOSE),
    (first_include, X, "int x(void);\n"),
    (first_include, X, '#include "crypto/crypto.h"\n' + JOSE),
    (first_include, "module/x.c", JOSE + '#include "skin.h"\n'),
    (no_python_below, X, JOSE + "#include <Python.h>\n"),
    (no_python_below, X, JOSE + '#include "skin.h"\n'),
    (no_python_below, X, JOSE + "PyObject *x(void);\n"),
    (no_python_below, X, JOSE + "    _Py_NewRef(x);\n"),
    (no_python_below, "lib/base/base.h", "#include <Python.h>\n"),
    (walls, X, JOSE + '#include "json/json.h"\n'),
    (walls, X, JOSE + '#include "password/kdf.h"\n'),
    (walls, X, JOSE + '#include "lib.h"\n'),
    (walls, "lib/crypto/crypto.h", '#include "jose/jose.h"\n'),
    (walls, "lib/base/base.h", '#include "crypto/crypto.h"\n'),
    (walls, "module/x.c", '#include "skin.h"\n#include "jose/jose.h"\n'),
    (walls, "module/x.c", '#include "skin.h"\n#include "module.c"\n'),
    (walls, "module/token/x.c", '#include "skin.h"\n#include "names.h"\n'),
    (walls, "module/token/x.c", '#include "skin.h"\n#include "key/jwk.h"\n'),
    (prefixes, X, JOSE + "int\nx_go(int x)\n{\n    return x;\n}\n"),
    (prefixes, X, JOSE + "int\nfb_y_go(int x)\n{\n    return x;\n}\n"),
    (prefixes, X, JOSE + "const int y_table[] = {1};\n"),
    (prefixes, X, JOSE + "const char *\ngo(int x)\n{\n    return x;\n}\n"),
    (
        prefixes,
        "lib/password/argon2/blake2b.c",
        "void\nblake2b_init(int x)\n{\n    x++;\n}\n",
    ),
    (columns, X, JOSE + "/* " + "x" * 75 + " */\n"),
    (columns, X, JOSE + "/* --- x --- */\n"),
    (checked, "lib/jose/x.h", "status x_go(int x,\n            int y);\n"),
    (checked, "lib/jose/x.h", "    status (*go)(int x);\n"),
    (checked, X, JOSE + "static status\ngo(int x)\n{\n    return x;\n}\n"),
    (checked, X, JOSE + "typedef status (*go)(int x);\n"),
    (banned_calls, X, JOSE + "void\nx(char *p)\n{\n    strcpy(p, q);\n}\n"),
    (banned_calls, X, JOSE + "void\nx(char *p)\n{\n    sprintf (p, q);\n}\n"),
    (early_compare, X, JOSE + "    if (memcmp(mac, given, 32) == 0) {\n"),
    (early_compare, X, JOSE + "    if (strcmp(a, self->secret) == 0) {\n"),
    (mutable_data, X, JOSE + "static int count;\n"),
    (mutable_data, X, JOSE + "static const char *name = 0;\n"),
    (mutable_data, X, JOSE + "void\nx(void)\n{\n    static int n = 0;\n}\n"),
    (mutable_data, X, JOSE + "static struct row rows[] = {\n    {0}};\n"),
    (mutable_data, X, JOSE + "int count = 0;\n"),
    (long_functions, X, JOSE + f"int\nx(int x)\n{{\n{LINE * 61}}}\n"),
    (long_file, X, JOSE + "\n" * FILE_LINES),
    (
        leaky_returns,
        X,
        JOSE + "int\nx(void)\n{\n    if (a) {\n        goto done;\n    }\n"
        "    if (b) {\n        return 1;\n    }\ndone:\n    return 0;\n}\n",
    ),
    (held, "module/x.c", "    PyArg_ParseTupleAndKeywords(args, kwargs, f, k);\n"),
]


@pytest.mark.parametrize(("rule", "name", "text"), PLANTED)
def test_a_planted_violation_is_seen(
    rule: Callable[[Source], list[str]], name: str, text: str
) -> None:
    assert rule(Source(name, text)) != []


INNOCENT = (
    JOSE
    + """
static const char *const names[] = {"strcpy(", "static int x;"};
static const int rows[2][2] = {{1, 2}, {3, 4}};
/* sprintf(mac) and memcmp(secret) are only spoken of;
static int x; is not declared. */
/* --- halves -------------------------------------------------------------- */

static int
half(int x)
{
    static const char hex[] = "0123456789abcdef";
    if (memcmp(key, "kid", 3) == 0) { /* public */
        goto done;
    }
    x = CRYPTO_memcmp(mac, given, 32);
done:
    return x / 2;
}

CHECKED static status
go(int x)
{
    status result = fb_x_go(x);
    return result;
}

status
fb_x_go(int x)
{
    return go(x);
}
"""
)


@pytest.mark.parametrize("rule", RULES)
def test_good_code_passes(rule: Callable[[Source], list[str]]) -> None:
    assert rule(Source(X, INNOCENT)) == []
