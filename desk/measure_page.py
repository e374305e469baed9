"""The page that says how good the alarms are."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from desk.live import BOARD
from desk.nuisance import DAY, TIMES, nuisances
from desk.page import page
from desk.web import desk_of
from model.nuisance import TEN


async def measure_page(request: Request) -> Response:
    """Show how many alarms people get, and which of them are a nuisance."""
    desk = desk_of(request)
    now = desk.timekeeper.standing().at
    found = await desk.store.read(lambda db: nuisances(db, now))
    whole = {name: days * (DAY // TEN) - 1 for name, days in TIMES.items()}  # less the ten minutes that run
    return await page(request, "measure.html", topic=BOARD, found=found, whole=whole)


ROUTES = (Route("/alarms/measure", measure_page, methods=["GET"]),)
