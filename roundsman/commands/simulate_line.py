"""`roundsman simulate line`: a paced serial line with devices, for whoever writes code that reads one."""

import argparse
from pathlib import Path

from roundsman.output import CommandError
from simulator.line_command import LineOptions, Unplugged, simulate_line
from simulator.trouble import Trouble


def addresses(text: str) -> tuple[int, ...]:
    """Read `1-4,7` as addresses."""
    found: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    if not found or min(found) < 0 or max(found) > 255:
        raise argparse.ArgumentTypeError(f"{text}: write addresses 0 to 255, as 1-4,7")
    return tuple(dict.fromkeys(found))


def share(text: str) -> float:
    """Read a share, 0 to 1 or with a percent sign."""
    value = float(text.removesuffix("%")) / (100.0 if text.endswith("%") else 1.0)
    if not 0.0 <= value < 1.0:
        raise argparse.ArgumentTypeError(f"{text}: write a share from 0 to below 1, as 0.01 or 1%")
    return value


def slow(text: str) -> tuple[tuple[int, ...], tuple[float, float]]:
    """Read `4:0.3` or `4-6:0.1..0.5`: addresses, and the seconds that they take to answer."""
    who, _, times = text.partition(":")
    least, _, most = times.partition("..")
    return addresses(who), (float(least), float(most or least))


def unplugged(text: str) -> Unplugged:
    """Read `10:15`: pulled after 10 seconds, back after 15."""
    after, _, back = text.partition(":")
    return Unplugged(float(after), float(back))


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of a line alone; docs/simulator.md tells what each does."""
    line = parser.add_argument_group("simulate line")
    line.add_argument("--baud", type=int, default=9600, help="the line's speed (9600)")
    line.add_argument("--parity", choices=("none", "even", "odd"), default="none", help="makes a character longer")
    line.add_argument("--stop-bits", type=int, choices=(1, 2), default=1)
    line.add_argument("--turnaround", type=float, default=0.005, help="seconds that devices take to answer (0.005)")
    line.add_argument("--modbus", type=addresses, default=(), metavar="1-8", help="Modbus slaves at these addresses")
    line.add_argument("--registers", type=int, default=256, help="how many each of them has (256)")
    line.add_argument("--ydt", type=addresses, default=(), metavar="1,2", help="YD/T 1363 power plants")
    line.add_argument("--replay", type=Path, metavar="FILE", help="request and answer a line: a recorded device")
    line.add_argument("--dead", type=addresses, default=(), metavar="3", help="these never answer")
    line.add_argument("--slow", type=slow, action="append", default=[], metavar="4:0.3", help="or 4:0.1..0.5, random")
    line.add_argument("--twin", type=addresses, default=(), metavar="5", help="two devices have this address")
    line.add_argument("--other-master", type=float, default=0.0, metavar="SECONDS", help="another asks this often")
    line.add_argument("--echo", action="store_true", help="the client hears its own bytes")
    line.add_argument("--noise", type=share, default=0.0, metavar="SHARE", help="of answers with stray bytes around")
    line.add_argument("--spikes", type=float, default=0.0, metavar="RATE", help="stray bytes a second, at any time")
    line.add_argument("--corrupt", type=share, default=0.0, metavar="SHARE", help="of all bytes")
    line.add_argument("--lose", type=share, default=0.0, metavar="SHARE", help="of all bytes")
    line.add_argument("--double", type=share, default=0.0, metavar="SHARE", help="of all bytes")
    line.add_argument("--babble", type=share, default=0.0, metavar="SHARE", help="of time, random bytes")
    line.add_argument("--babble-bytes", type=int, default=60, metavar="BYTES", help="at most so many at a time (60)")
    line.add_argument("--unplug", type=unplugged, metavar="10:15", help="pulled after 10 s, back after 15 s")
    line.add_argument("--link", type=Path, metavar="PATH", help="a name for the port that stays the same")
    line.add_argument("--tcp", type=int, metavar="PORT", help="a device server on 127.0.0.1 in front; 0: any port")
    line.add_argument("--fifo", type=int, default=4, metavar="BYTES", help="bytes handed over at once (4)")
    line.add_argument("--seed", type=int, default=1, help="the same seed, the same trouble (1)")
    line.add_argument("--relaxed", action="store_true", help="spare the processor: bytes may be 0.1 ms late and more")
    line.add_argument("--json", action="store_true", help="port and counts as JSON; a line on stdin asks for counts")


def options(args: argparse.Namespace) -> LineOptions:
    """Return what was asked for."""
    return LineOptions(
        baud=args.baud,
        parity=args.parity,
        stop_bits=args.stop_bits,
        turnaround=args.turnaround,
        modbus=args.modbus,
        ydt=args.ydt,
        registers=args.registers,
        dead=args.dead,
        slow={address: times for group, times in args.slow for address in group},
        twins=args.twin,
        replay=args.replay,
        other_master=args.other_master,
        trouble=Trouble(
            echo=args.echo,
            corrupted=args.corrupt,
            lost=args.lose,
            doubled=args.double,
            stray=args.noise,
            spikes=args.spikes,
            babble=args.babble,
            babble_bytes=args.babble_bytes,
        ),
        unplugged=args.unplug,
        link=args.link,
        tcp=args.tcp,
        fifo=args.fifo,
        seed=args.seed,
        precise=not args.relaxed,
        stop_after=args.seconds,
    )


def run(args: argparse.Namespace) -> int:
    """Run the line until Ctrl-C."""
    try:
        simulate_line(options(args), as_json=args.json, say=lambda text: print(text, flush=True))
    except (OSError, ValueError) as error:
        raise CommandError(f"The line cannot be set up: {error}") from error
    return 0
