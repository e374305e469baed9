"""Writes docs/contracts/*.md from config/contracts/*.yaml: `python -m tests.contract_docs`."""

from collections.abc import Iterable
from pathlib import Path

from config import shipped
from config.contract import load_contract
from model.contract import Contract
from model.contract_page import Section, sections

PAGES = Path(__file__).resolve().parent.parent / "docs" / "contracts"
INDEX = """# Contracts

A maintenance contract is a file in config/contracts; each has its page here, in English and Chinese, written from the
file by `python -m tests.contract_docs`. `roundsman contract show NAME` prints the same; `roundsman contract test NAME`
says what would be due when. The keys of a file are in docs/configuration.md.

A number is the contract's own, or it is ours and stands among the open points. Where the text leaves something
open, the column OPEN names the point and the end of the page tells it with our choice. A number that the source lost
is left out.

| contract | what it is | 名称 | levels | limits | open points |
|---|---|---|---|---|---|
"""


def names() -> list[str]:
    """Return the contracts that have a page: all but the demonstration's, which is another without delays."""
    return sorted(shipped.names("contracts") - {"demo"})


def index() -> str:
    """Return the page that lists them."""
    rows = []
    for name in names():
        contract = load_contract(name).contract
        counts = " | ".join(str(len(part)) for part in (contract.levels, contract.limits, contract.open))
        rows.append(f"| [{name}]({name}.md) | {contract.title['en']} | {contract.title['zh']} | {counts} |\n")
    return INDEX + "".join(rows)


def page(name: str) -> str:
    """Return a contract's page as it should be."""
    contract = load_contract(name).contract
    head = f"# {contract.title['en']} {contract.title['zh']}\n\n`{name}`, content `{contract.digest}`\n"
    return head + _part(contract, "en", "English") + _part(contract, "zh", "中文")


def _part(contract: Contract, lang: str, title: str) -> str:
    return f"\n## {title}\n" + "".join(_section(section, lang) for section in sections(contract))


def _section(section: Section, lang: str) -> str:
    if len(section.head) == 1:
        lines = [f"- {row[0][lang]}\n" for row in section.rows]
    else:
        lines = [_row(cell[lang].lower() for cell in section.head), "|---" * len(section.head) + "|\n"]
        lines += [_row(cell[lang] for cell in row) for row in section.rows]
    return f"\n### {section.title[lang]}\n\n" + "".join(lines)


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def write() -> None:
    """Write every page and remove the others."""
    PAGES.mkdir(exist_ok=True)
    for old in PAGES.glob("*.md"):
        old.unlink()
    (PAGES / "README.md").write_text(index(), encoding="utf-8")
    for name in names():
        (PAGES / f"{name}.md").write_text(page(name), encoding="utf-8")


if __name__ == "__main__":
    write()
