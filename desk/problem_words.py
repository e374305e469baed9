"""Why a request was not done, for readers of Chinese: the sentences in English stand where the problem is found."""

from desk.words_users import USERS_PROBLEMS
from model.refusal_words import REFUSALS
from model.service.words import Refusal

CHINESE: dict[str, str] = {  # `{}` is the English sentence, where it says more than the word does
    **{str(each): REFUSALS[each]["zh"] for each in (Refusal.NO_TICKET, Refusal.WORSE, Refusal.CLOSED)},
    **{word: both["zh"] for word, (_, both) in USERS_PROBLEMS.items()},
    "busy": "值班台正忙，请稍后重试。",
    "code": "接入码无效、已使用或已过期，请重新生成。",
    "contract": "合同有误：{}",
    "cut": "请求内容不完整，请重试。",
    "earlier": "时钟早于最后一次记录的时间；如确认无误，请加 --earlier。",
    "form": "表单无法识别。",
    "key": "Idempotency-Key 最多200个可显示的ASCII字符。",
    "key_reused": "该 Idempotency-Key 已用于另一请求，请更换。",
    "local": "仅限本机命令使用。",
    "malformed": "请求无法识别：{}",
    "moved": "期间时钟又被调整，请重新查看。",
    "no_agent": "该站点没有代理，也没有接入命令。",
    "no_calendar": "没有该日历。",
    "no_contract": "没有该合同。",
    "no_incident": "没有该事件。",
    "no_site": "没有该站点，请先登记。",
    "no_such_act": "没有该操作：{}",
    "side": "请选择维护方（service）或客户方（customer）。",
    "site": "站点编号为1至64个字母、数字、点、短横或下划线。",
    "slow": "请求传输过慢，请重试。",
    "store": "值班台暂时无法写入，未做任何记录，请稍后重试。",
    "time": "时间无法识别，请写作 14:05、2026-09-30T14:05 或 Unix 秒，必要时注明时区。",
    "timezone": "没有该时区，例如 Asia/Shanghai。",
    "too_large": "请求内容过大：{}",
    "words": "填写有误：{}",
    "who": "请填写人员姓名，最多100个可显示的字符；不能用“值班台”或“代理”。",
}


def problem_words(error: str, message: str, language: str) -> str:
    """Return why a request was not done, in a language; `message` is the English sentence."""
    return CHINESE.get(error, "{}").format(message) if language == "zh" else message
