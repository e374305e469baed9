"""What a command says: run in this process, its status and both its outputs."""

import contextlib
import io

from roundsman.cli import run


def said(*words: str) -> tuple[int, str, str]:
    """Run `roundsman WORDS`; return its status, standard output and standard error."""
    out, err = io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = run(list(words))
        except SystemExit as end:
            status = int(str(end.code or 0))
    assert isinstance(out.buffer, io.BytesIO)
    return status, out.buffer.getvalue().decode(), err.getvalue()
