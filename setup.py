"""The extension module; everything else stands in pyproject.toml.

``FASTBEARER_BUILD`` picks the flags: ``release`` (default), ``debug``, ``sanitize``
(AddressSanitizer and UndefinedBehaviorSanitizer), ``coverage`` (clang's counters),
``training`` (the same, of what a release compiles) or ``quick`` (what is compiled
soonest, for mutants).
``FASTBEARER_PROFILE`` names what clang counted in a training, for a release.
``FASTBEARER_LIBARGON2=0`` and ``FASTBEARER_LIBSODIUM=0`` leave these libraries out
where they are installed.
``FASTBEARER_LIBCRYPTO`` names a static libcrypto.a, which is linked in place of the
shared library; its headers are those of ``../include`` beside it, where there are any.
``FASTBEARER_LIBSODIUM`` may name a libsodium.a in the same way.
"""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from glob import glob
from itertools import chain, islice
from tempfile import TemporaryDirectory

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

PAGES = "https://github.com/fastbearer/fastbearer/blob/main/"
PICTURES = "https://raw.githubusercontent.com/fastbearer/fastbearer/main/"
LIBCRYPTO = "libcrypto >= 3.0.3"
OPTIONAL = {"libargon2": "argon2.h", "libsodium": "sodium.h"}
"""A library that the core can do without, as pkg-config knows it -> its header."""
INSTALL = {
    "  Debian, Ubuntu": (
        "apt-get install gcc libc6-dev pkg-config python3-dev libssl-dev"
    ),
    "  Fedora": "dnf install gcc pkgconf-pkg-config python3-devel openssl-devel",
    "  Alpine": "apk add gcc musl-dev pkgconf python3-dev openssl-dev",
    "  macOS": "xcode-select --install; brew install pkgconf openssl@3",
}
"""A system -> the line that installs what the build needs."""

WARNINGS = [
    "-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-Wformat=2", "-Wvla",
    "-Wstrict-prototypes", "-Wmissing-prototypes", "-Werror=unused-result",
]  # fmt: skip
HARDENING = [
    "-fvisibility=hidden", "-fstack-protector-strong",
    "-fstack-clash-protection", "-U_FORTIFY_SOURCE",
]  # fmt: skip
FLAGS = {
    "release": [
        "-O3", "-DNDEBUG", "-fno-plt", "-fno-semantic-interposition",
        "-D_FORTIFY_SOURCE=2",
    ],
    "debug": ["-O0", "-g3", "-UNDEBUG", "-Werror"],
    "sanitize": [
        "-O1", "-g3", "-UNDEBUG", "-fno-omit-frame-pointer",
        "-fsanitize=address,undefined", "-fno-sanitize-recover=all",
    ],
    "coverage": [
        "-O1", "-fcoverage-mapping",
        f"-fprofile-instr-generate={os.path.abspath('build/coverage/c')}/%4m.profraw",
    ],
    "training": ["-O1", "-DNDEBUG", "-fprofile-instr-generate", "-w"],
    "quick": ["-O1", "-g0", "-w"],
}  # fmt: skip
LINK_TIME = ("-flto=auto", "-flto")  # zig's compiler knows only the latter
"""Either lets the compiler look at all files of a release together, where it can."""
# The module's one exported name is PyInit__core, whatever is linked into it.
LINKING = {
    "darwin": ["-Wl,-exported_symbol,_PyInit__core"],
    "win32": [],  # Python.h declares that name, and no other, as exported
    "elf": [
        "-Wl,-z,relro,-z,now,-z,noexecstack",
        "-Wl,--version-script=csrc/module/exports.map",
    ],
}[sys.platform if sys.platform in ("darwin", "win32") else "elf"]


def long_description() -> str:
    """Return README.md as PyPI shows it, where relative links would lead nowhere."""
    with open("README.md", encoding="utf-8") as file:
        text = file.read()
    relative = r"(?!https?://|#)"
    text = re.sub(rf"(!\[[^\]]*\]\(){relative}", rf"\1{PICTURES}", text)
    text = re.sub(rf'((?:src|srcset)="){relative}', rf"\1{PICTURES}", text)
    return re.sub(rf"\]\({relative}", f"]({PAGES}", text)


def knows(library: str) -> bool:
    """Tell whether pkg-config is there and knows a library."""
    if not shutil.which("pkg-config"):
        return False
    return subprocess.call(["pkg-config", "--exists", library]) == 0


def pkg_config(option: str, libraries: list[str]) -> list[str]:
    """Return what pkg-config prints for libraries, as arguments."""
    command = ["pkg-config", "--print-errors", option, *libraries]
    return subprocess.check_output(command, text=True).split()


def static_archive(variable: str) -> str | None:
    """Return the archive that is to be linked in place of a shared library."""
    archive = os.environ.get(variable) or None
    if archive and not os.path.isfile(archive):
        raise SystemExit(f"fastbearer: {variable}: no such file: {archive}")
    return archive


def headers_beside(archive: str, header: str = "openssl") -> str | None:
    """Return the folder of a library's headers that belong to an archive."""
    folder = os.path.join(os.path.dirname(archive), os.pardir, "include")
    return folder if os.path.exists(os.path.join(folder, header)) else None


def missing(compiler: str, archive: str | None) -> list[str]:
    """Return what has to be installed before this can be compiled."""
    found = []
    if not shutil.which(compiler):
        found.append(f"a C compiler ({compiler})")
    python_h = os.path.join(sysconfig.get_path("include"), "Python.h")
    if not os.path.isfile(python_h):
        found.append(f"Python's headers ({python_h})")
    if archive and headers_beside(archive):
        return found
    if not shutil.which("pkg-config"):
        found.append("pkg-config")
    if not knows(LIBCRYPTO):
        found.append(f"OpenSSL with its headers ({LIBCRYPTO}, which pkg-config finds)")
    return found


