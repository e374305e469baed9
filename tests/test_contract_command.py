"""`roundsman contract`: the list, the plain words, and what is due when."""

import json
from pathlib import Path
from typing import Any

import pytest

from config import shipped
from tests.said import said

EVE = ("--at", "2026-09-30 17:50")
TELECOM = ("contract", "test", "telecom-transmission")


@pytest.fixture(autouse=True)
def in_english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C.UTF-8")


def rows(*words: str) -> list[dict[str, Any]]:
    status, out, err = said(*words, "--json")
    assert (status, err) == (0, "")
    return [json.loads(line) for line in out.splitlines()]


def dues(*words: str) -> dict[str, str | None]:
    return {row["name"]: row["due"] for row in rows(*words)}


def refused(*words: str) -> str:
    status, out, err = said(*words)
    assert (status, out) == (1, "")
    return err


def test_level_one_in_zhanjiang_on_the_eve_of_national_day() -> None:
    status, out, err = said(*TELECOM, "--level", "1", "--region", "Zhanjiang", *EVE)
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "Transmission equipment, Level 1, West and east Guangdong, on site"
    assert lines[1] == "Begins: 2026-09-30 17:50:00 Wed (Asia/Shanghai)"
    assert [" ".join(line.split()) for line in lines[3:9]] == [
        "MILESTONE WITHIN FROM DUE OPEN",
        "Departed 1 hour the report 2026-09-30 18:50:00 Wed limits.start",
        "Arrived on site 7 hours Departed (at its latest) 2026-10-01 01:50:00 Thu -",
        "Restored 2 hours Arrived on site (at its latest) 2026-10-01 03:50:00 Thu -",
        "Restored (in all) 10 hours the report 2026-10-01 03:50:00 Thu limits.start",
        "Form on the handling of the fault 48 hours Restored (at its latest) 2026-10-03 03:50:00 Sat -",
    ]
    assert lines[10].startswith("limits.start: The table counts level 1 from the report;")


@pytest.mark.parametrize("region", ["west_east", "Zhanjiang", "zhanjiang", "湛江", "湛江市", "粤西、粤东"])
def test_a_region_is_its_name_its_title_or_one_of_its_cities(region: str) -> None:
    found = dues(*TELECOM, "--level", "1", "--region", region, *EVE)
    assert found["total"] == "2026-10-01T03:50:00+08:00"


def test_the_same_in_chinese_by_the_option_and_by_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = (*TELECOM, "--level", "1", "--region", "湛江", *EVE)
    _, chosen, _ = said(*asked, "--lang", "zh")
    assert chosen.splitlines()[0] == "传输设备维护，一级故障，粤西、粤东，现场处理"
    assert "恢复（总时限）" in chosen
    assert "2026-10-01 03:50:00 周四" in chosen
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    assert said(*asked)[1] == chosen


def test_the_what_if_takes_handling_grade_conditions_pauses_and_what_was_reached() -> None:
    assert dues(*TELECOM, "--level", "1", "--region", "prd", "--remote", *EVE)["total"] == "2026-09-30T20:50:00+08:00"
    early = dues(*TELECOM, "--level", "1", "--region", "prd", *EVE, "--set", "depart=2026-09-30T18:00")
    assert (early["arrive"], early["total"]) == ("2026-09-30T21:00:00+08:00", "2026-09-30T23:50:00+08:00")
    paused = dues(*TELECOM, "--level", "2", *EVE, "--pause", "2026-10-01 00:00", "2026-10-01 06:00")
    assert paused == {"resolve": "2026-10-07T23:50:00+08:00"}
    assert dues(*TELECOM, "--level", "2", *EVE, "--pause", "2026-10-01 00:00") == {"resolve": None}
    fire = ("contract", "test", "fire", "--level", "1", "--region", "本埠", *EVE)
    assert dues(*fire, "--when", "supplier_needed")["resolve"] == "2026-10-16T00:00:00+08:00"
    public = ("contract", "test", "public-sector", "--level", "1", *EVE)
    assert dues(*public, "--grade", "after_warranty") == {"arrive": "2026-09-30T21:50:00+08:00"}


def test_a_fault_brings_its_level_and_one_that_is_not_listed_a_provisional_one() -> None:
    assert dues(*TELECOM, "--fault", "network.management_down", *EVE) == {"resolve": "2026-10-01T17:50:00+08:00"}
    _, out, _ = said(*TELECOM, "--fault", "mains.lost", *EVE)
    assert out.startswith("Transmission equipment, Level 2 (provisional), on site\n")
    _, out, _ = said(*TELECOM, "--fault", "subrack.cooling/any_stopped", *EVE)
    assert out.startswith("Transmission equipment, Level 4, on site\n")
    _, out, _ = said("contract", "test", "maintenance-3-level", "--fault", "data.lost", "--grade", "B", *EVE)
    assert out.startswith("Maintenance, three levels, Level 1 (critical), Grade B\n")


