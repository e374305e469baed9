"""Why an entry of a ticket was refused, and what to do about it, in both languages."""

from model.contract import Text
from model.service.words import Refusal

REFUSALS: dict[Refusal, Text] = {
    Refusal.NO_TICKET: {"en": "There is no such ticket: look at the list.", "zh": "没有这张工单，请查看工单列表。"},
    Refusal.OPEN_ALREADY: {
        "en": "There is an open ticket for this already: write there.",
        "zh": "该故障已有未关闭的工单，请在那张工单上记录。",
    },
    Refusal.NOT_ANNOUNCED: {
        "en": "The alarm is not one that people must see to now.",
        "zh": "该告警目前不需要人员处理。",
    },
    Refusal.CLOSED: {
        "en": "The ticket is closed: only confirmations, complaints, excuses, documents and events are added.",
        "zh": "工单已关闭，只能补充确认、投诉、免责、文档和事件。",
    },
    Refusal.KNOWN: {"en": "This is known already.", "zh": "该信息已有记录。"},
    Refusal.OTHER_CONDITION: {
        "en": "This belongs to another condition: look at its own ticket.",
        "zh": "这属于另一故障，请查看相应工单。",
    },
    Refusal.OTHER_TICKET: {"en": "This belongs to another ticket.", "zh": "这属于另一张工单。"},
    Refusal.UNCHANGED: {"en": "It is so already: there is nothing to change.", "zh": "已是如此，无需更改。"},
    Refusal.WORSE: {"en": "It got worse meanwhile: look again.", "zh": "期间情况恶化，请重新查看。"},
    Refusal.ALREADY: {
        "en": "It was said before and stands: take it back first if it was wrong.",
        "zh": "此前已记录且有效；如有误，请先撤回。",
    },
    Refusal.NOT_REACHED: {
        "en": "Nobody has said this milestone yet: say it before it is confirmed or taken back.",
        "zh": "该节点尚未记录，请先记录，再确认或撤回。",
    },
    Refusal.NOT_BY_A_PERSON: {"en": "Only a person may say this: give a name.", "zh": "须由人员说明，请填写姓名。"},
    Refusal.BEFORE_OPENING: {
        "en": "The ticket was not open then: give a later time.",
        "zh": "当时工单尚未开启，请填写较晚的时间。",
    },
    Refusal.IN_THE_FUTURE: {
        "en": "This time has not come yet: give the time at which it happened.",
        "zh": "该时间尚未到来，请填写实际发生的时间。",
    },
    Refusal.IN_THE_PAST: {
        "en": "This limit is over already: agree on a later one.",
        "zh": "该期限已过，请商定更晚的期限。",
    },
    Refusal.OUT_OF_ORDER: {
        "en": "The order cannot be right: nobody departs after arriving, restores after resolving, or resumes before"
        " pausing, and no limit begins after what ends it. Look at the times.",
        "zh": "先后顺序不对：出发不晚于抵达，恢复不晚于解决，继续不早于暂停，时限起点不晚于其终点。请核对时间。",
    },
    Refusal.NO_REASON: {"en": "Say why: this needs a reason.", "zh": "请说明原因。"},
    Refusal.NO_ID: {"en": "Give it an id of its own, such as C1.", "zh": "请填写编号，例如 C1。"},
    Refusal.NO_TEXT: {"en": "Say what it is about: this needs a few words.", "zh": "请说明事由。"},
    Refusal.NO_ACCEPTER: {"en": "Say who accepted it.", "zh": "请填写由谁认可。"},
    Refusal.NO_SUCH_LEVEL: {"en": "The contract has no such level.", "zh": "合同没有该级别。"},
    Refusal.NO_SUCH_CONDITION: {"en": "The contract knows no such condition.", "zh": "合同没有该条件。"},
    Refusal.NO_SUCH_EXCUSE: {"en": "The contract accepts no such excuse.", "zh": "合同不认可该免责理由。"},
    Refusal.NO_SUCH_COMPLAINT: {
        "en": "The ticket has no complaint of that id: enter it first.",
        "zh": "工单没有该编号的投诉，请先登记。",
    },
    Refusal.NO_SUCH_EVENT: {"en": "The contract lists no such event.", "zh": "合同没有列出该事件。"},
    Refusal.NOT_PROVISIONAL: {
        "en": "The level is final: to change it, set the level with a reason.",
        "zh": "级别已是最终级别；如需更改，请调整级别并说明原因。",
    },
    Refusal.PAUSED: {"en": "The clocks are paused already: resume them first.", "zh": "计时已暂停，请先恢复计时。"},
    Refusal.NOT_PAUSED: {"en": "Nobody paused the clocks: they run.", "zh": "没有人暂停计时，计时正在进行。"},
    Refusal.OVERLAPS: {
        "en": "This begins before the last pause ended: give a later time.",
        "zh": "早于上一次暂停的结束，请填写较晚的时间。",
    },
    Refusal.WORKAROUND_ONLY: {
        "en": "The solution is only a temporary one: say that it is resolved before closing.",
        "zh": "目前只是临时方案，请先记录已解决，再关闭。",
    },
    Refusal.STANDING: {
        "en": "The fault still stands: the ticket closes after the alarm has returned.",
        "zh": "故障仍然存在，告警恢复后才能关闭工单。",
    },
    Refusal.NOT_CONFIRMED: {
        "en": "The word that the contract asks for is missing: let restored and resolved be confirmed first.",
        "zh": "缺少合同要求的确认，请先确认恢复和解决。",
    },
    Refusal.NO_REPAIR: {
        "en": "There is no repair that could have failed: enter it first.",
        "zh": "没有可判定失败的维修记录，请先登记维修。",
    },
    Refusal.ITSELF: {"en": "This is the same ticket: name another.", "zh": "这是同一张工单，请指定另一张。"},
    Refusal.FIRED: {"en": "This took place already.", "zh": "该事项已经发生。"},
    Refusal.BREACHED: {
        "en": "By this a limit would be kept that was not. What was not kept stays in the books: excuse it, and say"
        " who accepted it.",
        "zh": "这会使已超时的时限变为按时，而超时记录不可更改；请登记免责并填写认可人。",
    },
    Refusal.NOT_SURE: {
        "en": "The desk's clock is not to be trusted now: wait until it is synchronised, or let a person confirm it.",
        "zh": "值班台时钟目前不可信，请等待校时或由人员确认。",
    },
    Refusal.SURE: {"en": "The time of the opening is known: it needs no other.", "zh": "开启时间已经确定，无需更改。"},
}


def refusal_words(refusal: Refusal, language: str = "en", known: tuple[str, ...] = ()) -> str:
    """Return why something was refused and what to do, in a language; `known` are the words that would be taken."""
    return REFUSALS[refusal][language] + there_is(known, language)


def there_is(known: tuple[str, ...], language: str = "en") -> str:
    """Return a sentence with the words that would be taken, "" for none."""
    if not known:
        return ""
    return f"可用：{'、'.join(known)}。" if language == "zh" else f" There is: {', '.join(known)}."
