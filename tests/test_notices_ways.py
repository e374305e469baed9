"""How a message goes out: mail to a real server, webhooks to a real receiver, and every way to be refused."""

from pathlib import Path

import pytest

from connectors.mail import Mail, Server, compose, send
from connectors.unsent import UnsentError
from connectors.webhook import post
from tests.post_office import a_certificate, a_mail_server, a_receiver

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


# --- webhooks -------------------------------------------------------------------------------------------------------


async def test_a_webhook_is_signed_and_named() -> None:
    with a_receiver() as receiver:
        await post(f"http://127.0.0.1:{receiver.port}/in", "a secret", "m1", 1_800_000_000.9, b'{"a": 1}')
        assert receiver.proven("a secret")
        assert not receiver.proven("another secret")
        ((headers, body),) = receiver.came
    assert (headers["webhook-id"], headers["webhook-timestamp"], body) == ("m1", "1800000000", b'{"a": 1}')


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
