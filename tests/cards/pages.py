"""Code blocks and sections of the project's Markdown pages."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = (
    "README.md",
    "benchmarks/README.md",
    "gliner_core/README.md",
    "workflow/README.md",
    "results/README.md",
    "tests/README.md",
    "docs/architecture.md",
    "docs/footguns.md",
    "CHANGELOG.md",
)
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_CARD_PATH = re.compile(r"# ((?:benchmarks|workflow)/\w+/([\w.-]+)\.yaml)\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class CardBlock:
    """A card shown on a page: the file that its first line names, and the YAML."""

    path: str
    text: str


def text_of(page: str) -> str:
    """A page of the project."""
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page: str, language: str) -> list[str]:
    """Contents of the fenced blocks of a language, in order."""
    return [content for name, content in _BLOCK.findall(text_of(page)) if name == language]


def card_blocks(page: str) -> list[CardBlock]:
    """The YAML blocks of a page; each must name its file in the first line."""
    found = []
    for block in blocks(page, "yaml"):
        match = _CARD_PATH.match(block)
        assert match, f"{page}: a YAML block does not begin with `# benchmarks/KIND/NAME.yaml`:\n{block}"
        found.append(CardBlock(path=match.group(1), text=block))
    return found


def commands(page: str, program: str) -> list[str]:
    """Command lines of a page that begin with `program`, without comments."""
    lines = (line.strip() for block in blocks(page, "sh") for line in block.splitlines())
    return [re.sub(r"\s+#.*", "", line) for line in lines if line.split(" #")[0].startswith(program)]


def section(page: str, marker: str) -> str:
    """The text of the section whose heading holds `marker`."""
    for part in re.split(r"^(?=## )", text_of(page), flags=re.MULTILINE):
        if marker in part.splitlines()[0]:
            return part
    raise AssertionError(f"{page}: no heading holds {marker!r}")


def links(page: str) -> list[str]:
    """Targets of the links of a page that stay inside the project."""
    found = re.findall(r"\]\(([^)\s]+)\)", text_of(page))
    return [target for target in found if not target.startswith(("http:", "https:"))]


def anchors(path: Path) -> set[str]:
    """Anchors of a page's headings, as code hosts derive them."""
    headings = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
