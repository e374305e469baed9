"""`roundsman desk token`: tokens by which programs ask the desk; made, listed, revoked."""

import argparse
import datetime as dt
from typing import Any

from roundsman.commands.desk_user import ROLES, asked, bounds, common
from roundsman.output import json_lines, table

_WORDS: dict[str, tuple[str, str]] = {
    "head": ("NO|NAME|OWNER|ROLE|SITES|STATE|UNTIL", "编号|用途|所有者|角色|站点|状态|有效至"),
    "none": ("No tokens.", "没有令牌。"),
    "made": (
        "It is shown this once. A program sends it as `Authorization: Bearer TOKEN`:",
        "仅显示一次。程序以 `Authorization: Bearer 令牌` 发送：",
    ),
    "revoked_now": ("Token {n} is good no more.", "令牌{n}已吊销。"),
    "all": ("all sites", "全部站点"),
    "good": ("good", "有效"),
    "expired": ("expired", "已过期"),
    "revoked": ("revoked", "已吊销"),
}


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    verbs = parser.add_subparsers(dest="verb", metavar="WHAT", required=True)
    common(verbs.add_parser("list", help="every token, without its secret", allow_abbrev=False))
    add = verbs.add_parser("add", help="make one; it is shown once", allow_abbrev=False)
    add.add_argument("name", metavar="NAME", help="what it is for")
    add.add_argument("--role", choices=ROLES, required=True, help="what it may do (docs/people.md)")
    add.add_argument("--days", type=float, default=90.0, help="how long it is good (90)")
    bounds(add, default=[])
    revoke = verbs.add_parser("revoke", help="let one be good no more", allow_abbrev=False)
    revoke.add_argument("number", type=int, metavar="N", help="its number (see `list`)")
    for each in (add, revoke):
        common(each)


def run(args: argparse.Namespace) -> int:
    """Ask the running desk."""
    if args.verb == "list":
        found = asked(args, "GET", "tokens")["tokens"]
        if args.json:
            json_lines(found)
        else:
            table(_say(args, "head").split("|"), [_row(args, each) for each in found], empty=_say(args, "none"))
        return 0
    if args.verb == "add":
        made = asked(args, "POST", "tokens", name=args.name, role=args.role, days=args.days, regions=args.region,
                     sites=args.site)  # fmt: skip
        shown = f"{_say(args, 'made')}\n{made['token']}"
    else:
        made = asked(args, "POST", f"tokens/{abs(args.number)}/revoke")
        shown = _say(args, "revoked_now", n=args.number)
    if args.json:
        json_lines([made])
    else:
        print(shown)
    return 0


def _row(args: argparse.Namespace, token: dict[str, Any]) -> tuple[str, ...]:
    return (
        str(token["id"]),
        token["name"],
        token["owner"] or "-",
        token["role"],
        ", ".join([*token["regions"], *token["sites"]]) or _say(args, "all"),
        _say(args, token["state"]),
        f"{dt.datetime.fromtimestamp(token['expires']).astimezone():%Y-%m-%d}",
    )


def _say(args: argparse.Namespace, key: str, **fill: object) -> str:
    return _WORDS[key][args.lang == "zh"].format(**fill)
