"""The ``serve`` fixture, and what a run says about itself at its end.

Nothing here imports a package that the core's own tests do without: a fixture
imports what it needs when a test asks for it.
"""

from __future__ import annotations

import os
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fastbearer import _core
from left_open import found_open, watch_event_loops
from sanitized import IS_SANITIZED, SKIPPED, let_others_run_without
from servers import BOTH, installed, stop_servers
from waiting import HANG

if TYPE_CHECKING:
    from asgi import ASGIApp


MET = {
    "a real HTTP server": {"serve", "http"},
    "PostgreSQL": {"postgres"},
    "PgBouncer": {"pgbouncer"},
    "MariaDB": {"mariadb"},
    "Redis": {"redis", "redis_cluster", "redis_sentinel"},
    "a Redis Cluster": {"redis_cluster"},
    "a Redis with a Sentinel": {"redis_sentinel"},
    "Node": {"node"},
    "Chromium": {"chromium"},
}
"""What a test can meet: label -> the fixtures and markers that say so."""

TOKEN = re.compile("eyJ[A-Za-z0-9_-]{8}")
"""How the header of a signed token begins."""

HTTP = "a real HTTP server"
SERVERS = [
    *("PostgreSQL", "PgBouncer", "MariaDB"),
    *("Redis", "a Redis Cluster", "a Redis with a Sentinel"),
]
"""Those without which a full run proves too little. Where ``TEST_SERVERS=all``,
it fails for want of one; elsewhere it says so."""

EVERYTHING = "not soak"
"""The choice of markers in pyproject.toml, with which nobody has chosen a part."""

counts = pytest.StashKey[Counter[str]]()


@pytest.fixture
def serve() -> Iterator[Callable[[ASGIApp], str]]:
    """Start uvicorn with an app: ``base_url = serve(app)``, any number of times.

    Every server has a free loopback port and its own thread and event loop,
    runs the app's lifespan, and stops when the test ends. What stops a
    start-up is raised in the test.
    """
    from asgi import running

    with ExitStack() as servers:
        yield lambda app: servers.enter_context(running(app))


@pytest.fixture(params=BOTH)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path | str]:
    """An empty store of each kind: SQLite's file, or the URL of another database."""
    from accounts_kit import store_of

    with store_of(request.param, tmp_path) as store:
        yield store


def pytest_configure(config: pytest.Config) -> None:
    config.stash[counts] = Counter()
    watch_event_loops()
    for label, names in MET.items():
        for name in names:
            config.addinivalue_line("markers", f"{name}: meets {label}")
    make_hypothesis_patient()
    make_httpx2_patient()
    if IS_SANITIZED:
        let_others_run_without()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip, where a sanitizer watches, what cannot run beside it."""
    for item in items if IS_SANITIZED else ():
        for name, reason in SKIPPED.items():
            if item.get_closest_marker(name) or name in getattr(
                item, "fixturenames", ()
            ):
                item.add_marker(pytest.mark.skip(reason=reason))


def pytest_make_parametrize_id(val: object) -> str | None:
    """Keep tokens out of ids: every process must give a test the same one."""
    text = val.decode("latin-1") if isinstance(val, bytes) else val
    return "token" if isinstance(text, str) and TOKEN.match(text) else None


def make_hypothesis_patient() -> None:
    """Let no property fail because the machine is busy."""
    try:
        from hypothesis import HealthCheck, settings
    except ImportError:  # an environment that has the core alone
        return
    settings.register_profile(
        "fastbearer", deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
    settings.load_profile("fastbearer")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Write into the report what the test met: it may be counted elsewhere."""
    report = yield
    if report.when == "call" and not report.skipped:
        report.user_properties.append(("met", what_it_met(item)))
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, None, None]:
    """Fail the very test whose event loop has ended before its connections."""
    yield
    left = found_open()
    if left:
        pytest.fail(f"left open: {', '.join(left)}", pytrace=False)


