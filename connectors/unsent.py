"""The one error of what carries messages to people."""


class UnsentError(Exception):
    """A message was not taken. `permanent`: trying it again cannot help; `wait`: the seconds that we are asked for.

    `perhaps`: it was handed over and never answered, so the other side may have it all the same.
    """

    def __init__(
        self, message: str, *, permanent: bool = False, wait: float | None = None, perhaps: bool = False
    ) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.wait = wait
        self.perhaps = perhaps


def plain(text: str) -> str:
    """Return what a stranger said on one line, without what a terminal or a log would act on."""
    return "".join(sign if sign.isprintable() else "?" for sign in " ".join(text.split()))
