"""TypeScript of the pages: its types are checked, and it becomes JavaScript to run."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from npm import npm_install
from servers import NO_NODE, has_node

PACKAGE = json.dumps(
    {
        "private": True,
        "dependencies": {
            "typescript": "~5.9.0",
            "@types/node": "^20.0.0",
            "@types/react": "^19.0.0",
        },
    }
)
OPTIONS = {
    "strict": True,
    "target": "ES2022",
    "module": "ES2022",
    "moduleResolution": "bundler",
    "jsx": "react-jsx",
    "lib": ["ES2022", "DOM", "DOM.Iterable"],
    "types": ["node"],
    "paths": {"@/*": ["./*"]},  # as create-next-app has it
    "outDir": "js",
}
STUBS = """\
declare module "@vitejs/plugin-react" { export default function react(): object; }
declare module "vite" { export function defineConfig(config: object): object; }
declare module "next" {
  export type NextConfig = {
    rewrites?: () => Promise<{ source: string; destination: string }[]>;
  };
}
declare module "next/headers" {
  export function cookies(): Promise<{ toString(): string }>;
}
declare module "next/navigation" { export function redirect(path: string): never; }
"""
"""What of Vite and Next the pages use, which are too large to install for it."""


def install() -> tuple[Path, str]:
    """Install the compiler; return the folder, and what npm said if it failed."""
    return npm_install("typescript", PACKAGE)


def installed() -> Path:
    """Return the folder with the compiler; skip the test where there is none."""
    if not has_node():
        pytest.skip(NO_NODE)
    folder, failure = install()
    if failure:
        pytest.skip(f"NO TYPESCRIPT: npm install failed: {failure}")
    return folder


def compiled(folder: Path) -> Path:
    """Compile the TypeScript in a folder strictly; return where the JavaScript is."""
    home = installed()
    (folder / "stubs.d.ts").write_text(STUBS)
    (folder / "tsconfig.json").write_text(json.dumps({"compilerOptions": OPTIONS}))
    (folder / "package.json").write_text('{"type": "module"}')
    modules = folder / "node_modules"
    if not modules.exists():
        modules.symlink_to(home / "node_modules")
    done = subprocess.run(
        [home / "node_modules/.bin/tsc", "--project", "tsconfig.json"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "js"