def libcrypto_arguments(archive: str | None) -> tuple[list[str], list[str]]:
    """Return what the compiler and what the linker is told of libcrypto."""
    beside = headers_beside(archive) if archive else None
    headers = [f"-I{beside}"] if beside else pkg_config("--cflags", [LIBCRYPTO])
    return headers, [archive] if archive else pkg_config("--libs", [LIBCRYPTO])


def optional_arguments(library: str) -> tuple[list[str], list[str]]:
    """Return the same of a library that the core can do without."""
    variable = f"FASTBEARER_{library.upper()}"
    chosen = os.environ.get(variable)
    if chosen == "0" or not (chosen or knows(library)):
        return [], []
    archive = static_archive(variable)
    if archive is None:
        headers = pkg_config("--cflags", [library])
        return [f"-D{variable}", *headers], pkg_config("--libs", [library])
    beside = headers_beside(archive, OPTIONAL[library])
    return [f"-D{variable}", *([f"-I{beside}"] if beside else [])], [archive]


def library_arguments(archive: str | None) -> tuple[list[str], list[str]]:
    """Return what the compiler and what the linker is told of the libraries."""
    found = [optional_arguments(library) for library in OPTIONAL]
    found.append(libcrypto_arguments(archive))
    compiling, linking = zip(*found, strict=True)
    return [*chain.from_iterable(compiling)], [*chain.from_iterable(linking)]


def links_with(command: list[str], flag: str) -> bool:
    """Tell whether a compiler compiles and links a library with a flag.

    clang does only beside a linker of its own.
    """
    with TemporaryDirectory() as folder:
        source = os.path.join(folder, "a.c")
        with open(source, "w", encoding="ascii") as file:
            file.write("int answer(void); int answer(void) { return 42; }\n")
        library = os.path.join(folder, "a.so")
        call = [*command, "-fPIC", "-shared", "-Werror", flag, source, "-o", library]
        try:
            return subprocess.run(call, capture_output=True).returncode == 0
        except OSError:
            return False


def link_time(command: list[str]) -> list[str]:
    """Return the flag of LINK_TIME that a compiler takes, if there is one."""
    known = (flag for flag in LINK_TIME if links_with(command, flag))
    return [*islice(known, 1)]


class ParallelBuild(build_ext):  # type: ignore[misc]
    """Compiles as many files at a time as there are CPUs."""

    def find_libraries(self) -> None:
        """Tell the compiler where the libraries are, or the user what is missing."""
        archive = static_archive("FASTBEARER_LIBCRYPTO")
        lacking = missing(self.compiler.compiler_so[0], archive)
        if lacking:
            lines = ["fastbearer cannot be compiled. This is missing:", *lacking]
            lines = ["\n  ".join(lines), "What installs it, on"]
            raise SystemExit("\n".join([*lines, *map(": ".join, INSTALL.items())]))
        compiling, linking = library_arguments(archive)
        if build == "release":
            together = link_time(self.compiler.compiler_so)
            compiling += together
            linking += [*together, PREFIX_MAP, *FLAGS[build]] if together else []
        for extension in self.extensions:
            extension.extra_compile_args += compiling
            extension.extra_link_args += linking

    def build_extensions(self) -> None:
        """Build as always, each source by a call of its own."""
        self.find_libraries()
        compile_all = self.compiler.compile

        def compile_each(sources: list[str], **options: object) -> list[str]:
            def compile_one(source: str) -> list[str]:
                return list(compile_all([source], **options))

            with ThreadPoolExecutor(os.cpu_count()) as pool:
                return [*chain.from_iterable(pool.map(compile_one, sources))]

        self.compiler.compile = compile_each
        super().build_extensions()


build = os.environ.get("FASTBEARER_BUILD", "release")
if build not in FLAGS:
    raise SystemExit(f"fastbearer: FASTBEARER_BUILD must be one of {', '.join(FLAGS)}")
if os.environ.get("FASTBEARER_PROFILE"):
    # Files that the training has no need of are none to warn of.
    FLAGS["release"] += [
        f"-fprofile-instr-use={os.environ['FASTBEARER_PROFILE']}",
        "-Wno-profile-instr-unprofiled",
    ]
if "CFLAGS" in os.environ:
    # setuptools would let them replace the interpreter's own, on which its
    # headers rely (-fwrapv, -DNDEBUG).
    own = sysconfig.get_config_var("CFLAGS") or ""
    os.environ["CFLAGS"] = f"{own} {os.environ['CFLAGS']}"
# Debug information would name the build's folder, and differ with it.
root = os.path.dirname(os.path.abspath(__file__))
PREFIX_MAP = f"-ffile-prefix-map={root}=."
RUNTIMES = ("-fsanitize", "-fprofile")
runtimes = [flag for flag in FLAGS[build] if flag.startswith(RUNTIMES)]

setup(
    long_description=long_description(),
    long_description_content_type="text/markdown",
    cmdclass={"build_ext": ParallelBuild},
    ext_modules=[
        Extension(
            "fastbearer._core",
            sources=sorted(glob("csrc/**/*.c", recursive=True)),
            depends=sorted(glob("csrc/**/*.h", recursive=True)),
            include_dirs=["csrc/lib", "csrc/module"],
            extra_compile_args=[
                "-std=c11",
                *WARNINGS,
                *HARDENING,
                "-pthread",
                PREFIX_MAP,
                *FLAGS[build],
            ],
            extra_link_args=[*LINKING, *runtimes],
        )
    ],
)
