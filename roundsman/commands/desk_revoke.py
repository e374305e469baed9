"""`roundsman desk revoke`: a site's agent is not heard any more."""

import argparse

from desk.local import LocalError
from desk.tokens_told import revoke
from roundsman.asking import desk_site_arguments
from roundsman.output import CommandError, said

_DONE = {
    "en": "The agent of {site} is not heard any more, and its join lines are void. To let it in again:"
    " roundsman desk enrol {site}",
    "zh": "已吊销站点 {site} 的代理令牌和接入命令。重新接入：roundsman desk enrol {site}",
}


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    desk_site_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Tell the running desk."""
    try:
        revoke(args.state, args.site, args.by)
    except LocalError as error:
        raise CommandError(str(error)) from error
    print(said(_DONE).format(site=args.site))
    return 0
