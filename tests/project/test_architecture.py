"""The pictures of the pages: drawn, and those of docs/explain/architecture.md true."""

from __future__ import annotations

import re
import tomllib
from xml.etree import ElementTree as ET

import pytest

from project import ROOT
from scripts import script

FLAT = "core"
"""What the picture calls the modules that are no packages."""


DRAW = script("draw-pictures")
PAGES: dict[str, str] = {
    name: page.read_text()
    for page in DRAW.PAGES
    for name in DRAW.blocks(page.read_text())
}
"""Picture -> the page that has it."""

PICTURES: dict[str, str] = {
    name: DRAW.blocks(page)[name] for name, page in PAGES.items()
}


def floors() -> dict[str, int]:
    """Return the floor of each room in the contract of layers, from the top."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text())
    layers = config["tool"]["importlinter"]["contracts"][0]["layers"]
    found = {}
    for floor, layer in enumerate(layers):
        for name in re.findall(r"\w+", layer):
            is_room = (ROOT / "python" / "fastbearer" / name).is_dir()
            found[name if is_room else FLAT] = floor
    found.update(module=len(layers), lib=len(layers) + 1)
    return found


def wrong(arrows: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the arrows that do not point downwards."""
    floor = floors()
    return [(start, end) for start, end in arrows if floor[start] >= floor[end]]


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_drawn(name: str) -> None:
    drawn = (ROOT / "docs" / "pictures" / f"{name}.svg").read_text()
    assert drawn == DRAW.drawn(PICTURES[name]), "run scripts/draw-pictures"
    texts = [one.text for one in ET.fromstring(drawn).iter() if one.text]
    assert set(DRAW.labels(PICTURES[name]).values()) <= set(texts)
    assert f"](../pictures/{name}.svg)" in PAGES[name]


def test_every_line_of_a_picture_is_understood() -> None:
    for text in PICTURES.values():
        first, *lines = text.strip().splitlines()
        assert first == "flowchart TB"
        assert len(DRAW.arrows(text)) == len(lines)


def test_the_tower_is_that_of_the_contracts() -> None:
    arrows = DRAW.arrows(PICTURES["tower"])
    assert wrong(arrows) == []
    packages = (ROOT / "python" / "fastbearer").glob("*/__init__.py")
    rooms = {path.parent.name for path in packages}
    assert {name for arrow in arrows for name in arrow} == {
        *rooms,
        *(FLAT, "module", "lib"),
    }


@pytest.mark.parametrize(
    "arrow", [("fastapi", "accounts"), ("core", "jwks"), ("lib", "module")]
)
def test_a_planted_arrow_is_seen(arrow: tuple[str, str]) -> None:
    assert wrong([arrow]) == [arrow]


def test_the_ways_name_files_that_are_there() -> None:
    for name in ("token", "password"):
        for label in DRAW.labels(PICTURES[name]).values():
            place = label.partition(":")[0]
            if "/" in place or place.endswith(".py"):
                homes = ("csrc/module", "csrc/lib", "python/fastbearer")
                assert any((ROOT / home / place).exists() for home in homes), place


BACKGROUNDS = {
    "white": "#ffffff",
    "GitHub's dark": "#0d1117",
    "the site's dark": "#1e2129",
}
SEEN = 3.0
"""The least contrast of what is no text (WCAG 2.2, 1.4.11)."""


def luminance(colour: str) -> float:
    """Return the relative luminance of a colour (WCAG 2.2)."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("background", BACKGROUNDS.values(), ids=BACKGROUNDS)
def test_a_picture_can_be_seen_on_white_and_on_dark(background: str) -> None:
    (line,) = set(re.findall(r"line\{stroke:(#\w+)\}", DRAW.STYLE))
    assert contrast(line, background) >= SEEN
    text, box = re.findall(r"fill:(#\w+)", DRAW.STYLE)
    assert contrast(text, box) >= 7


def test_a_line_that_is_too_dark_would_be_seen() -> None:
    assert contrast("#57606a", BACKGROUNDS["the site's dark"]) < SEEN
