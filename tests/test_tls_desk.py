"""What a desk that speaks TLS shows, refuses and renews, with a real process."""

import contextlib
import datetime as dt
import http.client
import os
import shutil
import socket
import ssl
import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from desk.authority import Authority
from desk.certificates import Given, certificates_of, prepare, renew
from desk.listening import AddressError, Front
from desk.settings import DeskSettings
from runtime.trust import CertificateError, trusting
from tests.certificate import a_certificate
from tests.peers.house import until
from tests.tls_world import TlsHouse, context_up_to, serial_of, tls_house

DAY = 86_400.0


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TlsHouse]:
    with tls_house(tmp_path_factory.mktemp("house"), "127.0.0.1", "desk.example") as made:
        yield made


def asked(here: TlsHouse, verify: ssl.SSLContext, **more: str) -> httpx.Response:
    with httpx.Client(verify=verify, trust_env=False, timeout=10) as client:
        return client.get(f"{here.url}/healthz", headers=more)


def test_everything_that_is_made_is_for_its_owner_alone(here: TlsHouse) -> None:
    for path in (here.state, here.state / "tls"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in (here.state / "tls").iterdir()} == {0o600}


def test_who_trusts_the_ca_is_answered_and_who_trusts_another_is_not(here: TlsHouse) -> None:
    assert asked(here, trusting(here.ca())).status_code == 200
    another = Authority.made(time.time()).pem.decode()
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        asked(here, trusting(another))
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        asked(here, trusting())


def test_a_name_that_is_not_the_desks_is_refused_by_certificate_and_by_host(here: TlsHouse) -> None:
    context = trusting(here.ca())
    with socket.create_connection(("127.0.0.1", here.port)) as plain, pytest.raises(ssl.SSLCertVerificationError):
        context.wrap_socket(plain, server_hostname="other.example")
    with socket.create_connection(("127.0.0.1", here.port)) as plain:
        context.wrap_socket(plain, server_hostname="desk.example").close()
    assert asked(here, context, host="desk.example").status_code == 200
    assert asked(here, context, host=f"desk.example:{here.port}").status_code == 200
    for host in ("other.example", "desk.example.other", "evil.desk.example", "192.0.2.1"):
        answer = asked(here, context, host=host)
        assert (answer.status_code, "it has no other name" in answer.text) == (403, True), host


def test_a_form_from_a_page_of_the_same_name_without_tls_is_refused(here: TlsHouse) -> None:
    with here.client() as client:
        for origin, status in ((here.url.replace("https", "http"), 403), (here.url, 401)):
            answer = client.post("/api/v1/heartbeat", headers={"origin": origin})
            assert answer.status_code == status, origin


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_an_older_tls_is_refused_by_the_desk(here: TlsHouse, version: ssl.TLSVersion) -> None:
    context = context_up_to(version, here.ca())
    with socket.create_connection(("127.0.0.1", here.port)) as plain, pytest.raises(ssl.SSLError) as refused:
        context.wrap_socket(plain, server_hostname="127.0.0.1")
    assert refused.value.reason in {"TLSV1_ALERT_PROTOCOL_VERSION", "UNEXPECTED_EOF_WHILE_READING"}


def test_tls_1_2_and_1_3_are_spoken(here: TlsHouse) -> None:
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = context_up_to(version, here.ca())
        with (
            socket.create_connection(("127.0.0.1", here.port)) as plain,
            context.wrap_socket(plain, server_hostname="127.0.0.1") as spoken,
        ):
            assert spoken.version() == version.name.replace("_", ".", 1).replace("TLSv1_", "TLSv1.")


def test_plain_http_is_answered_with_what_to_do_and_closed(here: TlsHouse) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", here.port, timeout=10)
    connection.request("POST", "/api/v1/heartbeat", body="{}", headers={"Authorization": "Bearer secret"})
    answer = connection.getresponse()
    assert (answer.status, answer.getheader("connection")) == (400, "close")
    said = answer.read().decode()
    assert "use https://" in said
    assert "请用 https://" in said
    connection.close()


