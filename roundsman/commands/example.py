"""`roundsman example`: the example site file."""

import argparse

from config.shipped import example_site


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments: none."""
    parser.epilog = "roundsman example > site.yaml"


def run(_: argparse.Namespace) -> int:
    """Print the file."""
    print(example_site(), end="")
    return 0
