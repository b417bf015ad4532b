"""How many cores a process may keep busy, as its files in /proc and /sys say."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NoReturn

import pytest

from fastbearer.cpu_limit import available_cores, quota_cores

CGROUP2 = "31 23 0:28 / /sys/fs/cgroup rw - cgroup2 cgroup rw\n"
CGROUP1 = (
    "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid - cgroup cgroup rw,cpu,cpuacct\n"
    "33 31 0:30 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
)
CPU = "sys/fs/cgroup/cpu,cpuacct"


class Host:
    """A root folder with the files that the kernel would show."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.write("proc/self/mountinfo", CGROUP2)
        self.write("proc/self/cgroup", "0::/\n")

    def write(self, path: str, text: str) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def limit(self, folder: str, text: str) -> None:
        self.write(f"sys/fs/cgroup{folder}/cpu.max", text)

    def limit_old(self, folder: str, quota: object, period: object = 100000) -> None:
        self.write(f"{CPU}{folder}/cpu.cfs_quota_us", f"{quota}\n")
        self.write(f"{CPU}{folder}/cpu.cfs_period_us", f"{period}\n")

    @property
    def quota(self) -> int | None:
        return quota_cores(str(self.root))


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


@pytest.fixture
def old_host(host: Host) -> Host:
    host.write("proc/self/mountinfo", CGROUP1)
    host.write("proc/self/cgroup", "5:memory:/m\n4:cpu,cpuacct:/kube/pod\n0::/\n")
    return host


@pytest.mark.parametrize(
    ("text", "cores"),
    [
        ("100000 100000\n", 1),
        ("200000 100000\n", 2),
        ("250000 100000\n", 3),
        ("200001 100000\n", 3),
        ("50000 100000\n", 1),
        ("1000 100000\n", 1),
        ("50000 25000\n", 2),
        ("max 100000\n", None),
        ("max\n", None),
        ("", None),
        ("\n", None),
        ("100000", None),
        ("100000 0\n", None),
        ("0 100000\n", None),
        ("-1 100000\n", None),
        ("1e5 100000\n", None),
        ("100000 100000 7\n", None),
        ("9" * 40 + " 100000\n", None),
        ("\u0661\u0660 10\n", None),
        ("\0\0\n", None),
    ],
)
def test_the_quota_of_version_2(host: Host, text: str, cores: int | None) -> None:
    host.limit("", text)
    assert host.quota == cores


@pytest.mark.parametrize(
    ("quota", "period", "cores"),
    [
        (100000, 100000, 1),
        (150000, 100000, 2),
        (400000, 100000, 4),
        (-1, 100000, None),
        (0, 100000, None),
        (100000, 0, None),
        ("x", 100000, None),
        ("", "", None),
    ],
)
def test_the_quota_of_version_1(
    old_host: Host, quota: object, period: object, cores: int | None
) -> None:
    old_host.limit_old("/kube/pod", quota, period)
    assert old_host.quota == cores


def test_the_tightest_of_nested_groups_counts(host: Host) -> None:
    host.write("proc/self/cgroup", "0::/kube/pod/container\n")
    host.limit("/kube/pod/container", "800000 100000")
    host.limit("/kube/pod", "200000 100000")
    host.limit("/kube", "max 100000")
    host.limit("/kube/other", "100000 100000")
    assert host.quota == 2
    host.limit("/kube/pod", "max 100000")
    assert host.quota == 8
    host.limit("", "300000 100000")
    assert host.quota == 3


def test_nested_groups_of_version_1(old_host: Host) -> None:
    old_host.limit_old("/kube/pod", -1)
    old_host.limit_old("/kube", 300000)
    assert old_host.quota == 3


def test_both_versions_at_once(old_host: Host) -> None:
    old_host.write("proc/self/mountinfo", CGROUP1 + CGROUP2)
    old_host.limit_old("/kube/pod", 300000)
    assert old_host.quota == 3
    old_host.limit("", "200000 100000")
    assert old_host.quota == 2


def test_a_container_that_sees_only_its_own_group(host: Host) -> None:
    """The mount's root is the group, whose path is that of the host."""
    mount = "31 23 0:28 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup rw\n"
    host.write("proc/self/mountinfo", mount)
    host.limit("", "100000 100000")
    for path in ("/docker/abc", "/docker/abcdef", "/", "/../other"):
        host.write("proc/self/cgroup", f"0::{path}\n")
        assert host.quota == 1, path
    host.write("proc/self/cgroup", "0::/docker/abc/inner\n")
    host.limit("/inner", "50000 100000")
    host.limit("", "300000 100000")
    assert host.quota == 1


def test_a_mount_point_with_a_space(host: Host) -> None:
    mount = "31 23 0:28 / /sys/fs/c\\040g rw - cgroup2 cgroup rw\n"
    host.write("proc/self/mountinfo", mount)
    host.write("sys/fs/c g/cpu.max", "100000 100000\n")
    assert host.quota == 1


@pytest.mark.parametrize(
    "mountinfo", ["", "nonsense\n", " - \n", "1 2 3 / /x rw - cgroup2\n", "\xff\n"]
)
def test_mounts_that_cannot_be_read(host: Host, mountinfo: str) -> None:
    host.limit("", "100000 100000")
    host.write("proc/self/mountinfo", mountinfo)
    assert host.quota is None


@pytest.mark.parametrize(
    "groups", ["", "nonsense\n", "0:\n", "0::relative\n", "::/\n", "3:memory:/\n"]
)
def test_groups_that_cannot_be_read(host: Host, groups: str) -> None:
    host.limit("", "100000 100000")
    host.write("proc/self/cgroup", groups)
    assert host.quota is None


def test_no_files_at_all(tmp_path: Path) -> None:
    assert quota_cores(str(tmp_path)) is None
    has_affinity = hasattr(os, "sched_getaffinity")
    cores = len(os.sched_getaffinity(0)) if has_affinity else os.cpu_count()
    assert available_cores(str(tmp_path)) == cores


def test_the_least_of_affinity_and_quota(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    cores = set(range(16))
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: cores, raising=False)
    root = str(host.root)
    assert available_cores(root) == 16
    for text, expected in (
        ("100000 100000", 1),
        ("10000 100000", 1),
        ("350000 100000", 4),
        ("6400000 100000", 16),
    ):
        host.limit("", text)
        assert available_cores(root) == expected
    cores = {3}
    assert available_cores(root) == 1


def test_a_sandbox_that_does_not_tell_the_affinity(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_: int) -> NoReturn:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "sched_getaffinity", refused)
    assert available_cores(str(tmp_path)) == os.cpu_count()
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert available_cores(str(tmp_path)) == 1
