"""`roundsman desk rotate`: a site's agent takes another token, without a gap."""

import argparse

from desk.local import LocalError
from desk.tokens_told import rotate
from roundsman.asking import desk_site_arguments
from roundsman.output import CommandError, said

_DONE = {
    "en": "The agent of {site} was asked for another token; the old one is good until it has it. The desk's audit says"
    " when that was.",
    "zh": "已要求站点 {site} 的代理更换令牌，换好前旧令牌仍有效；更换时间见值班台审计。",
}


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    desk_site_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Tell the running desk."""
    try:
        rotate(args.state, args.site, args.by)
    except LocalError as error:
        raise CommandError(str(error)) from error
    print(said(_DONE).format(site=args.site))
    return 0
