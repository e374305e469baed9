"""How a message goes out: mail to a real server, webhooks to a real receiver, and every way to be refused."""

import asyncio
import contextlib
from pathlib import Path

import pytest

from connectors.mail import Mail, Server, compose, send
from connectors.unsent import UnsentError
from connectors.webhook import post, signed
from tests.certificate import a_certificate
from tests.post_office import a_mail_server, a_receiver

MAIL = Mail(
    name="0123abcd", sender="desk@example.com", to="zhang@example.com", to_name="张伟",
    subject="【1级】湛江二号站\n市电中断", text="1级  湛江二号站\n时限：抵达\n", made=1_800_000_000.7, urgent=True,
)  # fmt: skip


async def refusal(server: Server, to: str = "zhang@example.com") -> UnsentError:
    with pytest.raises(UnsentError) as caught:
        await send(server, "desk@example.com", to, compose(MAIL))
    return caught.value


# --- mail -----------------------------------------------------------------------------------------------------------


async def test_a_mail_arrives_as_it_was_written(tmp_path: Path) -> None:
    with a_mail_server(tmp_path) as office:
        server = Server("127.0.0.1", office.port, "none")
        await send(server, "desk@example.com", "zhang@example.com", compose(MAIL))
        (mail,) = office.mails
    assert mail["to"] == ["zhang@example.com"]
    assert mail["text"] == MAIL.text
    headers = mail["headers"]
    assert headers["Subject"] == "【1级】湛江二号站 市电中断"
    assert headers["Message-ID"] == "<0123abcd@example.com>"
    assert headers["To"] == "张伟 <zhang@example.com>"
    assert headers["Date"] == "Fri, 15 Jan 2027 08:00:00 +0000"
    assert (headers["Auto-Submitted"], headers["Importance"]) == ("auto-generated", "high")


def test_the_same_words_are_the_same_bytes() -> None:
    assert compose(MAIL) == compose(MAIL)


async def test_starttls_and_a_password(tmp_path: Path) -> None:
    cert, key = a_certificate(tmp_path)
    with a_mail_server(tmp_path, "--certificate", str(cert), str(key), "--password", "desk:right") as office:
        good = Server("127.0.0.1", office.port, "starttls", "desk", "right", cert)
        await send(good, "desk@example.com", "zhang@example.com", compose(MAIL))
        wrong = await refusal(Server("127.0.0.1", office.port, "starttls", "desk", "wrong", cert))
        (mail,) = office.mails
    assert mail["tls"]
    assert mail["authenticated"]
    assert str(wrong).startswith("the mail server refuses: 535")
    assert not wrong.permanent  # the password may be mended; nobody's address is wrong
    assert "wrong" not in repr(Server("h", 1, "tls", "desk", "wrong"))


async def test_tls_from_the_start(tmp_path: Path) -> None:
    cert, key = a_certificate(tmp_path)
    with a_mail_server(tmp_path, "--certificate", str(cert), str(key), "--implicit") as office:
        server = Server("127.0.0.1", office.port, "tls", ca=cert)
        await send(server, "desk@example.com", "zhang@example.com", compose(MAIL))
        assert office.mails[0]["tls"]


async def test_a_server_that_nobody_vouches_for_gets_nothing(tmp_path: Path) -> None:
    cert, key = a_certificate(tmp_path)
    with a_mail_server(tmp_path, "--certificate", str(cert), str(key)) as office:
        error = await refusal(Server("127.0.0.1", office.port, "starttls"))
        assert office.mails == []
    assert str(error).startswith("the mail server's certificate is not trusted")


async def test_a_server_without_starttls_gets_nothing_where_it_is_asked_for(tmp_path: Path) -> None:
    with a_mail_server(tmp_path) as office:
        error = await refusal(Server("127.0.0.1", office.port, "starttls"))
        assert office.mails == []
    assert not error.permanent


