"""In CI nothing skips unseen: pytest run on a folder of its own with this project's conftest.py."""

import os
import subprocess
import sys
from pathlib import Path

CONFTEST = Path(__file__).with_name("conftest.py")
MARKED = "import pytest\n\n@pytest.mark.{}(reason='{}')\ndef test_it():\n    assert False\n"
FILES = {
    "test_call.py": "import pytest\n\ndef test_it():\n    pytest.skip('snmpd is not installed')\n",
    "test_mark.py": MARKED.format("skip", "socat is not installed"),
    "test_file.py": "import pytest\npytest.skip('libmodbus is not installed', allow_module_level=True)\n",
    "test_recordings.py": MARKED.format("skip", "no recordings of real devices at /nowhere"),
    "test_known.py": MARKED.format("xfail", "a known limit"),
    "test_good.py": "def test_it():\n    assert True\n",
}


def run(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    given = FILES | {"conftest.py": CONFTEST.read_text(encoding="utf-8"), "pytest.ini": "[pytest]\n"}
    for name, text in given.items():
        (folder / name).write_text(text, encoding="utf-8")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "ROUNDSMAN"))}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--continue-on-collection-errors", "."],
        cwd=folder,
        env=clean | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_in_ci_a_skip_is_a_failure_that_names_its_reason_unless_only_recordings_are_missing(tmp_path: Path) -> None:
    done = run(tmp_path, ROUNDSMAN_CI="1")
    assert done.returncode == 1
    for peer in ("snmpd", "socat", "libmodbus"):
        assert f"allows no skip, but: Skipped: {peer} is not installed" in done.stdout
    closing = done.stdout.splitlines()[-1]
    assert "1 failed, 1 passed, 1 skipped, 1 xfailed, 2 errors" in closing


def test_elsewhere_a_skip_is_a_skip(tmp_path: Path) -> None:
    done = run(tmp_path)
    assert done.returncode == 0
    assert "1 passed, 4 skipped, 1 xfailed" in done.stdout.splitlines()[-1]
