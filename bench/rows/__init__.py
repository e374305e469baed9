"""The rows of the bench: each is `measure(sizes, tell) -> figures`; ROWS is all of them."""

from collections.abc import Callable

from bench.figures import Figure
from bench.rows import (
    boards,
    clients,
    fault,
    get,
    history,
    host,
    idle,
    imports,
    line,
    line_corrupt,
    line_faults,
    lines,
    many,
    page,
    province,
    start,
    storm,
    walk,
)
from bench.sizes import Sizes

Tell = Callable[[str], None]
Measure = Callable[[Sizes, Tell], list[Figure]]

ROWS: dict[str, Measure] = {
    "idle": idle.measure,
    "many": many.measure,
    "start": start.measure,
    "host": host.measure,
    "fault": fault.measure,
    "page": page.measure,
    "walk": walk.measure,
    "get": get.measure,
    "clients": clients.measure,
    "line": line.measure,
    "line-fast": line.measure_fast,
    "line-mixed": line.measure_mixed,
    "line-faults": line_faults.measure,
    "line-corrupt": line_corrupt.measure,
    "lines": lines.measure,
    "imports": imports.measure,
    "history": history.measure,
    "storm": storm.measure,
    "province": province.measure,
    "boards": boards.measure,
}
