"""The extension module; everything else stands in pyproject.toml.

``FASTBEARER_BUILD`` picks the flags: ``release`` (default), ``debug`` or
``sanitize`` (AddressSanitizer and UndefinedBehaviorSanitizer).
``FASTBEARER_LIBARGON2=0`` leaves libargon2 out where it is installed.
``FASTBEARER_LIBCRYPTO`` names a static libcrypto.a, which is linked in place of the
shared library; its headers are those of ``../include`` beside it, where there are any.
"""

import os
import re
import subprocess
import sys
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from glob import glob
from itertools import chain

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

PAGES = "https://github.com/fastbearer/fastbearer/blob/main/"
LIBCRYPTO = "libcrypto >= 3.0.3"
LIBRARIES = [LIBCRYPTO]

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
        "-O3", "-fno-plt", "-fno-semantic-interposition", "-D_FORTIFY_SOURCE=2",
    ],
    "debug": ["-O0", "-g3", "-UNDEBUG", "-Werror"],
    "sanitize": [
        "-O1", "-g3", "-UNDEBUG", "-fno-omit-frame-pointer",
        "-fsanitize=address,undefined", "-fno-sanitize-recover=all",
    ],
}  # fmt: skip
# The module's one exported name is PyInit__core, whatever is linked into it.
LINKING = {
    "darwin": ["-Wl,-exported_symbol,_PyInit__core"],
    "elf": [
        "-Wl,-z,relro,-z,now,-z,noexecstack",
        "-Wl,--version-script=csrc/module/exports.map",
    ],
}["darwin" if sys.platform == "darwin" else "elf"]


def has_libargon2() -> bool:
    """Tell whether libargon2 is there, which is one more engine for Argon2."""
    if os.environ.get("FASTBEARER_LIBARGON2") == "0":
        return False
    try:
        return subprocess.call(["pkg-config", "--exists", "libargon2"]) == 0
    except FileNotFoundError:
        return False


def long_description() -> str:
    """Return README.md as PyPI shows it, where relative links would lead nowhere."""
    with open("README.md", encoding="utf-8") as file:
        return re.sub(r"\]\((?!https?://|#)", f"]({PAGES}", file.read())


def pkg_config(option: str, libraries: list[str]) -> list[str]:
    """Return what pkg-config prints for libraries, as arguments."""
    if not libraries:
        return []
    command = ["pkg-config", "--print-errors", option, *libraries]
    try:
        return subprocess.check_output(command, text=True).split()
    except FileNotFoundError:
        raise SystemExit("fastbearer: pkg-config is missing") from None
    except subprocess.CalledProcessError:
        raise SystemExit(
            "fastbearer: a C library is missing (see above); on Debian: apt-get "
            "install pkg-config libssl-dev"
        ) from None


def library_arguments(archive: str | None) -> tuple[list[str], list[str]]:
    """Return what the compiler and what the linker is told of the libraries.

    Args:
        archive: A static libcrypto.a, or None for the shared one.
    """
    if archive is None:
        return pkg_config("--cflags", LIBRARIES), pkg_config("--libs", LIBRARIES)
    if not os.path.isfile(archive):
        raise SystemExit(f"fastbearer: FASTBEARER_LIBCRYPTO: no such file: {archive}")
    others = [name for name in LIBRARIES if name != LIBCRYPTO]
    include = os.path.join(os.path.dirname(archive), os.pardir, "include")
    if os.path.isdir(os.path.join(include, "openssl")):
        headers = [f"-I{include}", *pkg_config("--cflags", others)]
    else:
        headers = pkg_config("--cflags", LIBRARIES)
    return headers, [archive, *pkg_config("--libs", others)]


class ParallelBuild(build_ext):  # type: ignore[misc]
    """Compiles as many files at a time as there are CPUs."""

    def build_extensions(self) -> None:
        """Build as always, each source by a call of its own."""
        compile_all = self.compiler.compile

        def compile_each(sources: list[str], **options: object) -> list[str]:
            def compile_one(source: str) -> list[str]:
                return list(compile_all([source], **options))

            with ThreadPoolExecutor(os.cpu_count()) as pool:
                return [*chain.from_iterable(pool.map(compile_one, sources))]

        self.compiler.compile = compile_each
        super().build_extensions()


defines = []
if has_libargon2():
    LIBRARIES.append("libargon2")
    defines = ["-DFASTBEARER_LIBARGON2"]
build = os.environ.get("FASTBEARER_BUILD", "release")
if build not in FLAGS:
    raise SystemExit(f"fastbearer: FASTBEARER_BUILD must be one of {', '.join(FLAGS)}")
if "CFLAGS" in os.environ:
    # setuptools would let them replace the interpreter's own, on which its
    # headers rely (-fwrapv, -DNDEBUG).
    own = sysconfig.get_config_var("CFLAGS") or ""
    os.environ["CFLAGS"] = f"{own} {os.environ['CFLAGS']}"
compiling, linking = library_arguments(os.environ.get("FASTBEARER_LIBCRYPTO") or None)
# Debug information would name the build's folder, and differ with it.
root = os.path.dirname(os.path.abspath(__file__))
sanitizers = [flag for flag in FLAGS[build] if flag.startswith("-fsanitize")]

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
                f"-ffile-prefix-map={root}=.",
                *FLAGS[build],
                *defines,
                *compiling,
            ],
            extra_link_args=[
                *LINKING,
                *sanitizers,
                *linking,
            ],
        )
    ],
)
