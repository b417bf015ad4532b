"""The documentation site, built once for all tests, and what a browser says of a page.

    with served_site() as base_url:
        page.goto(f"{base_url}/guide/fastapi/")
        assert faults_of(page) == []

axe-core, of npm, judges the contrast and the rest of WCAG 2.2 AA.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from playwright.sync_api import Browser, BrowserContext, Page

from browser import PATIENCE
from npm import npm_install
from project import ROOT, locked

BUILT = ROOT / "build" / "docs-tested"
SCREENSHOTS = ROOT / "build" / "docs-screenshots"
AXE = json.dumps({"private": True, "dependencies": {"axe-core": "4.14.1"}})
STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
SOURCES = ("docs/**/*", "python/**/*.py*", "scripts/docs*", "scripts/reference/*.py")

SIZES = {"desktop": (1280, 900), "phone": (360, 740)}
SCHEMES = ("light", "dark")


def state() -> str:
    """Return what changes with everything that the site is made of."""
    files = [
        file
        for pattern in (*SOURCES, "pyproject.toml", "csrc/lib/base/status.h")
        for file in ROOT.glob(pattern)
        if file.is_file()
    ]
    newest = max(file.stat().st_mtime_ns for file in files)
    return f"{len(files)} files, the newest of {newest}"


@cache
def built_site() -> Path:
    """Return the folder of the site, which is built where something has changed."""
    stamp = BUILT / "state"
    with locked(BUILT.with_suffix(".lock")):
        if not stamp.exists() or stamp.read_text() != state():
            stamp.unlink(missing_ok=True)
            program = ROOT / "scripts" / "docs"
            subprocess.run([sys.executable, program, BUILT], check=True)
            stamp.write_text(state())
    return BUILT / "site"


def paths() -> list[str]:
    """Return the path of every page of the site."""
    site = built_site()
    files = sorted(site.rglob("index.html"))
    return [f"{file.parent.relative_to(site)}/".removeprefix("./") for file in files]


class Quiet(SimpleHTTPRequestHandler):
    """Answers without a line in the log."""

    def log_message(self, format: str, *args: object) -> None:
        """Write nothing."""


@contextmanager
def served_site() -> Iterator[str]:
    """Serve the site, and yield its address."""
    handler = partial(Quiet, directory=str(built_site()))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def reader(browser: Browser, size: str, scheme: str) -> BrowserContext:
    """Return a context with a size of ``SIZES`` and a scheme of ``SCHEMES``."""
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
        is_mobile=size == "phone",
        reduced_motion="reduce",
    )
    context.set_default_timeout(PATIENCE)
    return context


@cache
def axe_source() -> tuple[str, str]:
    """Return the program of axe-core, and why it cannot be had, or ""."""
    folder, failure = npm_install("axe", AXE)
    if failure:
        return "", failure
    return (folder / "node_modules" / "axe-core" / "axe.min.js").read_text(), ""


def broken_rules(page: Page) -> list[str]:
    """Return a line for each element that breaks a rule of WCAG."""
    source, failure = axe_source()
    assert not failure, failure
    page.evaluate(source)
    found = page.evaluate(
        "tags => axe.run(document, {\n"
        "    runOnly: {type: 'tag', values: tags}, resultTypes: ['violations']})",
        STANDARDS,
    )
    return [
        f"{broken['id']}: {node['html'][:120]} {node['failureSummary'][:200]}"
        for broken in found["violations"]
        for node in broken["nodes"]
    ]


def wider_than_the_window(page: Page) -> list[str]:
    """Return what makes the page scroll sideways: nothing, or some elements."""
    return page.evaluate(
        """() => {
            const width = document.documentElement.clientWidth;
            if (document.documentElement.scrollWidth <= width) return [];
            const wide = [...document.querySelectorAll("article *")].filter(
                one => one.getBoundingClientRect().right > width + 1);
            return ["wider than the window",
                ...wide.slice(0, 5).map(one => one.outerHTML.slice(0, 120))];
        }"""
    )