def test_what_is_neither_tls_nor_http_gets_nothing_in_the_clear(here: TlsHouse) -> None:
    with socket.create_connection(("127.0.0.1", here.port), timeout=10) as plain:
        plain.sendall(b"\x00\x01\x02garbage\r\n\r\n" * 4)
        with contextlib.suppress(ConnectionResetError):
            assert b"HTTP" not in plain.recv(4096)


def test_a_connection_is_kept_for_many_requests(here: TlsHouse) -> None:
    with here.client() as client:
        streams = {id(client.get("/healthz").extensions["network_stream"]) for _ in range(5)}
    assert len(streams) == 1


def test_the_ca_is_anybodys(here: TlsHouse) -> None:
    with here.client() as client:
        told = client.get("/api/v1/ca").json()
    assert told["ca"] == here.ca()
    assert told["fingerprint"] in here.line()


def test_another_machines_desk_is_asked_with_its_ca(here: TlsHouse, tmp_path: Path) -> None:
    ca, other = here.state / "tls" / "ca.pem", tmp_path / "other.pem"
    other.write_bytes(Authority.made(time.time()).pem)
    good = here.said("tickets", "--desk", here.url, "--ca", str(ca))
    assert (good.returncode, good.stdout) == (0, "No open tickets.\n")
    bad = here.said("tickets", "--desk", here.url, "--ca", str(other))
    assert bad.returncode == 1
    assert "its certificate is not believed" in bad.stderr
    plain = here.said("tickets", "--desk", here.url.replace("https", "http"), "--ca", str(ca))
    assert (plain.returncode, "write https://" in plain.stderr) == (1, True)
    alone = here.said("tickets", "--ca", str(ca), "--state", str(here.state))
    assert (alone.returncode, "--desk https://" in alone.stderr) == (1, True)
    assert here.said("tickets", "--state", str(here.state)).stdout == "No open tickets.\n"


def test_a_certificate_is_renewed_under_load_without_a_lost_request(here: TlsHouse) -> None:
    before, stop, lost, done = serial_of(here.port, here.ca()), threading.Event(), [], [0, 0]

    def load(which: int) -> None:
        """One asks with a connection of its own each time, the other keeps its connection."""
        kept = here.client()
        while not stop.is_set():
            client = kept if which else here.client()
            try:
                client.get("/healthz").raise_for_status()
                done[which] += 1
            except httpx.HTTPError as error:
                lost.append(error)
            if not which:
                client.close()
        kept.close()

    threads = [threading.Thread(target=load, args=(which,)) for which in (0, 1)]
    for each in threads:
        each.start()
    try:
        old = time.time() - 61 * DAY
        chain = Authority.from_pem((here.state / "tls" / "authority.pem").read_bytes()).desk(["127.0.0.1"], old)
        fresh = here.state / "tls" / "fresh"
        fresh.write_bytes(chain)
        fresh.replace(here.state / "tls" / "desk.pem")  # it has 29 days left: the desk itself is to renew it
        until(lambda: (held := certificates_of(here.state)) is not None and held.ends > time.time() + 80 * DAY)
        until(lambda: serial_of(here.port, here.ca()) != before)
        counted = list(done)
        until(lambda: all(now > then + 20 for now, then in zip(done, counted, strict=True)))
    finally:
        stop.set()
        for each in threads:
            each.join(20)
    held = certificates_of(here.state)
    assert held is not None
    assert int(serial_of(here.port, here.ca()), 16) == int(held.serial, 16)
    assert (lost, "another certificate is used" in here.log("desk")) == ([], True)


def test_a_broken_certificate_file_changes_nothing_that_is_spoken(here: TlsHouse) -> None:
    before, path = serial_of(here.port, here.ca()), here.state / "tls" / "desk.pem"
    good = path.read_bytes()
    other = Authority.made(time.time()).desk(["127.0.0.1"], time.time())
    mark = b"-----BEGIN CERTIFICATE"
    half = good[: good.index(mark)] + other[other.index(mark) :]
    try:
        path.write_bytes(half)
        until(lambda: "goes on with the certificate that it has" in here.log("desk"))
        assert serial_of(here.port, here.ca()) == before
    finally:
        path.write_bytes(good)


