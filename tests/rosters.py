"""A roster as tests write it, and moments of its zone."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from config.reader import read_text
from config.roster import RosterFile, parse_roster
from model.roster import Roster

SHANGHAI = ZoneInfo("Asia/Shanghai")
TEXT = """
calendar: china-working-days
people:
  zhang: {name: 张伟, language: zh, mail: zhang@example.com}
  li: {name: Li Na, mail: li@example.com, webhook: pager}
  wang: {name: Wang Fang, webhook: pager}
  chen: {name: 陈静, language: zh, mail: chen@example.com, quiet: none}
teams:
  field:
    title: {en: Field crew, zh: 现场班}
    shifts:
      - {who: zhang, hours: 08:00-20:00}
      - {who: li, hours: 20:00-08:00}
  office:
    title: {en: Office, zh: 办公室}
    always: false
    shifts:
      - {who: [wang, chen], hours: 09:00-18:00, on: working_day, turn: week, from: 2026-11-02}
roles:
  province: [office, chen]
policy:
  - {level: 1, tell: [field, wang, chen], next_after: 15min, breach: [field, chen]}
  - {level: [2, 3], tell: [field, chen]}
quiet: 22:00-07:00
apart: 30s
mail: {server: "127.0.0.1:25", from: desk@example.com, security: none}
webhooks:
  pager: {url: "http://127.0.0.1:9/in", secret_file: pager.secret}
"""


def moment(text: str) -> float:
    """Return the Unix time of a time in Shanghai, "2026-11-22 17:50"."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).timestamp()


def file_of(folder: Path, text: str = TEXT) -> RosterFile:
    (folder / "pager.secret").write_text("a secret\n", encoding="utf-8")
    (folder / "pager.secret").chmod(0o600)
    return parse_roster(read_text(text, "roster.yaml"), folder)


def roster_of(folder: Path, text: str = TEXT) -> Roster:
    return file_of(folder, text).roster