def what_it_met(item: pytest.Item) -> list[str]:
    """Return the labels of MET that this test's fixtures and markers name."""
    names = {mark.name for mark in item.iter_markers()}
    names.update(getattr(item, "fixturenames", ()))
    return [label for label, signs in MET.items() if names & signs]


def make_httpx2_patient() -> None:
    """Let no request of a test end because the server is slow: it waits five seconds.

    Where the package itself asks, it says how long it waits.
    """
    try:
        import httpx2
    except ImportError:
        return
    one_by_one = ("get", "options", "head", "post", "put", "patch", "delete")
    functions = [getattr(httpx2, name) for name in (*one_by_one, "request")]
    kinds = (httpx2.Client, httpx2.AsyncClient)
    for function in (*functions, *(kind.__init__ for kind in kinds)):
        function.__kwdefaults__["timeout"] = HANG


class Tally:
    """Counts what tests met, in the process that gathers every report."""

    def __init__(self, config: pytest.Config) -> None:
        self._counts = config.stash[counts]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        for name, met in report.user_properties:
            if name == "met" and isinstance(met, list):
                self._counts.update(met)


def is_worker(config: pytest.Config) -> bool:
    """Tell whether this process runs tests for another one (pytest-xdist)."""
    return hasattr(config, "workerinput")


def pytest_sessionstart(session: pytest.Session) -> None:
    if not is_worker(session.config):
        session.config.pluginmanager.register(Tally(session.config))


def pytest_report_header() -> str:
    """Say which core is tested: a release build, or a sanitized one elsewhere."""
    return f"core: {_core.__file__}, {_core.libcrypto_version}"


def is_full_run(config: pytest.Config) -> bool:
    """Tell whether nobody asked for a part of the tests."""
    options = config.option
    chosen = options.keyword or options.collectonly or getattr(options, "lf", False)
    chosen = chosen or options.markexpr not in ("", EVERYTHING)
    return not chosen and config.args_source is not pytest.Config.ArgsSource.ARGS


def lacks(config: pytest.Config) -> list[str]:
    """Return what a full run should have met and did not: it proved too little."""
    if is_worker(config) or not is_full_run(config):
        return []
    wanted = {HTTP, *installed()}
    if os.environ.get("TEST_SERVERS") == "all":
        wanted |= {*SERVERS}
    return [
        label for label in MET if label in wanted and not config.stash[counts][label]
    ]


def not_there(config: pytest.Config) -> list[str]:
    """Return the servers that a full run did without."""
    if is_worker(config) or not is_full_run(config):
        return []
    found = installed()
    return [label for label in SERVERS if label not in found]


def pytest_sessionfinish(session: pytest.Session) -> None:
    if session.exitstatus == pytest.ExitCode.OK and lacks(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_unconfigure() -> None:
    stop_servers()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> Generator[None, None, None]:
    """Write our lines after every other summary, before pytest's closing one."""
    yield
    skipped = reasons_to_skip(terminalreporter)
    for reason, tests in skipped.items():
        terminalreporter.write_line(f"skipped: {', '.join(tests)}: {reason}")
    for label in not_there(config):
        text = f"NOT TESTED, for it cannot be started here: {label}"
        terminalreporter.write_line(text, red=True)
    for label in lacks(config):
        terminalreporter.write_line(f"FAILED: no test met {label}", red=True)
    met = ", ".join(f"{config.stash[counts][label]} {label}" for label in MET)
    total = sum(map(len, skipped.values()))
    terminalreporter.write_line(f"tests that met: {met}; skipped: {total}")


def reasons_to_skip(reporter: pytest.TerminalReporter) -> dict[str, list[str]]:
    """Return the skipped tests' ids by the reason they gave."""
    tests = defaultdict(list)
    for report in reporter.getreports("skipped"):
        reason = report.longrepr
        text = reason[2] if isinstance(reason, (tuple, list)) else str(reason)
        tests[text.removeprefix("Skipped: ")].append(report.nodeid)
    return tests