def test_an_agent_does_not_believe_a_certificate_that_is_over(tmp_path: Path) -> None:
    with tls_house(tmp_path) as here:
        line = here.line()
        here.run("join", line, "--site", str(here.site_file))
        authority = Authority.from_pem((here.state / "tls" / "authority.pem").read_bytes())
        with listening_as(authority.desk(["127.0.0.1"], time.time() - 200 * DAY), tmp_path) as port:
            here.site_file.write_text(here.site_file.read_text().replace(str(here.port), str(port)))
            here.start_agent()
            until(lambda: "its certificate is not believed (certificate has expired)" in here.log("agent"))
            here.stop("agent")


def test_an_agent_does_not_believe_another_ca_or_another_name(tmp_path: Path) -> None:
    with tls_house(tmp_path) as here:
        here.run("join", here.line(), "--site", str(here.site_file))
        authority = Authority.from_pem((here.state / "tls" / "authority.pem").read_bytes())
        text, now = here.site_file.read_text(), time.time()
        for chain, why in (
            (Authority.made(now).desk(["127.0.0.1"], now), "self-signed certificate in certificate chain"),
            (authority.desk(["other.example"], now), "IP address mismatch"),
        ):
            with listening_as(chain, tmp_path) as port:
                here.site_file.write_text(text.replace(str(here.port), str(port)))
                here.start_agent()
                until(lambda why=why: why in here.log("agent"))
                here.stop("agent")


@contextlib.contextmanager
def listening_as(chain: bytes, folder: Path) -> Iterator[int]:
    """Somebody who shows a certificate and hears what is said after the handshake, which must be nothing."""
    file = folder / "shown.pem"
    file.write_bytes(chain)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    plain, _ = listening.accept()
                except OSError:
                    return
                with plain, contextlib.suppress(OSError), context.wrap_socket(plain, server_side=True) as spoken:
                    heard.append(spoken.recv(4096))

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield int(listening.getsockname()[1])
        listening.shutdown(socket.SHUT_RDWR)
    thread.join(10)
    assert [each for each in heard if each] == []


# --- what is made and taken, without a process ------------------------------------------------------------------------


def test_init_again_keeps_what_is_good_and_new_names_get_a_certificate_of_the_same_ca(tmp_path: Path) -> None:
    now = time.time()
    first = prepare(tmp_path, ("desk.example", "192.0.2.10"), None, now)
    assert prepare(tmp_path, (), None, now) == first
    assert prepare(tmp_path, ("desk.example", "192.0.2.10"), None, now) == first
    other = prepare(tmp_path, ("desk.example", "2001:db8::1"), None, now)
    assert (other.fingerprint, other.told.names) == (first.fingerprint, ("desk.example", "2001:db8::1"))
    assert other.serial != first.serial
    assert other.is_for("2001:db8::1")
    assert not other.is_for("192.0.2.10")
    assert first.ca_ends - now == pytest.approx(3653 * DAY, abs=2)


@pytest.mark.parametrize("name", ["", "a b", "-x", "*.example", "256.1.1.1", "0.0.0.0", "x" * 64, "desk_1", "http://a"])
def test_what_is_no_name_is_refused_and_nothing_is_made(tmp_path: Path, name: str) -> None:
    with pytest.raises(CertificateError, match=r"is no host's name|is nobody's address"):
        prepare(tmp_path, (name,), None, time.time())
    assert certificates_of(tmp_path) is None


def test_without_a_name_it_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(CertificateError, match="name the desk as people and sites reach it"):
        prepare(tmp_path, (), None, time.time())


def test_the_desk_renews_in_time_and_not_before(tmp_path: Path) -> None:
    made = time.time()
    held = prepare(tmp_path, ("desk.example",), None, made)
    assert renew(tmp_path, made + 59 * DAY) is None
    renewed = renew(tmp_path, made + 61 * DAY)
    assert renewed is not None
    assert (renewed.serial == held.serial, renewed.fingerprint) == (False, held.fingerprint)
    assert renewed.ends == pytest.approx(made + 151 * DAY, abs=2)


