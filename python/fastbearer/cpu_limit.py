"""How many cores this process may keep busy: its affinity and its quota.

A container sees every core of its host and may still be given the time of one.
"""

from __future__ import annotations

import os

__all__ = ["available_cores", "quota_cores"]

CGROUP2_FILE = "cpu.max"
CGROUP1_FILES = "cpu.cfs_quota_us", "cpu.cfs_period_us"
MOST_BYTES = 1 << 20
"""No file of the kernel that is read here comes near."""


def available_cores(root: str = "/") -> int:
    """Return how many cores this process may keep busy, at least one.

    That is the least of its affinity mask and of the quotas of its cgroups. A
    quota that is no whole number of cores is rounded up, as the JVM (since 10)
    and Go (since 1.25) do. Unlike Go, which asks for two threads of its own, a
    quota of one core or less is one: two hashes would take turns, each in
    memory of its own.

    Args:
        root: Where ``proc`` and ``sys`` are looked for; for tests.
    """
    cores = _affinity()
    quota = quota_cores(root)
    return cores if quota is None else max(1, min(cores, quota))


def quota_cores(root: str = "/") -> int | None:
    """Return the quota of this process in whole cores, or None if it has none.

    Every cgroup above the process counts, because each limits all that is in it.
    What is missing or malformed limits nothing.

    Args:
        root: As in `available_cores`.
    """
    quotas = [
        quota
        for mount, own in _hierarchies(root)
        for folder in _folders(mount, own)
        if (quota := _quota_of(root, folder)) is not None
    ]
    return min(quotas, default=None)


def _affinity() -> int:
    """Return how many cores the scheduler may choose; a sandbox may not tell."""
    try:
        return len(os.sched_getaffinity(0))
    except (AttributeError, OSError):
        return os.cpu_count() or 1


def _read(root: str, path: str) -> str:
    """Return the text of a file, or nothing where it cannot be read."""
    try:
        with open(os.path.join(root, path.lstrip("/")), "rb") as file:  # noqa: PTH118, PTH123
            return file.read(MOST_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""


def _hierarchies(root: str) -> list[tuple[str, str]]:
    """Return each mounted hierarchy that may limit CPU time.

    Returns:
        Where it is mounted, and the path of this process's cgroup below that.
    """
    groups = _groups(root)
    found = []
    for line in _read(root, "proc/self/mountinfo").splitlines():
        # proc(5): id, parent, device, root, mount point, options, then any
        # number of fields up to "-", type, source, super options.
        before, dash, after = line.partition(" - ")
        fields, kind = before.split(" "), after.split(" ")
        if not dash or len(fields) < 6 or len(kind) < 3:
            continue
        controller = {"cgroup2": "", "cgroup": "cpu"}.get(kind[0])
        if controller is None or controller not in groups:
            continue
        if controller and controller not in kind[2].split(","):
            continue
        mount = _unescaped(fields[4])
        found.append((mount, _below(_unescaped(fields[3]), groups[controller])))
    return found


def _groups(root: str) -> dict[str, str]:
    """Return the cgroup of this process by controller; of version 2, by ""."""
    groups = {}
    for line in _read(root, "proc/self/cgroup").splitlines():
        # cgroups(7): hierarchy, controllers, path
        number, colon, rest = line.partition(":")
        controllers, other, path = rest.partition(":")
        if not (colon and other and path.startswith("/")):
            continue
        if controllers or number == "0":
            groups.update(dict.fromkeys(controllers.split(","), path))
    return groups


def _below(mounted: str, path: str) -> str:
    """Return the part of a cgroup's path that is below what is mounted.

    Of a group that is not below it, which a bind mount can bring about, what is
    mounted is the nearest that can be seen.
    """
    top = mounted.rstrip("/")
    if path == top or path.startswith(f"{top}/"):
        return path[len(top) :]
    return ""


def _folders(mount: str, own: str) -> list[str]:
    """Return the folders of a cgroup and of all above it, as far as mounted."""
    parts = [part for part in own.split("/") if part]
    if ".." in parts:  # a group outside the namespace (cgroup_namespaces(7))
        parts = []
    return ["/".join([mount, *parts[:depth]]) for depth in range(len(parts) + 1)]


def _quota_of(root: str, folder: str) -> int | None:
    """Return the quota of one cgroup in whole cores, or None."""
    words = _read(root, f"{folder}/{CGROUP2_FILE}").split()
    if not words:
        words = [_read(root, f"{folder}/{name}").strip() for name in CGROUP1_FILES]
    if len(words) != 2 or not all(_is_number(word) for word in words):
        return None  # "max" and -1 are no quota
    quota, period = int(words[0]), int(words[1])
    return -(-quota // period) if quota and period else None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19


def _unescaped(text: str) -> str:
    """Return a path of mountinfo, where a space is written as its octal number."""
    for octal, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n")):
        text = text.replace(octal, character)
    return text.replace("\\134", "\\")
