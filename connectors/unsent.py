"""The one error of what carries messages to people."""


class UnsentError(Exception):
    """A message was not taken. `permanent`: trying it again cannot help; `wait`: the seconds that we are asked for."""

    def __init__(self, message: str, *, permanent: bool = False, wait: float | None = None) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.wait = wait
