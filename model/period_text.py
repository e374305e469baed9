"""How people write a period's times, places and duty, and what is said back to them: bytes of text in, values out."""

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfoNotFoundError

from model import zone as wall
from model.contract import Text
from model.period import GuardDuty, Scope

EVERYWHERE = "all"
TEAM = "team:"
MOST_NAMES = 200  # of one scope
_KINDS = {"region": "regions", "site": "sites", "device": "devices", "fault": "faults"}
_NAME = re.compile(r"[^\s,:]{1,128}")
_FAULT = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)*(\.\*)?")
_SPAN = re.compile(r"(\d{1,6})(min|h|d)")
_SECONDS = {"min": 60.0, "h": 3600.0, "d": 86_400.0}


class TextError(ValueError):
    """A time, place or duty that cannot be read: a sentence with what would be right, in English and in Chinese."""

    def __init__(self, english: str, chinese: str) -> None:
        super().__init__(english)
        self.said: Text = {"en": f"{english[0].upper()}{english[1:]}.", "zh": f"{chinese}。"}


def moment(text: str, zone: str) -> float:
    """Return a time as Unix seconds: `2026-10-01 08:00` in a zone, or with its own offset, `2026-10-01T08:00+08:00`.

    A time that the zone's clock shows twice, or never, is refused: with its offset it is one.
    """
    try:
        when = datetime.fromisoformat(text.replace("：", ":").strip())
    except ValueError:
        given = text.strip()[:40]
        raise TextError(
            f"{given!r} is no time: write 2026-10-01 08:00", f"“{given}”不是时间：请写 2026-10-01 08:00"
        ) from None
    if not 1971 <= when.year <= 9000:
        raise TextError(f"{text.strip()[:40]} is too far away", f"{text.strip()[:40]} 超出范围")
    if when.tzinfo is not None:
        return when.timestamp()
    shown = math.floor(when.replace(tzinfo=UTC).timestamp())
    pieces = wall.stretches(known_zone(zone), shown, shown)
    found = [shown - piece.offset for piece in pieces if piece.start <= shown - piece.offset < piece.end]
    if len(found) != 1:
        which = ("comes twice", "出现两次") if found else ("never comes", "不存在")
        raise TextError(
            f"{text.strip()} {which[0]} in {zone}: write it with its offset, as in 2026-10-01T08:00+08:00",
            f"{text.strip()} 在时区 {zone} {which[1]}：请写明时差，如 2026-10-01T08:00+08:00",
        )
    return float(found[0])


def known_zone(zone: str) -> str:
    """Return a time zone's name if there is such a zone; a TextError says otherwise."""
    try:
        wall.stretches(zone, 0, 0)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise TextError(
            f"there is no time zone {zone[:40]!r}: try Asia/Shanghai", f"没有时区“{zone[:40]}”：例如 Asia/Shanghai"
        ) from None
    return zone


def until(text: str, start: float, zone: str) -> float:
    """Return an end as Unix seconds: a time, or how long after the start: `90min`, `4h`, `7d` (of 24 h)."""
    span = _SPAN.fullmatch(text.strip())
    return start + int(span[1]) * _SECONDS[span[2]] if span else moment(text, zone)


def scope_of(words: str) -> Scope:
    """Return a scope from words between blanks or commas: `all`, `region:R`, `site:S`, `device:SITE/DEVICE`, `fault:F`.

    `all` stands for every place and is said outright, so that a forgotten place is no scope at all.
    """
    found: dict[str, list[str]] = {name: [] for name in _KINDS.values()}
    everywhere = False
    for word in re.split(r"[\s,，、]+", words.replace("：", ":").strip()):
        kind, colon, name = word.partition(":")
        if word == EVERYWHERE:
            everywhere = True
        elif colon and kind in _KINDS and _NAME.fullmatch(name):
            found[_KINDS[kind]].append(_checked(kind, name))
        elif word:
            raise TextError(
                f"{word[:60]!r} is no place: write all, region:R, site:S, device:SITE/DEVICE or fault:F",
                f"“{word[:60]}”不是范围：请写 all、region:区域、site:站点、device:站点/设备 或 fault:故障",
            )
    scope = Scope(**{name: tuple(dict.fromkeys(names)) for name, names in found.items()})
    if scope.everywhere is not everywhere:
        if everywhere:
            raise TextError("`all` stands alone beside faults", "all 只能与 fault:故障 并用")
        raise TextError("name a place, or write all", "请写明范围，全部请写 all")
    if sum(map(len, found.values())) > MOST_NAMES:
        raise TextError(f"a scope has at most {MOST_NAMES} names", f"一个范围最多 {MOST_NAMES} 项")
    return scope


def _checked(kind: str, name: str) -> str:
    if kind == "device" and not all(name.partition("/")[::2]):
        raise TextError(
            f"device:{name} names no site: write device:SITE/DEVICE", f"device:{name} 未写站点：请写 device:站点/设备"
        )
    if kind == "fault" and not _FAULT.fullmatch(name):
        raise TextError(
            f"fault:{name} is no fault: write one such as mains.lost, or mains.* for all of a subject",
            f"fault:{name} 不是故障：例如 mains.lost，或 mains.* 表示同类全部",
        )
    return name


def words_of(scope: Scope) -> str:
    """Return a scope as `scope_of` reads it."""
    named = [f"{kind}:{name}" for kind, field in _KINDS.items() for name in getattr(scope, field)]
    return " ".join(([EVERYWHERE] if scope.everywhere else []) + named)


def duty_of(
    lines: str, start: float, end: float, zone: str, team: Callable[[str], tuple[GuardDuty, ...]] | None = None
) -> tuple[GuardDuty, ...]:
    """Return who is on duty from lines `NAME`, `NAME, CONTACT`, `NAME, CONTACT, FROM, TO` or `team:NAME`.

    Without times a turn is the whole period's; TO may be a time or how long, as for a period. `team` gives the turns of
    a team of the roster, None where there is no roster.
    """
    turns: list[GuardDuty] = []
    for line in lines.splitlines():
        if not line.strip():
            continue
        if line.strip().startswith(TEAM):
            if team is None:
                raise TextError(
                    f"the desk has no roster to find {line.strip()[:60]!r} in: name people",
                    f"值班台没有值班表，找不到“{line.strip()[:60]}”：请写姓名",
                )
            turns += team(line.strip().removeprefix(TEAM).strip())
            continue
        parts = [part.strip() for part in re.split(r"[,，]", line)]
        if len(parts) not in {1, 2, 4} or not parts[0]:
            raise TextError(
                f"{line.strip()[:60]!r} is no turn: write NAME, CONTACT, FROM, TO, or the name alone",
                f"“{line.strip()[:60]}”无法识别：请写 姓名, 联系方式, 起, 止，或仅写姓名",
            )
        begin = moment(parts[2], zone) if len(parts) == 4 else start
        over = until(parts[3], begin, zone) if len(parts) == 4 else end
        if over <= begin:
            raise TextError(f"{parts[0]}'s turn ends before it begins", f"{parts[0]} 的班次结束早于开始")
        turns.append(GuardDuty(parts[0][:100], begin, over, parts[1][:100] if len(parts) > 1 else ""))
    return tuple(turns)
