"""The client of people's programs against a running desk: an answer that is lost is asked for again, and done once."""

import socket
import threading
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest

from connectors.desk import DeskError
from connectors.tickets import TicketsClient
from model.contract import Milestone
from model.service.entry import Acknowledged, LevelSet, Reached, Resumed
from model.service.words import Side
from model.ticket_protocol import OpenByHand
from tests.desk_process import a_desk_process


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with a_desk_process(tmp_path_factory.mktemp("desk"), S1="power-vendor") as address:
        yield address


def fault(device: str) -> OpenByHand:
    return OpenByHand("Li", "S1", "mains.lost", device)


def test_a_ticket_is_opened_spoken_of_and_read(url: str) -> None:
    with TicketsClient(url) as client:
        ticket = client.open(fault("a"))
        ticket = client.say(ticket.number, Acknowledged(), "Li")
        assert ticket.acknowledged_by == "Li"
        ticket = client.say(ticket.number, Reached(Milestone.ARRIVE), "Wang", side=Side.CUSTOMER)
        assert ticket.marks[Milestone.ARRIVE].sides == (Side.CUSTOMER,)
        assert client.ticket(ticket.number).marks == ticket.marks
        entries = list(client.entries(ticket.number))
        assert [type(entry.act).__name__ for entry in entries if entry.who != "desk"] == [
            "Opened", "Acknowledged", "Reached"
        ]  # fmt: skip


def test_an_answer_on_a_connection_that_is_kept_does_not_wait_for_the_last_ones_receipt(url: str) -> None:
    taken: list[float] = []
    with httpx.Client(base_url=url, trust_env=False) as client:
        for _ in range(20):
            begin = time.perf_counter()
            client.get("/api/v1/clock")
            taken.append(time.perf_counter() - begin)
    assert min(taken[1:]) < 0.03  # without TCP_NODELAY each waits 40 ms for the client's delayed ACK


def test_all_tickets_come_page_by_page(url: str) -> None:
    with TicketsClient(url) as client:
        opened = {client.open(fault(f"p{number}")).number for number in range(5)}
        found = [ticket.number for ticket in client.every(state="all", limit=2)]
        assert opened <= set(found)
        assert found == sorted(set(found), reverse=True)


@pytest.mark.parametrize(("language", "sentence"), [("en", "Nobody paused the clocks"), ("zh", "没有人暂停计时")])
def test_a_refusal_has_the_desks_word_and_a_sentence(url: str, language: str, sentence: str) -> None:
    with TicketsClient(url, language=language) as client:
        number = client.open(fault(f"r{language}")).number
        with pytest.raises(DeskError, match=sentence) as refused:
            client.say(number, Resumed(), "Li")
        assert (refused.value.reason, refused.value.permanent) == ("not_paused", True)
        with pytest.raises(DeskError) as none:
            client.say(999, LevelSet(1, "x"), "Li")
        assert none.value.reason == "no_ticket"


def test_a_desk_that_does_not_answer_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with (
            TicketsClient(f"http://127.0.0.1:{taken.getsockname()[1]}") as client,
            pytest.raises(DeskError, match=r"no answer from http://127\.0\.0\.1"),
        ):
            client.ticket(1)


class Losing:
    """Stands before a desk: hands each request on, and loses the answers of the first few."""

    def __init__(self, url: str, lost: int) -> None:
        self._desk = urlsplit(url)
        self._lost = lost
        self.asked = 0
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                coming, _ = self._listening.accept()
            except OSError:
                return
            with coming, socket.create_connection((self._desk.hostname or "", self._desk.port or 0)) as desk:
                request = _message(coming)
                desk.sendall(request.replace(b"\r\n", b"\r\nConnection: close\r\n", 1))
                answer = b"".join(iter(lambda: desk.recv(65536), b""))
                self.asked += 1
                if self.asked > self._lost:
                    coming.sendall(answer)

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(timeout=10)


def _message(coming: socket.socket) -> bytes:
    """Read one HTTP request."""
    raw = b""
    while b"\r\n\r\n" not in raw:
        raw += coming.recv(65536)
    head, _, body = raw.partition(b"\r\n\r\n")
    length = next(
        (int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-le")), 0
    )
    while len(body) < length:
        body += coming.recv(65536)
    return head + b"\r\n\r\n" + body


def test_a_lost_answer_is_asked_for_again_and_the_act_is_written_once(url: str) -> None:
    losing = Losing(url, lost=2)
    try:
        with TicketsClient(url) as straight, TicketsClient(losing.url) as client:
            number = straight.open(fault("lost")).number
            ticket = client.say(number, {"what": "repaired", "part": "fan"}, "Li")
            assert losing.asked == 3
            assert ticket.repair is not None
            entries = [entry for entry in straight.entries(number) if type(entry.act).__name__ == "Repaired"]
            assert len(entries) == 1
    finally:
        losing.close()


def test_after_three_tries_it_is_given_up(url: str) -> None:
    losing = Losing(url, lost=99)
    try:
        with TicketsClient(losing.url) as client, pytest.raises(DeskError, match="no answer") as lost:
            client.ticket(1)
        assert (losing.asked, lost.value.permanent) == (3, False)
    finally:
        losing.close()


def test_the_document_is_where_it_is_said_to_be(url: str) -> None:
    assert httpx.get(f"{url}/api/v1/openapi.json").json()["openapi"] == "3.1.0"
