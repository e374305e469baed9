"""Why something about a walk-test was refused, and what to do about it, in both languages."""

from collections.abc import Callable

import msgspec

from model.contract import Text
from model.walktest import LONGEST_WALK, WalkNo

REFUSALS: dict[WalkNo, Text] = {
    WalkNo.NO_SUCH: {"en": "There is no such walk-test: look at the list.", "zh": "没有该验收测试，请查看列表。"},
    WalkNo.NO_SITE: {"en": "The desk knows no site {name}.", "zh": "值班台没有站点 {name}。"},
    WalkNo.NO_ITEM: {"en": "The list has no item {name}.", "zh": "清单中没有 {name}。"},
    WalkNo.NO_DEVICE: {"en": "The site has told of no device {name}.", "zh": "站点未上报设备 {name}。"},
    WalkNo.NOTHING_THERE: {
        "en": "The site has told nothing yet: join its agent, and wait for its list.",
        "zh": "站点尚未上报：请先接入代理，等待清单。",
    },
    WalkNo.BAD_TIME: {"en": "Say until when: a time, or how long, such as 4h.", "zh": "请写明结束时间或时长，如 4h。"},
    WalkNo.TOO_LONG: {
        "en": "At most {hours} h from now on: take less, and extend it when it is needed.",
        "zh": "从现在起最长 {hours} 小时：请缩短，必要时再延长。",
    },
    WalkNo.NOT_LATER: {"en": "An extension must end later than {end}.", "zh": "延长后的结束时间须晚于 {end}。"},
    WalkNo.RUNS_ALREADY: {
        "en": "T{number} of this site runs until {end}: go on with it, or cancel it.",
        "zh": "该站点的 T{number} 进行中，至 {end}：请继续或取消。",
    },
    WalkNo.CLOCK: {
        "en": "Nobody knows what time it is: tests would open tickets. See to the desk's clock first.",
        "zh": "时间不可信，测试会开出工单：请先处理值班台时钟。",
    },
    WalkNo.GUARDED: {
        "en": "Guard period G{number} ({name}, until {end}) freezes such work there: test after it.",
        "zh": "保障期 G{number}（{name}，至 {end}）内不得测试：请改期。",
    },
    WalkNo.OVER: {"en": "Its time is over: sign it, or open a new one.", "zh": "时间已到：请签字或新建。"},
    WalkNo.SIGNED: {"en": "It is signed, and never changes again.", "zh": "已签字，不可更改。"},
    WalkNo.CANCELLED: {"en": "It was cancelled, and never changes again.", "zh": "已取消，不可更改。"},
    WalkNo.NO_NOTE: {"en": "Say why.", "zh": "请说明原因。"},
    WalkNo.NOT_SEEN: {
        "en": "The desk has not seen it: {name}. Exercise it and wait; or note what a value was compared with;"
        " or say that it failed or cannot be tested.",
        "zh": "值班台未见变化：{name}。请操作后等待；数值可注明比对结果；或标为不合格、无法测试。",
    },
    WalkNo.STILL_STANDS: {
        "en": "The alarm still stands: {name}. Put it right and see it clear first.",
        "zh": "告警未恢复：{name}。请先恢复。",
    },
    WalkNo.UNDECIDED: {
        "en": "{number} items have no result: tick each, or say why not.",
        "zh": "还有 {number} 项无结果：请逐项勾选或说明原因。",
    },
    WalkNo.NO_WITNESS: {"en": "Name the customer's witness.", "zh": "请填写客户见证人。"},
    WalkNo.SAME_PERSON: {"en": "Engineer and witness are two people.", "zh": "工程师与见证人不能为同一人。"},
    WalkNo.NO_REASON: {"en": "Give a reason.", "zh": "请填写原因。"},
}
WHOSE_WORDS_ARE_WRONG = frozenset(
    {WalkNo.NO_SITE, WalkNo.NO_ITEM, WalkNo.NO_DEVICE, WalkNo.BAD_TIME, WalkNo.TOO_LONG, WalkNo.NOT_LATER,
     WalkNo.NO_NOTE, WalkNo.NO_WITNESS, WalkNo.SAME_PERSON, WalkNo.NO_REASON}
)  # fmt: skip


class WalkRefused(msgspec.Struct, frozen=True):
    """A refusal with what its sentence needs: a name, a number, an end (Unix seconds) and its time zone."""

    no: WalkNo
    name: str = ""
    number: int = 0
    end: float = 0.0
    zone: str = ""

    @property
    def status(self) -> int:
        """Return the HTTP status: 404 for none such, 422 for wrong words, 409 for what stands against it."""
        if self.no is WalkNo.NO_SUCH:
            return 404
        return 422 if self.no in WHOSE_WORDS_ARE_WRONG else 409

    def sentence(self, lang: str, time: Callable[[float], str]) -> str:
        """Return why, and what to do; `time` writes a Unix time for the reader."""
        text = REFUSALS[self.no].get(lang) or REFUSALS[self.no]["en"]
        hours = f"{LONGEST_WALK / 3600:g}"
        return text.format(name=self.name, number=self.number, end=time(self.end) if self.end else "", hours=hours)
