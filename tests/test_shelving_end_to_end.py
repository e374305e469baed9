"""A real agent shelves what is asked on the desk's page, says so, and takes it off the shelf again."""

import html
import re
from pathlib import Path

import httpx

from tests.peers.house import House, free_port, house, until

SITE = """
credentials:
  public: {{version: 2c, community_file: public}}
snmp:
  every: 1s
  devices: [{{id: card, address: 127.0.0.1, port: {port}, credential: public, timeout: 1s, retries: 0}}]
"""


def alarm_paths(here: House) -> list[str]:
    text = httpx.get(f"http://127.0.0.1:{here.port}/alarms").text
    return [html.unescape(path) for path in re.findall(r'<a class="title" href="(/sites/house/alarms/[^"]+)"', text)]


def test_a_device_that_does_not_answer_is_shelved_from_the_page_and_taken_off_again(tmp_path: Path) -> None:
    (tmp_path / "public").write_text("public\n")
    (tmp_path / "public").chmod(0o600)
    with house(tmp_path, SITE.format(port=free_port())) as here:
        (path,) = until(lambda: alarm_paths(here), "the alarm")
        address = f"http://127.0.0.1:{here.port}{path}"
        form = {"form": "shelve", "time": "1h", "reason": "the card is on order", "by": "Li"}
        assert httpx.post(address, data=form).status_code == 303
        until(lambda: "The site has done it" in httpx.get(address).text, "the site's word")
        (alarm,) = [each for each in here.alarms() if each["device"] == "card"]
        assert alarm["state"] == "shelved"
        assert "state=shelved" in httpx.get(f"http://127.0.0.1:{here.port}/alarms").text
        assert httpx.post(address, data={"form": "unshelve", "by": "Li"}).status_code == 303
        until(lambda: "state=unacknowledged" in httpx.get(f"http://127.0.0.1:{here.port}/alarms").text, "it is back")
        assert [each["state"] for each in here.alarms() if each["device"] == "card"] == ["unacknowledged"]
