"""`roundsman demo`: a small power room with agent, desk and page, all on this machine."""

import argparse
import asyncio
import signal
import sys
from pathlib import Path
from typing import Any

import msgspec

from config.scalars import seconds
from roundsman.demo import Demo, Story
from roundsman.output import CommandError, language

_WORDS = {
    "en": {
        "page": "The page: {url}\nMetrics:  {metrics}\n"
        "{scenario}. Take the ticket on the page. The demo's contract has no delays. Ctrl-C ends it.",
        "ticket_opened": "{at:6.1f} s  ticket {ticket} opened: {title}, level {level}"
        " (the contract says {contract_says})",
        "acknowledged": "{at:6.1f} s  ticket {ticket} taken by {by}",
        "acknowledged_at_site": "{at:6.1f} s  the agent knows that it is taken",
        "resolved": "{at:6.1f} s  ticket {ticket} resolved",
        "right": "The story went as the contract says.",
        "wrong": "The story went wrong: {why}.",
    },
    "zh": {
        "page": "页面：{url}\n指标：{metrics}\n{scenario}。请在页面上接手工单。演示合同不设延时。按 Ctrl-C 结束。",
        "ticket_opened": "{at:6.1f} 秒  工单 {ticket} 开启：{title}，{level} 级（合同规定 {contract_says} 级）",
        "acknowledged": "{at:6.1f} 秒  工单 {ticket} 已由 {by} 接手",
        "acknowledged_at_site": "{at:6.1f} 秒  站点代理已知悉",
        "resolved": "{at:6.1f} 秒  工单 {ticket} 已恢复",
        "right": "演示过程与合同一致。",
        "wrong": "演示过程有误：{why}。",
    },
}


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "--for",
        dest="time",
        metavar="TIME",
        help="play the story for so long, judge it, end; up to mains' return takes 90s",
    )
    parser.add_argument("--json", action="store_true", help="each step as one JSON object a line")
    parser.add_argument("--scenario", default="demo", help="another scenario's name or file (demo)")
    parser.add_argument("--folder", type=Path, default=Path("var/demo"), help="where everything is kept (var/demo)")
    parser.add_argument("--port", type=int, default=8061, help="the page's port (8061; another when it is taken)")


def run(args: argparse.Namespace) -> int:
    """Play; with --for, 0 only if the ticket opened at the contract's level, was acknowledged and resolved."""
    try:
        limit = seconds(args.time) if args.time else None
    except ValueError as error:
        raise CommandError(f"--for: {error}") from error
    told = _as_json if args.json else _as_text
    story = asyncio.run(_play(Demo(args.folder, args.scenario, told, port=args.port), limit))
    if story is None:
        return 0
    told("verdict", {"ok": story.complete, "why": story.wrong})
    return 0 if story.complete else 1


async def _play(demo: Demo, limit: float | None) -> Story | None:
    """Play; SIGTERM and a closed terminal end it in order, as Ctrl-C does, so that desk and agent end with it."""
    loop, playing = asyncio.get_running_loop(), asyncio.ensure_future(demo.run(limit))
    for number in (signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, playing.cancel)
    try:
        return await playing
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


def _as_json(step: str, more: dict[str, Any]) -> None:
    sys.stdout.write(msgspec.json.encode({"step": step, **more}).decode() + "\n")
    sys.stdout.flush()


def _as_text(step: str, more: dict[str, Any]) -> None:
    words = _WORDS[language()]
    if step == "verdict":
        step = "right" if more["ok"] else "wrong"
    print(words.get(step, "{at:6.1f} s  {title}").format(**more), flush=True)
