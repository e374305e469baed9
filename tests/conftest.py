"""What holds for every test: in CI (ROUNDSMAN_CI=1) a skip is a failure, unless only the recordings are missing."""

import os
from collections.abc import Generator

import pytest

from tests import stores

ALLOWED = "no recordings of real devices"
Reports = pytest.TestReport | pytest.CollectReport


def pytest_addoption(parser: pytest.Parser) -> None:
    """Choose where desks of tests keep what they keep."""
    parser.addoption("--store", choices=("sqlite", "postgres"), default=os.environ.get(stores.CHOSEN, "sqlite"))


def pytest_configure(config: pytest.Config) -> None:
    """Tell the worlds, and what they start."""
    os.environ[stores.CHOSEN] = str(config.getoption("--store"))


def pytest_runtest_logfinish() -> None:
    """Let the databases go with their test."""
    stores.forget()


def refuse_skip(report: Reports) -> None:
    """Turn a skip that CI does not allow into a failure that says so; an expected failure stays what it is."""
    if not os.environ.get("ROUNDSMAN_CI") or report.outcome != "skipped" or hasattr(report, "wasxfail"):
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    if ALLOWED not in reason:
        report.outcome = "failed"
        report.longrepr = f"CI has everything installed and allows no skip, but: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Look at the report of each phase of each test."""
    report = yield
    refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Look at the report of each file: a whole file may skip itself."""
    report = yield
    refuse_skip(report)
    return report
