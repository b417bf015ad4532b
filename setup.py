"""The extension module; everything else stands in pyproject.toml.

``FASTBEARER_BUILD`` picks the flags: ``release`` (default), ``debug`` or
``sanitize`` (AddressSanitizer and UndefinedBehaviorSanitizer).
``FASTBEARER_LIBARGON2=0`` leaves libargon2 out where it is installed.
"""

import os
import subprocess
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from glob import glob
from itertools import chain

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

LIBRARIES = ["libcrypto >= 3.0.3"]

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


def has_libargon2() -> bool:
    """Tell whether libargon2 is there, which is one more engine for Argon2."""
    if os.environ.get("FASTBEARER_LIBARGON2") == "0":
        return False
    try:
        return subprocess.call(["pkg-config", "--exists", "libargon2"]) == 0
    except FileNotFoundError:
        return False


def pkg_config(option: str) -> list[str]:
    """Return what pkg-config prints for our libraries, as arguments."""
    command = ["pkg-config", "--print-errors", option, *LIBRARIES]
    try:
        return subprocess.check_output(command, text=True).split()
    except FileNotFoundError:
        raise SystemExit("fastbearer: pkg-config is missing") from None
    except subprocess.CalledProcessError:
        raise SystemExit(
            "fastbearer: a C library is missing (see above); on Debian: apt-get "
            "install pkg-config libssl-dev"
        ) from None


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
sanitizers = [flag for flag in FLAGS[build] if flag.startswith("-fsanitize")]

setup(
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
                *FLAGS[build],
                *defines,
                *pkg_config("--cflags"),
            ],
            extra_link_args=[
                "-Wl,-z,relro,-z,now,-z,noexecstack",
                *sanitizers,
                *pkg_config("--libs"),
            ],
        )
    ],
)
