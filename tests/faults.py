"""The fault rules as a site of the contract telecom-transmission has them, for tests of device definitions."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from config.rulebook import RuleBook
from config.site import load_site
from model.rule import Rule


@cache
def telecom_rules() -> tuple[Rule, ...]:
    """Return the rules of a site with that contract and nothing of its own."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "site.yaml"
        file.write_text("site: {id: a, name: A, contract: telecom-transmission}\nhost: {}\n")
        site = load_site(file)
    assert site.host is not None
    return RuleBook(site).rules(site.host)
