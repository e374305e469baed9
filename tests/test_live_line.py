"""The line of the terminal that is written anew: never wider than it, or it could not be cleared."""

import io

import pytest

from roundsman.lines import live
from roundsman.lines.live import SAY_EVERY, LiveLine
from roundsman.lines.turns import Turns


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_on_a_phone_the_line_is_cut_where_the_screen_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen()
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setenv("COLUMNS", "30")
    line = LiveLine()
    line.now("9600 8N1: " + "x" * 100)
    line.now("直流母线电压" * 10)
    line.over()
    assert screen.getvalue() == f"\r\x1b[K9600 8N1: {'x' * 19}\r\x1b[K{('直流母线电压' * 10)[:14]}\r\x1b[K"


def test_in_a_file_a_line_comes_every_few_seconds(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    at = 100.0
    monkeypatch.setattr(live.time, "monotonic", lambda: at)
    turns = Turns(3)
    turns.now("meter-1", "tcp://a:1")
    at += SAY_EVERY
    turns.now("meter-2", "tcp://a:1")
    turns.now("meter-3", "tcp://a:1")
    turns.over()
    assert capsys.readouterr().err == "Reading meter-2 on tcp://a:1, 2 of 3\n"


def test_of_one_device_alone_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen()
    monkeypatch.setattr("sys.stderr", screen)
    Turns(1).now("meter-1", "tcp://a:1")
    assert not screen.getvalue()
