"""`roundsman desk init`: the desk's state folder, its CA and certificate, or a certificate that is given."""

import argparse
import time
from pathlib import Path

from roundsman.output import CommandError, said
from runtime.trust import CertificateError

STATE = Path("/var/lib/roundsman-desk")
_OWN = {
    "en": "The CA's fingerprint, which join lines carry (SHA-256):\n  {print}\nIt ends on {ca_ends}. The desk's"
    " certificate ends on {ends}; the desk renews it {days} days before.\nFor browsers: {ca}",
    "zh": "CA指纹（SHA-256，接入行中带有）：\n  {print}\nCA有效期至{ca_ends}。值班台证书有效期至{ends}，值班台会"
    "提前{days}天自动续期。\n浏览器请导入：{ca}",
}
_GIVEN = {
    "en": "The given certificate is in use; it ends on {ends}. Give the next one in time, by the same command.",
    "zh": "已采用所给证书，有效期至{ends}。请及时用同一命令换上新证书。",
}
_NEXT = {
    "en": "The desk is {url}. A desk that runs takes up a new certificate within seconds; the first one, and"
    " --agents-by-certificate, at its next start.",
    "zh": "值班台地址：{url}。运行中的值班台几秒内启用新证书；首次启用TLS、--agents-by-certificate 需重启生效。",
}


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="names and addresses of the desk; the first is the one sites are told"
    )
    parser.add_argument(
        "--state", type=Path, default=STATE, metavar="DIR", help=f"where the desk keeps its file ({STATE})"
    )
    parser.add_argument("--certificate", type=Path, metavar="FILE", help="take this one, with its chain (PEM)")
    parser.add_argument("--key", type=Path, metavar="FILE", help="its key (PEM)")
    parser.add_argument("--ca", type=Path, metavar="FILE", help="the CA above it, where machines do not trust it")
    both = parser.add_mutually_exclusive_group()
    both.add_argument(
        "--agents-by-certificate", action="store_true", default=None, help="agents need a certificate of their own too"
    )
    both.add_argument(
        "--agents-by-token", dest="agents_by_certificate", action="store_false", help="agents need their token alone"
    )


def run(args: argparse.Namespace) -> int:
    """Make or take certificates, and say what they are."""
    from desk.certificates import CA, RENEWED_BEFORE, Given, prepare  # noqa: PLC0415 - not for --help

    if (args.certificate is None) != (args.key is None) or (args.ca and args.certificate is None):
        raise CommandError("Give --certificate and --key, both.")
    given = Given(args.certificate, args.key, args.ca) if args.certificate else None
    try:
        held = prepare(args.state, tuple(args.names), given, time.time(), by_certificate=args.agents_by_certificate)
    except (CertificateError, OSError) as error:
        raise CommandError(f"{error}") from error
    fields = {
        "print": held.fingerprint,
        "ends": _day(held.ends),
        "ca_ends": _day(held.ca_ends),
        "days": round(RENEWED_BEFORE / 86_400.0),
        "ca": held.folder / CA,
        "url": held.url(8061),
    }
    print(said(_GIVEN if held.told.given else _OWN).format(**fields))
    print(said(_NEXT).format(**fields))
    return 0


def _day(at: float) -> str:
    return time.strftime("%Y-%m-%d", time.localtime(at))