def test_a_certificate_that_was_made_while_the_clock_was_ahead_is_made_anew_once_the_time_is_sure(
    tmp_path: Path,
) -> None:
    made = time.time()
    prepare(tmp_path, ("desk.example",), None, made)
    ahead = renew(tmp_path, made + 5000 * DAY, sure=False)
    assert ahead is not None
    assert renew(tmp_path, made, sure=False) is None, "a clock that starts in 1970 makes nothing of its time"
    mended = renew(tmp_path, made)
    assert mended is not None
    assert mended.begins < made < mended.ends
    assert renew(tmp_path, made) is None


def test_a_crash_at_any_moment_of_init_is_mended_by_init(tmp_path: Path) -> None:
    """Each prefix of what is written: `init` again gives a whole desk, of the CA that was made first."""
    whole = tmp_path / "whole"
    prepare(whole, ("desk.example",), None, time.time())
    order = ("authority.pem", "ca.pem", "told.json", "desk.pem")
    for kept in range(len(order)):
        state = tmp_path / str(kept)
        (state / "tls").mkdir(parents=True)
        for name in order[:kept]:
            shutil.copy(whole / "tls" / name, state / "tls" / name)
        held = prepare(state, ("desk.example",), None, time.time())
        Front(DeskSettings(state=state))
        before = certificates_of(whole)
        assert before is not None
        assert (held.fingerprint == before.fingerprint) is (kept > 0)


def test_a_given_certificate_is_taken_when_an_agent_would_believe_it(tmp_path: Path) -> None:
    certificate, key = a_certificate(tmp_path)
    held = prepare(tmp_path / "state", (), Given(certificate, key, certificate), time.time())
    assert (held.told.names, held.told.given) == (("127.0.0.1",), True)
    assert renew(tmp_path / "state", held.ends - 1) is None
    again = prepare(tmp_path / "state", (), None, time.time())
    assert again.serial == held.serial


def test_a_given_certificate_that_agents_would_refuse_is_refused_and_the_one_before_stays(tmp_path: Path) -> None:
    certificate, key = a_certificate(tmp_path)
    (tmp_path / "other").mkdir()
    _, other_key = a_certificate(tmp_path / "other")
    state, now = tmp_path / "state", time.time()
    before = prepare(state, ("desk.example",), None, now)
    for names, given, why in (
        ((), Given(certificate, key), "agents would refuse it"),
        (("desk.example",), Given(certificate, key, certificate), "agents would refuse it"),
        ((), Given(certificate, other_key, certificate), "the key is not the certificate's"),
        ((), Given(tmp_path / "none", key), "No such file"),
        ((), Given(key, key, certificate), "cannot be used"),
    ):
        with pytest.raises(CertificateError, match=why):
            prepare(state, names, given, now)
        assert certificates_of(state) == before


def test_a_desk_with_damaged_certificates_does_not_start_and_never_without_tls(tmp_path: Path) -> None:
    prepare(tmp_path, ("127.0.0.1",), None, time.time())
    (tmp_path / "tls" / "told.json").write_text("{")
    with pytest.raises(AddressError, match="cannot be used"):
        Front(DeskSettings(state=tmp_path))


def test_root_makes_files_of_the_folders_owner(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give files away")
    state = tmp_path / "state"
    state.mkdir()
    os.chown(state, 12345, 12345)
    prepare(state, ("127.0.0.1",), None, time.time())
    owners = {path.stat().st_uid for path in (state / "tls", *(state / "tls").iterdir())}
    assert owners == {12345}


def test_certificates_say_what_they_are_for(tmp_path: Path) -> None:
    from cryptography import x509
    from cryptography.x509.oid import ExtendedKeyUsageOID

    now = time.time()
    authority = Authority.made(now)
    constraints = authority.certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (constraints.critical, constraints.value.ca, constraints.value.path_length) == (True, True, 0)
    desk = x509.load_pem_x509_certificate(authority.desk(["desk.example"], now))
    desk.verify_directly_issued_by(authority.certificate)
    assert desk.not_valid_after_utc - desk.not_valid_before_utc == dt.timedelta(days=92)
    use = desk.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(use) == [ExtendedKeyUsageOID.SERVER_AUTH]
