"""Beyond loopback: who is answered before there are people, and agents that need certificates of their own."""

import asyncio
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from desk import listening
from desk.certificates import Told, prepare
from desk.listening import Front
from desk.settings import DeskSettings
from runtime.trust import trusting
from tests.desk_world import a_desk
from tests.peers.house import until
from tests.tls_world import TlsHouse, tls_house


def own_address() -> str:
    """Return an address of this machine that is not loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # nothing is sent: the kernel names the address that it would send from
        except OSError:
            pytest.skip("this machine has no address beside loopback")
        return str(probe.getsockname()[0])


@pytest.fixture
def beyond(tmp_path: Path) -> Iterator[tuple[TlsHouse, str]]:
    address = own_address()
    here = TlsHouse(tmp_path, address)
    try:
        here.start("desk", "desk", "--state", str(here.state), "--listen", f"0.0.0.0:{here.port}")
        until((here.state / "local.json").exists)
        yield here, f"https://{address}:{here.port}"
    finally:
        for process in here.processes.values():
            process.kill()
            process.wait()


def test_beyond_loopback_only_agents_are_answered_until_there_is_a_user(beyond: tuple[TlsHouse, str]) -> None:
    here, url = beyond
    with httpx.Client(base_url=url, verify=trusting(here.ca()), trust_env=False, timeout=10) as client:
        for path in ("/", "/system", "/metrics", "/healthz", "/api/v1/tickets", "/login", "/static/desk.css"):
            answer = client.get(path)
            assert (answer.status_code, "knows no people yet" in answer.text) == (403, True), path
        assert client.post("/api/v1/local/enrol", json={"site": "x"}).status_code == 403
        assert client.get("/api/v1/ca").json()["ca"] == here.ca()
        assert client.post("/api/v1/heartbeat", json={}).status_code == 401
    link = here.run("desk", "user", "add", "Chen Wei", "--role", "administrator", "--state", str(here.state))
    with httpx.Client(base_url=url, verify=trusting(here.ca()), trust_env=False, timeout=10) as client:
        assert (client.get("/").status_code, client.get("/").headers["location"]) == (303, "/login")
        assert client.get("/api/v1/tickets").status_code == 401
        (address,) = [word for word in link.split() if word.startswith(url)]
        assert client.get(address).status_code == 200
    line = here.line()
    assert line.startswith(f"roundsman-join:{url}#")
    text = here.site_file.read_text()
    here.site_file.write_text(text.replace("https://127.0.0.1", f"https://{url[8:].partition(':')[0]}"))
    here.run("join", line, "--site", str(here.site_file))
    here.start_agent()
    until(here.beats)


@pytest.fixture
def by_certificate(tmp_path: Path) -> Iterator[TlsHouse]:
    with tls_house(tmp_path, init=("--agents-by-certificate",)) as made:
        yield made


def test_an_agents_certificate_says_who_it_is_and_the_token_alone_opens_nothing(by_certificate: TlsHouse) -> None:
    here = by_certificate
    here.run("join", here.line(), "--site", str(here.site_file))
    here.start_agent()
    until(here.beats)
    token = {"Authorization": f"Bearer {(here.folder / 'desk.token').read_text().strip()}"}
    own = here.folder / "agent" / "desk" / "agent.pem"

    def asked(certificate: Path | None) -> httpx.Response:
        verify = trusting(here.ca(), certificate)
        with httpx.Client(base_url=here.url, verify=verify, trust_env=False, timeout=10) as client:
            return client.get("/api/v1/commands", headers=token)

    assert asked(own).status_code == 200
    assert (asked(None).status_code, asked(None).json()["error"]) == (401, "certificate")
    other = another_agents(here)
    assert (asked(other).status_code, asked(other).json()["error"]) == (401, "certificate")
    with pytest.raises(httpx.HTTPError):
        asked(a_strangers(here.folder))


def test_another_certificate_comes_with_another_token(by_certificate: TlsHouse) -> None:
    here = by_certificate
    here.run("join", here.line(), "--site", str(here.site_file))
    here.start_agent()
    until(here.beats)
    own = here.folder / "agent" / "desk" / "agent.pem"
    before = own.read_bytes()
    here.run("desk", "rotate", "house", "--state", str(here.state))
    until(lambda: "the token was changed" in here.log("agent"))
    assert own.read_bytes() != before
    ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(own)
    here.heard_anew()
    here.stop("agent")
    here.start_agent()
    here.heard_anew()


def test_agents_that_joined_before_certificates_were_asked_for_have_theirs(tmp_path: Path) -> None:
    with tls_house(tmp_path) as here:
        here.run("join", here.line(), "--site", str(here.site_file))
        here.start_agent()
        until(here.beats)
        here.init("--agents-by-certificate")
        here.stop("desk")
        here.start_desk()
        here.heard_anew()
        here.init()
        here.stop("desk")
        here.start_desk()
        with here.client() as client:
            token = {"Authorization": f"Bearer {(here.folder / 'desk.token').read_text().strip()}"}
            assert client.get("/api/v1/commands", headers=token).json()["error"] == "certificate"


def another_agents(here: TlsHouse) -> Path:
    """Return the key and certificate that the desk's own CA made for an agent of another site."""
    from agent.credentials import request_for
    from desk.certificates import authority_of

    key, csr = request_for("house", "00000000-0000-0000-0000-000000000000")  # what it asks for is not believed
    made = authority_of(here.state).agent(csr, "elsewhere", "00000000-0000-0000-0000-000000000000", time.time())
    file = here.folder / "another.pem"
    file.write_bytes(key + made)
    return file


def a_strangers(folder: Path) -> Path:
    """Return a key and a certificate that vouches for itself, made by OpenSSL."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    key, certificate = folder / "stranger.key", folder / "stranger.crt"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
               "-subj", "/CN=stranger", "-keyout", str(key), "-out", str(certificate)]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)
    file = folder / "stranger.pem"
    file.write_bytes(key.read_bytes() + certificate.read_bytes())
    return file


async def test_whether_agents_need_their_certificates_changes_with_the_next_start_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "LOOK", 0.01)
    prepare(tmp_path, ("desk.example",), None, time.time())
    front = Front(DeskSettings(state=tmp_path))
    async with a_desk(tmp_path) as world:
        ended = asyncio.Event()
        keeping = asyncio.create_task(front.keep(world.desk, ended))
        made = prepare(tmp_path, ("other.example",), None, time.time(), by_certificate=True)
        async with asyncio.timeout(20):
            while world.desk.certificates is None or world.desk.certificates.serial != made.serial:  # noqa: ASYNC110
                await asyncio.sleep(0)  # the desk looks in its own time
        ended.set()
        await keeping
        assert world.desk.certificates.told == Told(("other.example",))
    again = Front(DeskSettings(state=tmp_path)).held
    assert again is not None
    assert again.told.agents_by_certificate
