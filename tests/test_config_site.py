"""The site file: the example loads, every bad file says exactly what is wrong, secrets come from files."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.reader import ConfigError
from config.rulebook import RuleBook
from config.scalars import Address
from config.secret import Secret, find_secret, read_secret
from config.shipped import example_site
from config.site import load_site

BAD = Path(__file__).parent / "bad"
SMALLEST = "site: {id: north-1, name: North, contract: telecom-transmission}\nhost: {}\n"


def write(folder: Path, text: str) -> Path:
    path = folder / "site.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", sorted(path.stem for path in BAD.glob("*.yaml")))
def test_a_bad_site_file_says_exactly_what_is_wrong(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(BAD)
    with pytest.raises(ConfigError) as caught:
        load_site(f"{name}.yaml")
    assert f"{caught.value}\n" == Path(f"{name}.txt").read_text(encoding="utf-8")


def test_every_bad_site_file_has_its_message_and_there_are_at_least_thirty_five() -> None:
    assert {path.stem for path in BAD.glob("*.txt")} == {path.stem for path in BAD.glob("*.yaml")}
    assert len(list(BAD.glob("*.yaml"))) >= 35


def test_the_example_loads_as_it_is_printed(tmp_path: Path) -> None:
    site = load_site(write(tmp_path, example_site()))
    assert [(device.id, device.name) for device in site.devices] == [
        ("host", "host"),
        ("ups-1", "UPS of room 2"),
        ("plant-1", "Rectifier plant"),
        ("battery-1", "Battery string A"),
    ]
    assert site.snmp[0].installed("subrack", "1") == {"fan.running": 4}
    assert site.snmp[0].installed("subrack", "2") == {}
    assert site.delays.on == (60.0, 120.0, 180.0, 240.0)
    assert site.lines[0].turnaround == 0.005


def test_the_smallest_site_file_takes_every_default(tmp_path: Path) -> None:
    site = load_site(write(tmp_path, SMALLEST))
    assert site.host is not None
    assert (site.host.id, site.host.every) == ("host", 15.0)
    assert site.agent.metrics == Address("127.0.0.1", 9961)
    assert site.agent.state == Path("/var/lib/roundsman")
    assert site.desk is None
    assert site.timezone == "Asia/Shanghai"


def test_relative_paths_begin_at_the_folder_of_the_site_file(tmp_path: Path) -> None:
    site = load_site(write(tmp_path, SMALLEST + "agent: {state: state, control: c.sock}\n"))
    assert site.agent.state == tmp_path / "state"
    assert site.agent.control == tmp_path / "c.sock"


def test_a_device_without_its_own_period_takes_the_one_of_its_list(tmp_path: Path) -> None:
    text = SMALLEST + (
        "credentials: {r: {version: 1, community_file: c}}\n"
        "snmp:\n  every: 30s\n  devices:\n"
        "    - {id: a, address: 2001:db8::1, credential: r}\n"
        "    - {id: b, address: ups.example.org, credential: r, every: 1min}\n"
    )
    site = load_site(write(tmp_path, text))
    assert [(device.every, device.address) for device in site.snmp] == [
        (30.0, "2001:db8::1"),
        (60.0, "ups.example.org"),
    ]


def test_a_site_file_that_is_not_there_or_is_a_folder_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot be read: no such file"):
        load_site(tmp_path / "none.yaml")
    with pytest.raises(ConfigError, match=r"is not a file"):
        load_site(tmp_path)


def test_a_huge_file_is_refused_before_it_is_parsed(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"is larger than 1 MB"):
        load_site(write(tmp_path, "# " + "x" * 1_000_001))


def test_a_secret_is_its_file_without_one_newline(tmp_path: Path) -> None:
    path = tmp_path / "community"
    path.write_bytes(b"pass word \n")
    path.chmod(0o600)
    assert read_secret(path) == Secret("pass word ")
    assert "pass" not in repr(read_secret(path))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b"a\nb\n", "more than one line"),
        (b"\xff", "is not UTF-8"),
        (b"x" * 5000, "is longer than 4096 bytes"),
    ],
)
def test_a_secret_file_that_holds_no_secret_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "community"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=message):
        read_secret(path)


def test_a_secret_that_others_can_read_is_read_with_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("t\n")
    path.chmod(0o640)
    assert read_secret(path).warning == f"{path} can be read by others; chmod 600 {path}"


def test_the_credentials_of_the_service_come_before_the_folder_of_the_site_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = tmp_path / "credentials"
    service.mkdir()
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(service))
    assert find_secret("token", tmp_path) == tmp_path / "token"
    (service / "token").write_text("t")
    assert find_secret("token", tmp_path) == service / "token"


PIECES = [
    "on",
    "0123",
    "12:30",
    "[]",
    "{}",
    "",
    "- a",
    ": ",
    " #",
    "'",
    '"',
    "{a: b}",
    "-1",
    "1e400",
    "ups-1",
    "*a",
    "<<",
    "：",
    "\t",
]


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.integers(0, 10_000), st.integers(0, 120), st.sampled_from(PIECES), st.sampled_from(["value", "insert", "delete"])
)
def test_an_example_with_a_broken_line_loads_with_its_rules_or_says_what_is_wrong(
    tmp_path: Path, line: int, column: int, piece: str, edit: str
) -> None:
    lines = example_site().split("\n")
    line %= len(lines)
    text = lines[line]
    key, colon, _ = text.partition(":")
    edited = {"value": f"{key}{colon} {piece}", "insert": text[:column] + piece + text[column:], "delete": ""}[edit]
    path = write(tmp_path, "\n".join([*lines[:line], edited, *lines[line + 1 :]]))
    site, told = None, ""
    try:
        site = load_site(path)
    except ConfigError as error:
        told = str(error)
    assert (site is None) == told.startswith(str(path))
    assert site is None or all(map(RuleBook(site).rules, site.devices))
