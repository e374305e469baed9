"""Why a window or a guard period was refused, and what to do about it, in both languages."""

from collections.abc import Callable

import msgspec

from model.contract import Text
from model.period import LONGEST_GUARD, LONGEST_WINDOW, No

REFUSALS: dict[No, Text] = {
    No.NO_SUCH: {"en": "There is no such window or guard period: look at the list.", "zh": "没有该记录，请查看列表。"},
    No.NO_WORK: {"en": "Say what it is for.", "zh": "请说明内容。"},
    No.NO_REASON: {"en": "Give a reason.", "zh": "请填写原因。"},
    No.NO_ROSTER: {
        "en": "A guard period needs a roster: say who is on duty.",
        "zh": "保障期须有值班表：请填写值班人。",
    },
    No.ROSTER_GAP: {
        "en": "Nobody is on duty from {start} to {end}: fill this gap.",
        "zh": "{start} 至 {end} 无人值班：请补齐。",
    },
    No.ENDS_FIRST: {"en": "It must end after it begins.", "zh": "结束时间须晚于开始时间。"},
    No.PAST: {"en": "It lies in the past: begin now or later.", "zh": "时间已过：请从现在或以后开始。"},
    No.TOO_LONG: {
        "en": "At most {most} at a time: plan less, and extend it when it is needed.",
        "zh": "一次最长{most}：请缩短，必要时再延长。",
    },
    No.NOT_LATER: {"en": "An extension must end later than {end}.", "zh": "延长后的结束时间须晚于 {end}。"},
    No.OVER: {"en": "It is over: plan a new one.", "zh": "已结束：请新建。"},
    No.GUARDED: {
        "en": "Routine work is frozen there by guard period G{number} ({name}, until {end}): plan it for later, or"
        " mark it urgent and have somebody else approve it.",
        "zh": "保障期 G{number}（{name}，至 {end}）内冻结例行维护：请改期；如紧急，请标明并由他人批准。",
    },
    No.NOT_URGENT: {
        "en": "Only urgent work is approved: mark it urgent, or plan it for later.",
        "zh": "仅紧急工作可批准：请标明紧急，或改期。",
    },
    No.SELF_APPROVED: {
        "en": "Who asks for the work does not approve it: name somebody else.",
        "zh": "申请人不能自行批准：请填写其他批准人。",
    },
    No.UNKNOWN_PLACE: {"en": "The desk knows no {name}.", "zh": "值班台没有 {name}。"},
    No.WALKTEST: {
        "en": "That is a walk-test: open, extend, sign or cancel it on the walk-tests' page.",
        "zh": "这是验收测试：请在验收测试页面新建、延长、签字或取消。",
    },
    No.BAD_TIME: {"en": "A time is missing, or is none.", "zh": "时间缺失或无效。"},
}


class Refused(msgspec.Struct, frozen=True):
    """A refusal with what its sentence needs: a name, a number, `start` and `end` (Unix seconds), their zone."""

    no: No
    name: str = ""
    number: int = 0
    start: float = 0.0
    end: float = 0.0
    guard: bool = False  # it is about a guard period
    zone: str = ""

    def sentence(self, lang: str, time: Callable[[float], str]) -> str:
        """Return why, and what to do; `time` writes a Unix time for the reader."""
        hours = (LONGEST_GUARD if self.guard else LONGEST_WINDOW) / 3600
        most = f"{hours:.0f} h" if hours <= 48 else f"{hours / 24:.0f} d"
        zh = {"h": "小时", "d": "天"}
        if lang == "zh":
            most = f"{most[:-2]}{zh[most[-1]]}"
        text = REFUSALS[self.no].get(lang) or REFUSALS[self.no]["en"]
        return text.format(name=self.name, number=self.number, start=time(self.start), end=time(self.end), most=most)
