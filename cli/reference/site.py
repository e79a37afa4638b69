"""The site of the documents, build/site: README.md, CHANGELOG.md, CONTRIBUTING.md and docs/ as pages, by mkdocs.

``python -m cli.reference.site`` builds it; what leads nowhere, a link, an anchor or a page that no menu names, is an error.
MkDocs calls the functions ``on_…`` (`hooks` of mkdocs.yml): links between the files of the repository become those of the site.
"""

from __future__ import annotations

import os
import posixpath
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / "build" / "site"
PAGES = {"README.md": "index.md", "CHANGELOG.md": "changes.md", "CONTRIBUTING.md": "contributing.md"}
"""Pages that are not in docs/, by their files."""
# What changed once is found after what holds.
_LAST_IN_SEARCH = {"changes.md": "---\nsearch: {boost: 0.1}\n---\n"}
_LINK = re.compile(r"(\]\()(?!\w+:|#)([^)#\s]+)")


def on_files(files: Any, config: Any) -> Any:
    """Add the pages from outside docs/, and the files that pages link to there."""
    from mkdocs.structure.files import File

    for source, page in PAGES.items():
        text = _LAST_IN_SEARCH.get(page, "") + (ROOT / source).read_text(encoding="utf-8")
        files.append(File.generated(config, page, content=text))
    for source in sorted(_linked()):
        files.append(File.generated(config, address(source), abs_src_path=str(ROOT / source)))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Lead the links of a page to where their files are on the site."""
    sources = {name: source for source, name in PAGES.items()}
    return mended(markdown, sources.get(page.file.src_uri, f"docs/{page.file.src_uri}"))


def on_post_page(output: str, **_: Any) -> str:
    """Name the theme's search to a screen reader."""
    return output.replace(
        'data-md-component="search" role="dialog"',
        'data-md-component="search" role="dialog" aria-label="Search"',
    )


def mended(markdown: str, source: str) -> str:
    """A page's text with its links, which hold for the file *source* of the repository, made those of the site."""
    at = posixpath.dirname(address(source))

    def link(found: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(source), found[2]))
        return found[1] + posixpath.relpath(address(target), at or ".")

    return _LINK.sub(link, markdown)


def address(source: str) -> str:
    """Where a file of the repository is among the site's sources."""
    inside = source.removeprefix("docs/")
    return PAGES.get(source, inside if inside != source else f"repository/{source}")


def _linked() -> set[str]:
    """The files outside docs/ that pages link to and that are no pages."""
    found = set()
    for page in [*(ROOT / name for name in PAGES), *ROOT.glob("docs/**/*.md")]:
        at = page.relative_to(ROOT).parent.as_posix()
        links = (
            posixpath.normpath(posixpath.join(at, link[2]))
            for link in _LINK.finditer(page.read_text("utf-8"))
        )
        found |= {link for link in links if not link.startswith("docs/") and link not in PAGES}
    return {link for link in found if (ROOT / link).is_file()}


def build(to: Path = SITE) -> int:
    """Build the site; mkdocs' exit status."""
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--clean", "--site-dir", str(to)]
    told = {"NO_MKDOCS_2_WARNING": "true", "DISABLE_MKDOCS_2_WARNING": "true"}
    return subprocess.run(command, cwd=ROOT, env=os.environ | told, check=False).returncode


if __name__ == "__main__":
    sys.exit(build())