def test_a_limit_that_a_site_fills_in_is_shown_as_such() -> None:
    found = rows("contract", "test", "outsourcing-abcd", "--level", "D", *EVE)
    assert [(row["kind"], row["name"], row["due"]) for row in found] == [
        ("limit", "respond", "2026-09-30T21:50:00+08:00"),
        ("blank", "resolve", None),
    ]
    assert [point["key"] for point in found[0]["open"]] == ["limits.night", "starts.found"]
    _, out, _ = said("contract", "test", "ltsa", "--level", "1", "--region", "elsewhere", *EVE)
    assert "agreed case by case" in out


def test_times_are_the_sites_and_a_wall_clock_that_never_was_is_refused() -> None:
    berlin = ("contract", "test", "power-vendor", "--level", "1", "--timezone", "Europe/Berlin")
    assert dues(*berlin, "--at", "2026-10-24 12:00")["arrive"] == "2026-10-25T11:00:00+01:00"
    assert dues(*berlin, "--at", "2026-10-24T12:00:00Z")["arrive"] == "2026-10-25T13:00:00+01:00"
    message = refused(*berlin, "--at", "2026-03-29 02:30")
    assert message == "2026-03-29 02:30 does not come in Europe/Berlin: the clock is put forward over it\n"


def test_a_year_whose_make_up_days_are_not_published_is_told() -> None:
    _, out, _ = said("contract", "test", "fire", "--level", "1", "--region", "same_city", "--at", "2049-09-29 09:00",
                     "--when", "supplier_needed")  # fmt: skip
    assert out.splitlines()[-1] == "the make-up days of 2049 are not published yet"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("telecom", "--level", "1"), 'There is no contract "telecom"; write cameras, demo, fire, '),
        (("telecom-transmission",), "Say --level 1, 2, 3 or 4, or --fault.\n"),
        (("telecom-transmission", "--level", "5"), 'telecom-transmission has no level "5"; write 1, 2, 3 or 4\n'),
        (
            ("telecom-transmission", "--level", "1"),
            "The limits depend on the region; say --region gz_sz_dg, prd, west_east or rest.\n",
        ),
        (("telecom-transmission", "--level", "1", "--region", "Zhanjian"), 'telecom-transmission has no region "Zhanj'),
        (("cameras", "--level", "1", "--region", "north"), "cameras has no regions; leave --region out.\n"),
        (
            ("public-sector", "--level", "1"),
            "The limits depend on the grade; say --grade after_sales, warranty or after_warranty.\n",
        ),
        (("public-sector", "--level", "1", "--grade", "waranty"), 'public-sector has no grade "waranty"; did you mean'),
        (("fire", "--level", "1", "--when", "supplier"), 'fire has no condition "supplier"; did you mean "supplier_n'),
        (("fire", "--fault", "mains.lots"), 'There is no fault "mains.lots"; did you mean "mains.lost"?\n'),
        (("cameras", "--level", "1", "--at", "17:50"), '"17:50" is no time; write for example "2026-09-30 17:50"\n'),
        (("cameras", "--level", "1", "--timezone", "Asia/Shanghia"), '"Asia/Shanghia" is no time zone; write for exam'),
        (
            ("cameras", "--level", "1", "--set", "arive=2026-09-30"),
            'There is no start, milestone or event "arive"; did',
        ),
        (
            ("cameras", "--level", "1", "--pause", "2026-09-30", "2026-09-29"),
            "The pause ends before it begins: 2026-09-30, 2026-09-29\n",
        ),
        (
            ("cameras", "--level", "1", "--pause", "2026-09-27", "2026-09-28", "2026-09-29"),
            "A pause has two times: from, and until\n",
        ),
    ],
)
def test_words_that_cannot_be_meant_are_told_with_what_would_be_right(words: tuple[str, ...], message: str) -> None:
    assert refused("contract", "test", *words).startswith(message)


def test_the_list_has_every_contract() -> None:
    assert {row["name"] for row in rows("contract", "list")} == shipped.names("contracts")
    _, out, _ = said("contract", "list", "--lang", "zh")
    assert "消防维保" in out


@pytest.mark.parametrize("name", sorted(shipped.names("contracts")))
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_contract_is_shown_in_plain_words_with_every_open_point(name: str, lang: str) -> None:
    status, out, err = said("contract", "show", name, "--lang", lang)
    assert (status, err) == (0, "")
    (content,) = rows("contract", "show", name)
    for point in content["open"]:
        assert point["text"][lang] in out
    assert content["digest"] in out.splitlines()[0]


def test_a_contract_of_ones_own_is_shown_and_a_bad_one_told_with_its_line(tmp_path: Path) -> None:
    own = tmp_path / "ours.yaml"
    own.write_text("extends: fire\ntitle: {en: Our fire contract, zh: 我方消防合同}\n")
    assert said("contract", "show", str(own))[1].startswith("Our fire contract (ours, ")
    own.write_text("extends: fire\ntitle: {en: Our fire contract}\n")
    assert refused("contract", "show", str(own)) == f'{own}:2: title: the key "zh" is missing\n'
