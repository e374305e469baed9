"""Signing in, and what others try: fixed sessions, foreign forms, guessing, other desks' addresses, old links."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from desk.page import STATIC
from desk.passwords import wrong_with
from desk.sessions import IDLE, LONGEST
from desk.users import LINK_LIFE
from tests.desk_world import a_desk, change
from tests.people_world import FIRST, PASSWORD, Browser, People, a_desk_with_people

SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
async def people(tmp_path: Path) -> AsyncIterator[People]:
    async with a_desk_with_people(tmp_path) as made:
        agent = await made.world.agent()
        await agent.send(change())
        yield made


async def signed_in(browser: Browser) -> bool:
    return (await browser.get("/")).status_code == 200


async def test_who_signs_in_comes_to_the_page_that_they_asked_for_and_acts_under_their_name(people: People) -> None:
    browser = await people.browser()
    away = await browser.get("/tickets/1?lang=zh")
    assert (away.status_code, away.headers["location"]) == (303, "/login?next=%2Ftickets%2F1%3Flang%3Dzh")
    form = await browser.get(away.headers["location"])
    assert 'name="next" value="/tickets/1?lang=zh"' in form.text
    answer = await browser.sign_in("chen  wei".replace("  ", " ").upper(), after="/tickets/1?lang=zh")
    assert (answer.status_code, answer.headers["location"]) == (303, "/tickets/1?lang=zh")
    await browser.post("/tickets/1/acknowledge", "/", back="board", by="Somebody else", who="Somebody else")
    assert (await people.world.tickets())[0]["acknowledged_by"] == FIRST
    assert [row["who"] for row in await people.audit("signed_in")] == [FIRST, FIRST]


async def test_a_program_acts_under_its_owners_name_whatever_it_says(people: People) -> None:
    browser = await people.browser("Li", "operator")
    page = await browser.post("/account", form="token", name="my script", role="operator", days="7")
    (secret,) = re.findall(r"<code>(rt_\S+)</code>", page.text)
    headers = {"Authorization": f"Bearer {secret}"}
    said = {"by": FIRST, "act": {"what": "acknowledged"}}
    answer = await people.client.post("/api/v1/tickets/1/acts", json=said, headers=headers)
    assert answer.status_code == 200, answer.text
    assert (await people.world.tickets())[0]["acknowledged_by"] == "Li"
    program = await people.token("engineer")
    window = {"by": FIRST, "work": "x", "where": "all", "end": "2h", "kind": "routine", "approved_by": FIRST}
    made = await people.client.post("/api/v1/windows", json={**window, "urgent": True}, headers=program)
    assert made.status_code == 201, made.text
    assert (made.json()["by"], made.json()["approved_by"]) == ("a program (engineer) (token 2)", "")


async def test_a_session_is_made_anew_at_each_sign_in_and_none_is_taken_from_a_browser(people: People) -> None:
    browser, stranger = await people.browser(), await people.browser()
    name = "roundsman-session-80"
    browser.client.cookies.set(name, "fixed-by-a-stranger", domain="127.0.0.1", path="/")
    await browser.sign_in(FIRST)
    first = browser.session
    assert first != "fixed-by-a-stranger"
    stranger.client.cookies.set(name, "fixed-by-a-stranger", domain="127.0.0.1", path="/")
    assert not await signed_in(stranger)
    browser.client.cookies.set(name, first, domain="127.0.0.1", path="/")
    other = Browser(people.world)
    other.client.cookies.set(name, first, domain="127.0.0.1", path="/")
    assert await signed_in(other)
    await other.post("/logout")
    await browser.sign_in(FIRST)
    assert browser.session != first
    other.client.cookies.set(name, first, domain="127.0.0.1", path="/")
    assert not await signed_in(other)
    rows = await people.world.rows("SELECT hash FROM sessions")
    assert browser.session not in {row["hash"] for row in rows}


async def test_a_form_without_its_sessions_word_writes_nothing(people: People) -> None:
    browser, other = await people.browser("Li", "operator"), await people.browser("Wu", "operator")
    foreign = await other.token_of("/account")
    for fields in ({}, {"csrf": ""}, {"csrf": "0" * 64}, {"csrf": foreign}, {"csrf": "é"}):
        answer = await browser.client.post("/tickets/1/acknowledge", data={"back": "board", **fields})
        assert answer.status_code == 403, fields
    said = {"by": "x", "act": {"what": "acknowledged"}}
    assert (await browser.client.post("/api/v1/tickets/1/acts", json=said)).status_code == 403
    assert (await people.world.tickets())[0]["acknowledged_by"] == ""
    own = {"X-CSRF-Token": await browser.token_of("/")}
    assert (await browser.client.post("/api/v1/tickets/1/acts", json=said, headers=own)).status_code == 200
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = await browser.client.post("/logout", data={"csrf": own["X-CSRF-Token"]}, headers=headers)
        assert answer.status_code == 403
    assert await signed_in(browser)


async def test_no_page_of_another_site_signs_a_browser_in_under_its_name(people: People) -> None:
    browser = await people.browser()
    form = {"name": FIRST, "password": PASSWORD, "next": "/"}
    assert (await browser.client.post("/login", data=form)).status_code == 403
    await browser.get("/login")
    answer = await browser.client.post("/login", data={**form, "csrf": "0" * 64})
    assert answer.status_code == 403
    assert not await signed_in(browser)
    assert (await browser.sign_in(FIRST)).status_code == 303


def test_every_form_that_is_posted_carries_the_word() -> None:
    forms = []
    for path in sorted((STATIC.parent / "templates").glob("*.html")):
        for form in re.findall(r'<form[^>]*method="post".*?</form>', path.read_text("utf-8"), re.DOTALL):
            assert "{{ csrf }}" in form or 'name="csrf" value="{{ door }}"' in form, (path.name, form[:120])
            forms.append(form)
        for begun in re.findall(r'<form[^>]*method="post"[^>]*>.*', path.read_text("utf-8")):
            assert "csrf" in begun, (path.name, begun[:120])
    assert len(forms) > 12


async def test_guessing_is_slow_and_the_right_password_waits_too(people: People) -> None:
    browser = await people.browser()
    for _ in range(5):
        assert (await browser.sign_in(FIRST, "wrong password here")).status_code == 403
    slow = await browser.sign_in(FIRST)
    assert slow.status_code == 429
    assert "Too many tries" in slow.text
    people.clock.on(2.0)
    assert (await browser.sign_in(FIRST)).status_code == 303
    assert len(await people.audit("sign_in_failed")) == 5


async def test_many_guesses_at_once_are_no_more_than_a_few(people: People) -> None:
    browser = await people.browser()
    word = await browser.token_of("/login")
    form = {"csrf": word, "name": FIRST, "password": "a guess of many", "next": "/"}
    answers = await asyncio.gather(*(browser.client.post("/login", data=form) for _ in range(30)))
    assert sorted({each.status_code for each in answers}) == [403, 429]
    assert [each.status_code for each in answers].count(403) == 5


async def test_a_stranger_who_guesses_on_keeps_nobody_out_of_a_browser_that_is_known(people: People) -> None:
    known, stranger = await people.browser("Li", "operator"), await people.browser()
    await known.post("/logout")
    for _ in range(40):
        await stranger.sign_in("Li", "wrong password here")
        people.clock.on(3.0)
    people.clock.on(-1.0)
    await stranger.sign_in("Li", "wrong password here")
    assert (await stranger.sign_in("Li")).status_code == 429
    assert (await known.sign_in("Li")).status_code == 303
    people.clock.on(60.0)
    assert (await stranger.sign_in("Li")).status_code == 303, "a new browser waits a minute at most"


async def test_a_name_that_nobody_has_is_told_from_a_wrong_password_by_nothing(people: People) -> None:
    browser = await people.browser()
    pages = []
    for name in (FIRST, "Nobody Here"):
        answer = await browser.sign_in(name, "wrong password here")
        assert answer.status_code == 403
        pages.append(re.sub(r'value="[^"]*"', "", answer.text))
    assert pages[0] == pages[1]
    for n in range(40):
        last = await browser.sign_in(f"Nobody {n}", "wrong password here")
    assert last.status_code == 429, "one address tries many names"
    told = await people.world.rows("SELECT * FROM audit")
    assert not [row for row in told if "Nobody" in row["who"] or b"Nobody" in row["detail"]]


@pytest.mark.parametrize(
    "after",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)",
     "/\t/evil.example", "//evil.example/%2f..", "http:evil.example", "/%0d%0aSet-Cookie:x", "evil.example", "",
     "/a\r\nSet-Cookie: x=y", "//[", "https:///evil.example", "/" + "x" * 2000],
)  # fmt: skip
async def test_signing_in_leads_to_no_other_site(people: People, after: str) -> None:
    browser = await people.browser()
    answer = await browser.sign_in(FIRST, after=after)
    assert answer.status_code == 303
    where = answer.headers["location"]
    assert httpx.URL("http://127.0.0.1/").join(where).host == "127.0.0.1"
    assert where in {"/", "/%0d%0aSet-Cookie:x"}
    assert (await browser.get("/login", params={"next": after})).headers["location"] == where


async def test_a_session_ends_when_nobody_uses_it_and_at_its_full_age(people: People) -> None:
    browser = await people.browser("Li", "operator")
    people.clock.on(IDLE - 60)
    assert await signed_in(browser)
    people.clock.on(IDLE - 60)
    assert await signed_in(browser)
    people.clock.on(IDLE + 60)
    assert not await signed_in(browser)
    await browser.sign_in("Li")
    for _ in range(int(LONGEST / (IDLE / 2)) - 1):
        people.clock.on(IDLE / 2)
        assert await signed_in(browser)
    people.clock.on(IDLE / 2 + 1)
    assert not await signed_in(browser)


async def test_what_a_page_asks_by_itself_keeps_no_session_alive(people: People) -> None:
    browser = await people.browser("Li", "operator")
    for _ in range(8):
        people.clock.on(IDLE / 8)
        answer = await browser.get("/", headers={"HX-Request": "true", "HX-Trigger": "refresh"})
    people.clock.on(1.0)
    answer = await browser.get(
        "/", headers={"HX-Request": "true", "HX-Trigger": "refresh", "HX-Current-URL": "http://127.0.0.1/tickets?a=1"}
    )
    assert answer.status_code == 401
    assert answer.headers["HX-Redirect"] == "/login?next=%2Ftickets%3Fa%3D1"


async def test_signing_out_everywhere_ends_every_session_at_once(people: People) -> None:
    here, there = await people.browser("Li", "operator"), await people.browser()
    await there.sign_in("Li")
    assert "127.0.0.1" in (await here.get("/account")).text
    await here.post("/logout", everywhere="yes")
    assert not await signed_in(here)
    assert not await signed_in(there)
    await here.sign_in("Li")
    await there.sign_in("Li")
    done = await there.post(
        "/account", form="password", before=PASSWORD, password=f"{PASSWORD} 2", again=f"{PASSWORD} 2"
    )
    assert done.status_code == 303
    assert await signed_in(there)
    assert not await signed_in(here), "another password ends the other sessions"
    assert (await people.command("POST", "users/Li/sign-out")).status_code == 200
    assert not await signed_in(there)


async def test_one_ends_ones_own_sessions_and_nobody_elses(people: People) -> None:
    here, there, other = await people.browser("Li", "operator"), await people.browser(), await people.browser()
    await there.sign_in("Li")
    await other.sign_in(FIRST)
    rows = await people.world.rows("SELECT hash, account FROM sessions ORDER BY made, hash")
    for row in rows:
        await here.post("/account", form="end", session=row["hash"])
        if not await signed_in(here):
            await here.sign_in("Li")
    assert not await signed_in(there)
    assert await signed_in(other)


async def test_a_link_is_good_once_for_a_day_and_looking_does_not_use_it(people: People) -> None:
    first, second = await people.browser(), await people.browser()
    link = await people.add("Li", "operator")
    path = httpx.URL(link).path
    for _ in range(3):
        assert (await second.get(path)).status_code == 200
    for password, again in (("short", "short"), (PASSWORD, "other"), ("lilililili", "lilililili"),
                            ("password12", "password12")):  # fmt: skip
        answer = await first.set_password(link, password, again)
        assert answer.status_code == 403, password
    assert (await first.set_password(link)).status_code == 303
    assert (await second.get(path)).status_code == 404
    assert await signed_in(first)
    newer = str((await people.command("POST", "users/Li/link")).json()["link"])
    newest = str((await people.command("POST", "users/Li/link")).json()["link"])
    assert (await second.get(httpx.URL(newer).path)).status_code == 404
    people.clock.on(LINK_LIFE + 1)
    late = await second.get(httpx.URL(newest).path)
    assert late.status_code == 404
    assert "roundsman desk user link" in late.text
    kept = repr([await people.world.rows(f"SELECT * FROM {table}") for table in ("users", "links", "audit")]).encode()
    assert b"argon2id" in kept
    for file in people.world.desk.settings.state.glob("desk.sqlite*"):
        kept += file.read_bytes()
    assert PASSWORD.encode() not in kept


async def test_a_forgotten_password_is_set_by_a_link_and_the_old_one_and_its_sessions_end(people: People) -> None:
    before, after = await people.browser("Li", "operator"), await people.browser()
    link = str((await people.command("POST", "users/Li/link")).json()["link"])
    assert await signed_in(before)
    await after.set_password(link, "another good sentence")
    assert not await signed_in(before)
    assert (await before.sign_in("Li")).status_code == 403
    people.clock.on(60.0)
    assert (await before.sign_in("Li", "another good sentence")).status_code == 303


async def test_a_script_in_a_name_is_shown_and_never_run(people: People) -> None:
    browser = await people.browser(SCRIPT, "administrator")
    await browser.post("/tickets/1/acknowledge", "/", back="board")
    await browser.post("/account", form="token", name=SCRIPT, role="viewer", days="7")
    await browser.post("/users", "/users", form="add", name=f"{SCRIPT}2", role="viewer", regions="", sites="")
    for path in ("/", "/tickets/1", "/users", "/account", "/system"):
        text = (await browser.get(path)).text
        assert SCRIPT not in text, path
        assert "&lt;script&gt;" in text, path


async def test_a_token_that_is_old_revoked_or_its_owners_no_more_is_none(people: People) -> None:
    browser = await people.browser("Li", "manager")
    own = re.findall(r"<code>(rt_\S+)</code>", (
        await browser.post("/account", form="token", name="mine", role="manager", days="30")).text)  # fmt: skip
    mine = {"Authorization": f"Bearer {own[0]}"}
    old, gone = await people.token("viewer", days=1.0), await people.token("viewer")

    async def status(headers: dict[str, str], method: str = "GET", path: str = "/api/v1/tickets") -> int:
        return (await people.client.request(method, path, headers=headers)).status_code

    assert [await status(each) for each in (mine, old, gone)] == [200, 200, 200]
    people.clock.on(86_401.0)
    assert await status(old) == 401
    await people.command("POST", "tokens/3/revoke")
    assert await status(gone) == 401
    assert await status({"Authorization": "Bearer rt_none"}) == 401
    rule = {"json": {"by": "x", "sites": 3, "seconds": 300}, "headers": mine}
    assert (await people.client.post("/api/v1/incidents/rule", **rule)).status_code == 200  # type: ignore[arg-type]
    await people.command("POST", "users/Li/change", role="viewer")
    assert (await people.client.post("/api/v1/incidents/rule", **rule)).status_code == 403  # type: ignore[arg-type]
    assert await status(mine) == 200
    await people.command("POST", "users/Li/change", disabled=True)
    assert await status(mine) == 401
    assert not await signed_in(browser)
    kept = await people.world.rows("SELECT hash FROM tokens")
    assert own[0] not in {row["hash"] for row in kept}


async def test_a_token_of_a_person_may_do_no_more_than_they(people: People) -> None:
    browser = await people.browser("Li", "operator", sites=["S1"])
    page = await browser.post("/account", form="token", name="more", role="administrator", days="7")
    (secret,) = re.findall(r"<code>(rt_\S+)</code>", page.text)
    headers = {"Authorization": f"Bearer {secret}"}
    for path in ("/api/v1/users", "/api/v1/windows", "/metrics"):
        assert (await people.client.get(path, headers=headers)).status_code == 403, path


async def test_with_tls_the_cookies_are_this_hosts_alone(people: People) -> None:
    browser = Browser(people.world, https=True)
    answer = await browser.sign_in(FIRST)
    session = next(each for each in answer.headers.get_list("set-cookie") if "session" in each)
    assert session.startswith("__Host-roundsman-session=")
    parts = {part.strip().lower() for part in session.split(";")}
    assert {"secure", "httponly", "path=/", "samesite=lax"} <= parts
    assert not [part for part in parts if part.startswith("domain")]
    assert await signed_in(browser)


async def test_the_pages_before_a_sign_in_tell_nothing(people: People) -> None:
    browser = await people.browser()
    for path in ("/login", "/welcome/none", "/no/such/page", "/tickets/1/nothing"):
        text = (await browser.get(path)).text
        assert "Mains lost" not in text, path
        assert "unanswered" not in text, path
    assert (await browser.get("/live")).status_code == 401


async def test_what_the_browser_shows_when_the_role_is_too_low_says_which_it_needs(people: People) -> None:
    viewer = await people.browser("Vi", "viewer")
    board = (await viewer.get("/")).text
    assert "/acknowledge" not in board
    assert 'href="/system"' not in board
    answer = await viewer.get("/system", headers={"Accept-Language": "zh"})
    assert answer.status_code == 403
    assert "工程师" in answer.text


async def test_while_nobody_is_known_the_page_says_that_anybody_may_act(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        for path in ("/", "/sites", "/system"):
            text = (await world.client.get(path)).text
            assert "whoever is on this machine may do everything" in text
            assert "roundsman desk user add NAME --role administrator" in text
        assert (await world.client.get("/login")).headers["location"] == "/"
        assert (await world.client.get("/account")).status_code == 403


@pytest.mark.parametrize(
    ("password", "wrong"),
    [("short", "short"), ("x" * 201, "long"), ("wangwei123", "name"), ("password123", "common"),
     ("1234567890", "common"), ("aaaaaaaaaaaa", "common"), ("电源室的钥匙在门后面", ""), (PASSWORD, "")],
)  # fmt: skip
def test_a_password_that_is_tried_first_is_refused(password: str, wrong: str) -> None:
    assert wrong_with(password, "WangWei") == wrong
