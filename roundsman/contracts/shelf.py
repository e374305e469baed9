"""`roundsman contract list` and `show`."""

import argparse
from pathlib import Path

from config import shipped
from config.advice import nearest, show
from config.contract import load_contract, read_contract
from model.contract import Contract
from model.contract_page import Section, sections
from roundsman.output import CommandError, json_lines, table


def named(name: str) -> Contract:
    """Return a shipped contract, or the one in a file. Raises CommandError for neither, ConfigError for a bad file."""
    if name in shipped.names("contracts"):
        return load_contract(name).contract
    if name.endswith((".yaml", ".yml")) or "/" in name:
        return read_contract(Path(name)).contract
    raise CommandError(f"There is no contract {show(name)}; {nearest(name, shipped.names('contracts'))}")


def listed(args: argparse.Namespace) -> int:
    """Print the shipped contracts."""
    contracts = [load_contract(name).contract for name in sorted(shipped.names("contracts"))]
    if args.json:
        json_lines(
            {"name": c.name, "title": c.title, "levels": len(c.levels), "limits": len(c.limits), "open": len(c.open),
             "digest": c.digest}
            for c in contracts
        )  # fmt: skip
        return 0
    head = {"en": ("NAME", "TITLE", "LEVELS", "LIMITS", "OPEN"), "zh": ("标识", "名称", "级别数", "时限数", "未定")}
    rows = [(c.name, c.title[args.lang], *(str(len(part)) for part in (c.levels, c.limits, c.open))) for c in contracts]
    table(head[args.lang], rows, empty="")
    return 0


def shown(args: argparse.Namespace) -> int:
    """Print one contract in plain words."""
    contract = named(args.name)
    if args.json:
        json_lines([contract])
        return 0
    print(f"{contract.title[args.lang]} ({contract.name}, {contract.digest})")
    for section in sections(contract):
        print()
        _print(section, args.lang)
    return 0


def _print(section: Section, lang: str) -> None:
    print(section.title[lang])
    if len(section.head) == 1:
        for (cell,) in section.rows:
            print(f"- {cell[lang]}")
    else:
        table([cell[lang] for cell in section.head], [[cell[lang] for cell in row] for row in section.rows], empty="")