@pytest.mark.parametrize(
    ("to", "permanent", "said"),
    [
        ("gone@example.com", True, "gone@example.com is refused: 550 5.1.1 no such mailbox"),
        ("busy@example.com", False, "busy@example.com is refused: 451 4.2.0 try again later"),
        ("heavy@example.com", True, "the mail server refuses: 554 5.6.0 refused"),
    ],
)
async def test_what_a_server_refuses_for_good_is_permanent(tmp_path: Path, to: str, permanent: bool, said: str) -> None:
    with a_mail_server(tmp_path) as office:
        error = await refusal(Server("127.0.0.1", office.port, "none"), to)
    assert (str(error), error.permanent) == (said, permanent)


async def test_no_server_is_not_permanent(tmp_path: Path) -> None:
    with a_mail_server(tmp_path) as office:
        port = office.port
    error = await refusal(Server("127.0.0.1", port, "none"))
    assert str(error) == f"no mail server at 127.0.0.1:{port}: Connection refused"
    assert not error.permanent


async def test_a_mail_that_was_taken_is_taken_whatever_the_server_says_at_leaving(tmp_path: Path) -> None:
    with a_mail_server(tmp_path) as office:
        await send(Server("127.0.0.1", office.port, "none"), "desk@example.com", "rude@example.com", compose(MAIL))
        assert len(office.mails) == 1


async def test_a_server_that_never_answers_the_text_may_have_the_mail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.mail.TIMEOUT", 0.5)
    with a_mail_server(tmp_path) as office:
        error = await refusal(Server("127.0.0.1", office.port, "none"), "deaf@example.com")
        assert len(office.mails) == 1
    assert (error.perhaps, error.permanent) == (True, False)
    assert str(error).startswith("no answer from the mail server at 127.0.0.1:")


# --- webhooks -------------------------------------------------------------------------------------------------------


async def test_a_webhook_is_signed_and_named() -> None:
    with a_receiver() as receiver:
        await post(f"http://127.0.0.1:{receiver.port}/in", "a secret", "m1", 1_800_000_000.9, b'{"a": 1}')
        assert receiver.proven("a secret")
        assert not receiver.proven("another secret")
        ((headers, body),) = receiver.came
    assert (headers["webhook-id"], headers["webhook-timestamp"], body) == ("m1", "1800000000", b'{"a": 1}')


def test_a_secret_as_the_specification_writes_it_gives_its_published_signature() -> None:
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    headers = signed(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(200, contextlib.nullcontext()), (500, pytest.raises(UnsentError, match=r"answered 500 \?\[2J and so on"))],
)
async def test_a_receiver_that_never_ends_its_answer_is_not_read_to_its_end(
    status: int, outcome: contextlib.AbstractContextManager[object]
) -> None:
    answered, gone = asyncio.Event(), asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 {status} Told\r\ncontent-length: 1000000000\r\n\r\n".encode())
        writer.write(b"\x1b[2J and so on " * 1000)
        await writer.drain()
        answered.set()
        with contextlib.suppress(ConnectionError):
            await reader.read()  # until the other side leaves
        writer.transport.abort()
        gone.set()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/in"
        with outcome:
            await post(url, "s", "m1", 0.0, b"{}")
        assert answered.is_set()
        await gone.wait()


@pytest.mark.parametrize(
    ("status", "permanent", "wait"),
    [(500, False, None), (503, False, None), (429, False, 77.0), (408, False, None), (404, True, None),
     (410, True, None), (401, True, None), (302, True, None)],
)  # fmt: skip
async def test_what_a_receiver_refuses(status: int, permanent: bool, wait: float | None) -> None:
    with a_receiver() as receiver:
        receiver.answers = [status]
        with pytest.raises(UnsentError) as caught:
            await post(f"http://127.0.0.1:{receiver.port}/in", "s", "m1", 0.0, b"{}")
        assert len(receiver.came) == 1  # a redirection is not followed
    assert (caught.value.permanent, caught.value.wait) == (permanent, wait)
    assert f"answered {status}" in str(caught.value)


async def test_a_receiver_that_is_not_there_is_not_permanent() -> None:
    with a_receiver() as receiver:
        port = receiver.port
    with pytest.raises(UnsentError, match=r"no answer from 127\.0\.0\.1") as caught:
        await post(f"http://127.0.0.1:{port}/in", "s", "m1", 0.0, b"{}")
    assert not caught.value.permanent
