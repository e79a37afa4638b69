"""The site of the documents is built of what there is, loads nothing of others, and refuses links that lead nowhere."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cli.reference import site

_LOADED = re.compile(
    r"""<(?:script|img|iframe|source)\b[^>]*\bsrc="([^"]*)"|<link\b[^>]*\bhref="([^"]*)"|url\(([^)]*)\)"""
)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    assert site.build(folder) == 0
    return folder


def test_every_page_is_on_the_site(built: Path) -> None:
    """The home, the changes and each page of docs/."""
    pages = [
        page.relative_to(site.ROOT / "docs").with_suffix(".html") for page in site.ROOT.glob("docs/**/*.md")
    ]
    assert [
        page for page in (*map(str, pages), "index.html", "changes.html") if not (built / page).is_file()
    ] == []


def test_the_site_loads_nothing_of_others(built: Path) -> None:
    """Scripts, styles, pictures and fonts are its own: no other host hears of who reads."""
    for file in (*built.rglob("*.html"), *built.rglob("*.css")):
        loaded = ["".join(found).strip("'\"") for found in _LOADED.findall(file.read_text(encoding="utf-8"))]
        assert [one for one in loaded if re.match(r"(https?:)?//", one)] == [], file


def test_pictures_are_small_and_each_is_on_a_page(built: Path) -> None:
    """Those that `./dev docs screenshots` makes."""
    pages = "".join(page.read_text(encoding="utf-8") for page in built.glob("*.html"))
    pictures = [*(site.ROOT / "docs" / "pictures").iterdir()]
    assert pictures
    for picture in pictures:
        assert picture.stat().st_size < 150_000, picture.name
        assert f'src="pictures/{picture.name}"' in pages


@pytest.mark.parametrize(
    ("source", "link", "is_"),
    [
        ("README.md", "[a](docs/gates.md#rules)", "[a](gates.md#rules)"),
        ("README.md", "[a](CHANGELOG.md)", "[a](changes.md)"),
        ("docs/gates.md", "[a](../README.md)", "[a](index.md)"),
        ("docs/gates.md", "[a](../deploy/Containerfile)", "[a](repository/deploy/Containerfile)"),
        ("docs/modules/text.md", "[a](../gates.md)", "[a](../gates.md)"),
        ("docs/gates.md", "[a](#rules) [b](https://example.com/x)", "[a](#rules) [b](https://example.com/x)"),
    ],
)
def test_links_of_the_repository_become_those_of_the_site(source: str, link: str, is_: str) -> None:
    """Whichever file they are in, and lead to."""
    assert site.mended(link, source) == is_


def test_a_link_an_anchor_and_a_page_that_lead_nowhere_are_refused(tmp_path: Path) -> None:
    """Each is named."""
    for name in (*site.PAGES, "mkdocs.yml", "cli/reference/site.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(site.ROOT / name, tmp_path / name)
    for folder in ("docs", "deploy"):
        shutil.copytree(site.ROOT / folder, tmp_path / folder)
    with (tmp_path / "docs" / "gates.md").open("a", encoding="utf-8") as page:
        page.write("[a](no-such-page.md) [b](metrics.md#no-such-heading)\n")
    (tmp_path / "docs" / "of-no-menu.md").write_text("# Lost\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "cli.reference.site"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    for lost in ("no-such-page.md", "#no-such-heading", "of-no-menu.md"):
        assert lost in done.stderr
