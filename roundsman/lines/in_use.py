"""Whether the running agent holds a port: it answers on its control socket, and its site file names the port."""

import socket
from pathlib import Path

from config.line_port import DeviceServer
from config.node import ConfigError
from config.site import load_site
from roundsman.asking import SITE
from roundsman.output import CommandError


def refuse_port_in_use(port: Path | DeviceServer, site_file: Path | None) -> None:
    """Raise CommandError where the agent of this site file, or the service's, runs and has the port."""
    given = site_file or SITE
    if site_file is None and not given.exists():
        return
    try:
        site = load_site(given)
    except ConfigError:
        if site_file is not None:
            raise
        return  # a site file that is wrong keeps nobody from looking at a line
    line = next((line for line in site.lines if _same(line.port, port)), None)
    if line is not None and _answers(site.agent.control):
        raise CommandError(
            f"{port} is in use by the running agent: line {line.id} of {given}. Stop the agent for the time "
            "(systemctl stop roundsman-agent), or see what it reads: roundsman read."
        )


def _same(one: Path | DeviceServer, other: Path | DeviceServer) -> bool:
    if isinstance(one, Path) and isinstance(other, Path):
        return one.resolve() == other.resolve()
    return one == other


def _answers(control: Path) -> bool:
    """Tell whether somebody listens on the agent's socket; one that may not be asked is taken for running."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
        asking.settimeout(2.0)
        try:
            asking.connect(str(control))
        except PermissionError:
            return True
        except OSError:
            return False
    return True
