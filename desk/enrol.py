"""`desk enrol SITE`: a join line for a site, from the desk that runs."""

from pathlib import Path

from desk.local import ask


def enrol(
    state: Path,
    site: str,
    *,
    name: str = "",
    contract: str = "",
    region: str = "",
    timezone: str = "",
    by: str = "admin",
) -> str:
    """Return a one-time join line `roundsman-join:URL#CODE` for a site; what is "" is the desk's own default.

    A site that is known keeps what is not given anew. Raises LocalError when the desk does not run or refuses.
    """
    fields = {"site": site, "name": name, "contract": contract, "region": region, "timezone": timezone, "by": by}
    answer = ask(state, "POST", "/api/v1/local/enrol", fields)
    return str(answer["join"])
