"""The contracts' pages: each in plain words, with what its text leaves open, and the sites under it."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from desk.gate import person_of
from desk.page import page
from desk.roles import Person
from desk.settings import contract_names
from desk.store import Site, sites
from desk.web import ProblemError, desk_of
from model.contract_page import sections


async def contracts_page(request: Request) -> Response:
    """List the contracts: those that sites have first, then those that ship and one's own."""
    desk = desk_of(request)
    under = await _under(request, await person_of(request))
    known = [desk.contracts(name) for name in {*contract_names(desk.settings.contracts), *under}]
    known.sort(key=lambda each: (-len(under.get(each.name, ())), each.name))
    counts = {name: len(there) for name, there in under.items()}
    return await page(request, "contracts.html", contracts=known, counts=counts)


async def contract_page(request: Request) -> Response:
    """Show one contract as `roundsman contract show` says it."""
    desk, name = desk_of(request), request.path_params["name"]
    under = (await _under(request, await person_of(request))).get(name, [])
    if name not in contract_names(desk.settings.contracts) and not under:
        raise ProblemError(404, "no_contract", "There is no such contract.")
    contract = desk.contracts(name)
    return await page(request, "contract.html", contract=contract, sections=sections(contract), under=under)


async def _under(request: Request, person: Person) -> dict[str, list[Site]]:
    """Return the reader's sites by the name of their contract."""
    found: dict[str, list[Site]] = {}
    for site in await desk_of(request).store.read(sites):
        if person.has(site.id, site.region):
            found.setdefault(site.contract, []).append(site)
    return found


ROUTES = (
    Route("/contracts", contracts_page, methods=["GET"]),
    Route("/contracts/{name}", contract_page, methods=["GET"]),
)
