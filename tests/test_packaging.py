"""What is packaged: every room, one name in site-packages, and a program that runs from there."""

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
OUTSIDE = {"tests", "bench", "fuzz", "docs", "systemd", "var", "build", "dist", "requirements"}


@pytest.fixture(scope="module")
def project() -> dict[str, dict]:  # type: ignore[type-arg]
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def rooms() -> set[str]:
    return {p.parent.name for p in ROOT.glob("*/__init__.py")} - OUTSIDE


def test_every_room_stands_in_each_list_of_the_project_file(project: dict[str, dict]) -> None:  # type: ignore[type-arg]
    tool = project["tool"]
    wheel = tool["hatch"]["build"]["targets"]["wheel"]
    assert set(wheel["only-include"]) == rooms()
    assert wheel["sources"] == {room: f"roundsman/app/{room}" for room in rooms() - {"roundsman"}}
    assert set(tool["mypy"]["packages"]) == rooms()
    assert set(tool["pyright"]["include"]) == rooms()
    assert set(tool["importlinter"]["root_packages"]) == rooms()
    layers = re.findall(r"\w+", " ".join(tool["importlinter"]["contracts"][0]["layers"]))
    assert set(layers) == rooms()


def test_the_wheel_has_one_name_and_runs_where_it_is_unpacked(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        check=True,
        timeout=120,
    )
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        names = packed.namelist()
        packed.extractall(tmp_path / "site")
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == {"roundsman"}
    for wanted in ("config/site.example.yaml", "config/faults/mains.yaml", "config/devices/snmp/rfc1628-ups.yaml"):
        assert f"roundsman/app/{wanted}" in names
    assert any(name.startswith("roundsman/app/desk/templates/") for name in names)
    assert any(name.startswith("roundsman/app/desk/static/") for name in names)
    code = f"import sys; sys.path.insert(0, {str(tmp_path / 'site')!r}); import roundsman; sys.exit(roundsman.main())"
    for words in (["example"], ["devices"]):
        done = subprocess.run(
            [sys.executable, "-P", "-c", code, *words], capture_output=True, text=True, cwd=tmp_path, check=True
        )
        assert done.stdout


def test_the_locks_name_no_index_and_every_requirement_has_its_hash() -> None:
    for lock in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / lock).read_text()
        assert "://" not in text
        assert "--index" not in text
        entries = re.findall(r"^[a-z0-9][^\n]*==[^\n]*(?:\n    --hash=[^\n]*)*", text, re.MULTILINE)
        assert len(entries) > 20
        assert all("--hash=sha256:" in entry for entry in entries)


def test_no_file_is_longer_than_400_lines() -> None:
    listed = subprocess.run(["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    lengths = {name: len((ROOT / name).read_text().splitlines()) for name in listed.split()}
    assert {name: lines for name, lines in lengths.items() if lines > 400} == {}
