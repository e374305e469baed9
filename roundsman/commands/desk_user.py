"""`roundsman desk user`: who may sign in at the desk; added, changed, let in no more, a one-time link."""

import argparse
import datetime as dt
import getpass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from roundsman.output import CommandError, json_lines, language, table

STATE = Path("/var/lib/roundsman-desk")
ROLES = ("viewer", "operator", "engineer", "manager", "administrator")
_WORDS: dict[str, tuple[str, str]] = {
    "head": ("NAME|ROLE|SITES|STATE|SIGNED IN", "姓名|角色|站点|状态|最近登录"),
    "none": (
        "Nobody: whoever is on this machine may do all. Make one: roundsman desk user add NAME --role administrator",
        "尚无用户，本机任何人均可操作。请先添加：roundsman desk user add 姓名 --role administrator",
    ),
    "link": (
        "Give this to {name} alone: whoever opens it sets the password. It is good for a day, and once.",
        "请仅交给{name}本人：打开者可设置密码。一天内有效，仅可使用一次。",
    ),
    "changed": ("{name}: {role}, {sites}, {state}.", "{name}：{role}，{sites}，{state}。"),
    "all": ("all sites", "全部站点"),
    "viewer": ("viewer", "查看"),
    "operator": ("operator", "值班员"),
    "engineer": ("engineer", "工程师"),
    "manager": ("manager", "主管"),
    "administrator": ("administrator", "管理员"),
    "invited": ("invited", "已邀请"),
    "active": ("active", "正常"),
    "disabled": ("disabled", "已停用"),
}


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    verbs = parser.add_subparsers(dest="verb", metavar="WHAT", required=True)
    common(verbs.add_parser("list", help="who has an account", allow_abbrev=False))
    add = verbs.add_parser("add", help="add a user; prints their one-time link", allow_abbrev=False)
    change = verbs.add_parser("change", help="another role, other sites", allow_abbrev=False)
    link = verbs.add_parser("link", help="another one-time link: the password is forgotten", allow_abbrev=False)
    disable = verbs.add_parser("disable", help="let somebody in no more", allow_abbrev=False)
    enable = verbs.add_parser("enable", help="let somebody in again", allow_abbrev=False)
    out = verbs.add_parser("sign-out", help="end all sessions of somebody", allow_abbrev=False)
    for each in (add, change, link, disable, enable, out):
        each.add_argument("name", metavar="NAME", help="the name that they sign in with and that is written down")
    add.add_argument("--role", choices=ROLES, required=True, help="what they may do (docs/people.md)")
    change.add_argument("--role", choices=ROLES, help="what they may do (docs/people.md)")
    for each in (add, change):
        bounds(each, default=[] if each is add else None)
    change.add_argument("--everywhere", action="store_true", help="bound to no region or site any more")
    for each in (add, change, link, disable, enable, out):
        common(each)


def bounds(parser: argparse.ArgumentParser, default: object) -> None:
    """Add how somebody is bound to regions and sites."""
    parser.add_argument("--region", action="append", default=default, metavar="REGION", help="this region's sites only")
    parser.add_argument("--site", action="append", default=default, metavar="SITE", help="this site only; again: more")


def common(parser: argparse.ArgumentParser) -> None:
    """Add what every such command takes."""
    parser.add_argument("--state", type=Path, default=STATE, metavar="DIR", help=f"the desk's state folder ({STATE})")
    parser.add_argument("--lang", choices=("en", "zh"), default=language(), help="the language (the terminal's)")
    parser.add_argument("--json", action="store_true", help="as JSON")


def run(args: argparse.Namespace) -> int:
    """Ask the running desk."""
    if args.verb == "list":
        found = asked(args, "GET", "users")["users"]
        if args.json:
            json_lines(found)
        else:
            table(_say(args, "head").split("|"), [_row(args, user) for user in found], empty=_say(args, "none"))
        return 0
    answer = _said(args)
    if args.json:
        json_lines([answer])
    elif "link" in answer and args.verb in {"add", "link"}:
        print(_say(args, "link", name=answer["name"]))
        print(answer["link"])
    else:
        name, role, sites, state, _ = _row(args, answer)
        print(_say(args, "changed", name=name, role=role, sites=sites, state=state))
    return 0


def asked(args: argparse.Namespace, method: str, path: str, **body: object) -> dict[str, Any]:
    """Return what the running desk answers this machine's commands. Raises CommandError with its sentence."""
    from desk.local import LocalError, ask  # noqa: PLC0415 - not for --help

    try:
        said = {**body, "by": getpass.getuser()} if method != "GET" else None
        answer: dict[str, Any] = ask(args.state, method, f"/api/v1/{path}", said)
    except LocalError as error:
        raise CommandError(str(error)) from error
    return answer


def _said(args: argparse.Namespace) -> dict[str, Any]:
    path = "users/" + quote(getattr(args, "name", ""), safe="")
    if args.verb == "add":
        return asked(args, "POST", "users", name=args.name, role=args.role, regions=args.region, sites=args.site)
    if args.verb == "link":
        return asked(args, "POST", f"{path}/link")
    if args.verb == "sign-out":
        return asked(args, "POST", f"{path}/sign-out")
    if args.verb != "change":
        return asked(args, "POST", f"{path}/change", disabled=args.verb == "disable")
    bound = args.region is not None or args.site is not None
    regions, sites = (args.region or [], args.site or []) if bound else ([], []) if args.everywhere else (None, None)
    return asked(args, "POST", f"{path}/change", role=args.role, regions=regions, sites=sites)


def _row(args: argparse.Namespace, user: dict[str, Any]) -> tuple[str, ...]:
    last = user["signed_in"]
    return (
        user["name"],
        _say(args, user["role"]),
        ", ".join([*user["regions"], *user["sites"]]) or _say(args, "all"),
        _say(args, user["state"]),
        f"{dt.datetime.fromtimestamp(last).astimezone():%Y-%m-%d %H:%M}" if last else "-",
    )


def _say(args: argparse.Namespace, key: str, **fill: object) -> str:
    return _WORDS[key][args.lang == "zh"].format(**fill)
