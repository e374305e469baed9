"""The desk's own words in English and Chinese. Titles of faults come with their alarms; units are everybody's.

One entry an idea, both languages side by side, so that a test can see that none is missing. `{n}` and the like are
filled in by `say`.
"""

from desk.words_alarms import ALARM_WORDS
from desk.words_clock import CLOCK_WORDS
from desk.words_contracts import CONTRACT_WORDS
from desk.words_measure import MEASURE_WORDS
from desk.words_opening import OPENING_WORDS
from desk.words_people import PEOPLE_WORDS
from desk.words_periods import PERIOD_WORDS
from desk.words_roster import ROSTER_WORDS
from desk.words_said import SAID_WORDS
from desk.words_sites import SITES_WORDS
from desk.words_ticket import TICKET_WORDS
from desk.words_tokens import TOKEN_WORDS
from desk.words_trend import TREND_WORDS
from desk.words_users import USERS_WORDS
from desk.words_walktest import WALKTEST_WORDS

LANGUAGES = {"en": "English", "zh": "中文"}

WORDS: dict[str, tuple[str, str]] = {
    # frame
    "board": ("Board", "值班台"),
    "tickets": ("Tickets", "工单"),
    "sites": ("Sites", "站点"),
    "system": ("System", "系统"),
    "skip": ("To the tickets", "跳到工单"),
    "unanswered": ("unanswered", "待接手"),
    "open": ("open", "未结"),
    "silent": ("silent", "失联"),
    "well": ("sites well", "站点正常"),
    "on_duty": ("On duty: {who}", "值班：{who}"),
    "nobody": ("duty operator", "值班员"),
    "who_title": ("Who is on duty here?", "当前值班人"),
    "who_text": (
        "This name is written beside each ticket you acknowledge from this browser.",
        "在此浏览器确认工单时记录此姓名。",
    ),
    "save": ("Save", "保存"),
    "sites_time": ("at the site", "站点时间"),
    "look_again": ("As of {time}: look again", "截至 {time}，重新查看"),
    "demo": (
        "Demonstration: the contract sets every delay to 0, so each fault opens its ticket at once.",
        "演示：合同将所有延时设为0，故障即刻开单。",
    ),
    "all_well": ("All is well", "一切正常"),
    "all_well_text": ("No open ticket. A new one appears here by itself.", "没有未结工单，新工单会自动出现。"),
    "shown_of": ("{shown} of {all} shown, worst first", "共{all}单，显示最重的{shown}单"),
    # a ticket
    "level": ("Level {n}", "{n}级"),
    "level_short": ("level", "级"),
    "provisional": ("provisional", "暂定"),
    "provisional_text": (
        "The contract does not list this fault: the level follows its general definition until both sides confirm it.",
        "合同未列出此故障：按一般定义暂定级别，待双方确认。",
    ),
    "acknowledge": ("Acknowledge", "接手"),
    "worse": ("It got worse meanwhile: look again.", "期间情况恶化，未确认：请重新查看。"),
    "taken": ("Taken", "已接手"),
    "shelved": ("Shelved", "已搁置"),
    "explains_one": ("explains 1 alarm", "涉及1条告警"),
    "explains": ("explains {n} alarms", "涉及{n}条告警"),
    "missing": ("cannot be read: {names}", "无法读取：{names}"),
    "last_words": ("last words: {what}", "最后告警：{what}"),
    "left": ("{span} to {milestone}", "距{milestone}还有{span}"),
    "over": ("{milestone} was due {span} ago", "{milestone}已超时{span}"),
    "no_limit": ("no limit", "无时限"),
    "open_for": ("{span} open", "已开{span}"),
    "not_heard": ("not heard for {span}", "已{span}无心跳"),
    "due_at": ("due {time}", "时限 {time}"),
    "milestone.accept": ("accept", "接单"),
    "milestone.depart": ("depart", "出发"),
    "milestone.arrive": ("arrive", "到达"),
    "milestone.restore": ("restore", "恢复"),
    "milestone.resolve": ("resolve", "解决"),
    "since": ("since {time}", "始于 {time}"),
    "proof": ("What proves it", "依据"),
    "explained_by": ("Explained by {what}", "由“{what}”引起"),
    "clocks": ("Clocks", "时限"),
    "clocks_text": (
        "By the desk's clock, as {contract} says for this level and region.",
        "以值班台时钟为准，按合同“{contract}”的级别和区域计。",
    ),
    "levels": ("Level", "级别"),
    "level_desk": ("By the desk", "值班台判定"),
    "level_agent": ("By the agent", "代理建议"),
    "other_digest": (
        "The agent works by another text of the contract than the desk: its proposal may differ.",
        "代理与值班台使用的合同文本不同，建议级别可能不一致。",
    ),
    "episodes": ("Episodes", "发生记录"),
    "episode_runs": ("stands now", "持续中"),
    "episode_over": ("over", "已结束"),
    "onset_desk": ("Began, by the desk's clock", "起始（值班台时钟）"),
    "onset_agent": ("By the site's clock", "起始（站点时钟）"),
    "history": ("History", "经过"),
    "contract": ("Contract", "合同"),
    "region": ("Region", "区域"),
    "state.open": ("open", "未结"),
    "state.resolved": ("resolved", "已恢复"),
    "state.closed": ("closed", "已关闭"),
    "opened_at": ("opened {time}", "{time} 开单"),
    "resolved_at": ("resolved {time}", "{time} 恢复"),
    "closed_at": ("closed {time}", "{time} 关闭"),
    "no_tickets": ("No tickets", "没有工单"),
    # the audit's words
    "did.opened": ("Ticket opened", "开单"),
    "did.reopened": ("Opened again", "重新打开"),
    "did.acknowledged": ("Acknowledged", "接手"),
    "did.level_raised": ("Level raised", "级别上升"),
    "did.case_changed": ("The case changed", "情况变化"),
    "did.resolved": ("Resolved", "恢复"),
    "did.explained": ("Explained by another alarm", "由其他告警引起"),
    "did.shelved": ("Shelved", "搁置"),
    "did.closed": ("Closed", "关闭"),
    "did.snapshot": ("The agent told all its standing alarms anew", "代理重报全部告警"),
    "did.gap": ("Events are missing", "事件缺失"),
    "did.conflict": ("An event came with another content than before", "事件内容冲突"),
    "did.quarantined": ("An event was put in quarantine", "事件被隔离"),
    "did.code_made": ("A join line was made", "生成加入命令"),
    "did.enrolled": ("An agent joined", "代理加入"),
    "did.listed": ("Device on the contract's list", "设备列入合同清单"),
    "did.alarm_acknowledged": ("The site knows", "站点已知悉"),
    "did.alarm_pending": ("Seen, its delay runs", "发现，延时中"),
    "did.alarm_momentary": ("Over within its delay", "延时内结束"),
    "did.alarm_cleared": ("Over", "结束"),
    "did.alarm_raised": ("Raised", "告警"),
    "did.alarm_case_changed": ("The case changed", "情况变化"),
    "did.alarm_suppressed": ("Explained by another alarm", "由其他告警引起"),
    "did.alarm_released": ("No longer explained by another alarm", "不再由其他告警引起"),
    "did.alarm_shelved": ("Shelved", "搁置"),
    "did.alarm_unshelved": ("Out of its shelf", "取消搁置"),
    "did.alarm_disabled": ("Out of service", "停用"),
    "did.alarm_removed": ("No longer configured", "已移除"),
    "did.alarm_updated": ("What proves it changed", "依据变化"),
    "agent": ("agent", "代理"),
    "desk": ("desk", "值班台"),
    # beside the board
    "alarms_live": ("Alarms, live", "实时告警"),
    "none_yet": ("None yet", "暂无"),
    "silent_sites": ("Silent sites", "失联站点"),
    "pending": ("pending", "延时中"),
    "explained": ("explained", "由其他告警引起"),
    "alarms_over": ("Over", "已结束"),
    # sites and readings
    "site": ("Site", "站点"),
    "devices": ("devices", "设备"),
    "waiting_n": ("{n} events wait at the site", "{n}条事件待发"),
    "skew": ("its clock is {span} {way}", "其时钟{way}{span}"),
    "ahead": ("ahead", "快"),
    "behind": ("behind", "慢"),
    "readings": ("Readings", "读数"),
    "readings_at": ("readings of {span} ago", "{span}前的读数"),
    "asking": ("Asking the site for its readings …", "正在向站点索取读数……"),
    "asking_silent": (
        "The site is silent: its readings come when it is heard again.",
        "站点失联：恢复后将更新读数。",
    ),
    "refresh": ("Read again", "重新读取"),
    "point": ("Point", "测点"),
    "value": ("Value", "值"),
    "age": ("Age", "时间"),
    "quality": ("Quality", "质量"),
    "quality.good": ("good", "正常"),
    "quality.uncertain": ("uncertain", "可疑"),
    "quality.stale": ("stale", "过期"),
    "quality.unavailable": ("not available", "不可用"),
    "answers": ("answers", "应答正常"),
    "not_listed": ("not told whether it answers", "未报告应答情况"),
    "no_answer": ("does not answer", "无应答"),
    # system
    "stand_in": (
        "The tickets of such a site follow the general definitions, without clocks, until its contract is here.",
        "合同到位前，该站点的工单按一般定义定级，无时限。",
    ),
    "quarantine": ("Quarantine", "隔离区"),
    "quarantine_text": (
        "Events that an agent sent and the desk could not take. They stop nothing; nothing is lost.",
        "代理发来但无法处理的事件。不影响其他事件，也不丢失。",
    ),
    "quarantine_none": ("Empty: every event was taken.", "空：所有事件均已处理。"),
    "audit": ("Audit", "审计"),
    "agents": ("Agents", "代理"),
    "version": ("Version", "版本"),
    "incarnation": ("This desk", "本值班台"),
    # errors
    "not_found": ("There is no such page.", "没有此页面。"),
    "to_board": ("To the board", "返回值班台"),
    # subjects of counted evidence
    "subject.fan": ("fans", "风扇"),
    "subject.rectifier": ("rectifiers", "整流模块"),
    "of_installed": ("{count} of {installed} {subject} {state}", "{installed}台{subject}中{count}台{state}"),
    "limit": ("limit {limit}", "限值 {limit}"),
    **ALARM_WORDS,
    **CLOCK_WORDS,
    **CONTRACT_WORDS,
    **MEASURE_WORDS,
    **OPENING_WORDS,
    **TICKET_WORDS,
    **TOKEN_WORDS,
    **TREND_WORDS,
    **USERS_WORDS,
    **WALKTEST_WORDS,
    **PERIOD_WORDS,
    **PEOPLE_WORDS,
    **SAID_WORDS,
    **ROSTER_WORDS,
    **SITES_WORDS,
}

# States that readings may have, as people say them; English ones only where the word alone is not plain.
STATES: dict[str, tuple[str, str]] = {
    "normal": ("normal", "正常"),
    "failed": ("failed", "失效"),
    "phase_missing": ("phase missing", "缺相"),
    "below_limit": ("below its limit", "低于限值"),
    "above_limit": ("above its limit", "高于限值"),
    "battery": ("on battery", "电池供电"),
    "bypass": ("on bypass", "旁路"),
    "booster": ("boosting", "升压"),
    "reducer": ("reducing", "降压"),
    "eco": ("in eco mode", "节能模式"),
    "off": ("off", "关"),
    "on": ("on", "开"),
    "fault": ("fault", "故障"),
    "test": ("under test", "测试中"),
    "unavailable": ("not available", "不可用"),
    "discharging": ("discharging", "放电"),
    "charging": ("charging", "充电"),
    "low": ("low", "低"),
    "depleted": ("depleted", "耗尽"),
    "replace": ("to be replaced", "需更换"),
    "disconnected": ("disconnected", "断开"),
    "input_failed": ("without input", "输入故障"),
    "over_temperature": ("over temperature", "过温"),
    "fan_fault": ("fan fault", "风扇故障"),
    "no_communication": ("does not answer", "通信中断"),
    "float": ("float", "浮充"),
    "equalise": ("equalise", "均充"),
    "running": ("running", "运转"),
    "stopped": ("stopped", "停转"),
    "starting": ("starting", "启动中"),
    "standby": ("standby", "待机"),
    "closed": ("closed", "关闭"),
    "open": ("open", "打开"),
    "tripped": ("tripped", "跳闸"),
    "blown": ("blown", "熔断"),
    "fuse_blown": ("fuse blown", "熔丝断"),
    "switch_open": ("switch open", "开关断开"),
    "clear": ("clear", "无"),
    "smoke": ("smoke", "烟雾"),
    "dry": ("dry", "干燥"),
    "wet": ("wet", "浸水"),
    "motion": ("motion", "有人"),
    "complete": ("complete", "完整"),
    "lost": ("lost", "丢失"),
    "gone": ("gone", "丢失"),
    "taken": ("in use by another program", "被其他程序占用"),
    "foreign": ("another master speaks", "有其他主机"),
    "up": ("up", "通"),
    "down": ("down", "断"),
    "synchronised": ("synchronised", "已同步"),
    "unsynchronised": ("not synchronised", "未同步"),
    "yes": ("yes", "是"),
    "no": ("no", "否"),
    "active": ("active", "有"),
    "alarm": ("alarm", "告警"),
    "aborted": ("aborted", "已中止"),
    "passed": ("passed", "通过"),
    "none": ("none", "无"),
    "unknown": ("not known", "未知"),
    "warning": ("warning", "警告"),
    "minor": ("minor", "次要"),
    "major": ("major", "重要"),
    "critical": ("critical", "紧急"),
}

# The same word of another thing, as people say it of that.
STATES_OF: dict[tuple[str, str], tuple[str, str]] = {
    ("line.status", "open"): ("open", "正常"),
    ("breaker.status", "closed"): ("closed", "合闸"),
    ("breaker.status", "open"): ("open", "分闸"),
    ("cooling.status", "running"): ("running", "运行"),
    ("cooling.status", "stopped"): ("stopped", "停机"),
    ("generator.status", "running"): ("running", "运行"),
    ("generator.status", "stopped"): ("stopped", "停机"),
    ("alarm.status", "clear"): ("clear", "无告警"),
    ("alarm.status", "active"): ("active", "有告警"),
    ("smoke.status", "clear"): ("clear", "无烟"),
    ("motion.status", "clear"): ("clear", "无人"),
}

# What is measured, where one label stands at two readings.
MEASURES: dict[str, tuple[str, str]] = {
    "age": ("age", "使用时间"),
    "airflow": ("air flow", "风量"),
    "apparent_power": ("apparent power", "视在功率"),
    "available": ("available", "可用"),
    "average": ("average", "平均"),
    "busy": ("busy", "忙时"),
    "capacity": ("capacity", "容量"),
    "charge": ("charge", "电量"),
    "count": ("count", "数量"),
    "current": ("current", "电流"),
    "cycles": ("cycles", "循环次数"),
    "demand": ("demand", "需求"),
    "discharge_time": ("discharge time", "放电时间"),
    "drops": ("drops", "丢包"),
    "duty": ("duty", "输出比例"),
    "energy": ("energy", "电能"),
    "errors": ("errors", "错误"),
    "flow": ("flow", "流量"),
    "frequency": ("frequency", "频率"),
    "generic": ("value", "值"),
    "health": ("health", "健康度"),
    "humidity": ("humidity", "湿度"),
    "imbalance": ("imbalance", "不平衡度"),
    "level": ("level", "液位"),
    "limiting": ("limiting", "限流"),
    "line_voltage": ("voltage between phases", "线电压"),
    "link": ("link", "链路"),
    "load": ("load", "负载"),
    "mode": ("mode", "模式"),
    "offset": ("offset", "偏差"),
    "output": ("output", "输出功率"),
    "power": ("power", "功率"),
    "power_factor": ("power factor", "功率因数"),
    "pressure": ("pressure", "压力"),
    "reachable": ("reachable", "可达"),
    "reactive_power": ("reactive power", "无功功率"),
    "read": ("read", "读"),
    "received": ("received", "接收"),
    "resistance": ("resistance", "电阻"),
    "running": ("running", "运转"),
    "runtime": ("runtime", "续航时间"),
    "sent": ("sent", "发送"),
    "size": ("size", "大小"),
    "speed": ("speed", "转速"),
    "status": ("status", "状态"),
    "temperature": ("temperature", "温度"),
    "uptime": ("uptime", "运行时间"),
    "utilisation": ("utilisation", "利用率"),
    "voltage": ("voltage", "电压"),
    "written": ("written", "写"),
}


def say(lang: str, key: str, **parts: object) -> str:
    """Return a word or sentence; a key that is not here is shown as it is, without its prefix."""
    if key not in WORDS:
        return key.rpartition(".")[2].replace("_", " ")
    return WORDS[key][lang == "zh"].format(**parts)


def both(key: str) -> dict[str, str]:
    """Return a word in both languages, by language; one that is not here as `say` shows it. Gaps stay as they are."""
    if key not in WORDS:
        return dict.fromkeys(LANGUAGES, say("en", key))
    return dict(zip(("en", "zh"), WORDS[key], strict=True))


def say_state(lang: str, state: str, quantity: str = "") -> str:
    """Return a state of a quantity ("" for any) as people say it."""
    pair = STATES_OF.get((quantity, state)) or STATES.get(state)
    return pair[lang == "zh"] if pair else state.replace("_", " ")


def say_measure(lang: str, quantity: str) -> str:
    """Return what a quantity measures, without its subject: `speed` of `fan.speed`."""
    measure = quantity.partition(".")[2]
    pair = MEASURES.get(measure)
    return pair[lang == "zh"] if pair else measure.replace("_", " ")


def preferred(asked: str, accepted: str) -> str:
    """Return the page's language: the one asked for, else the first of Accept-Language that is here, else English."""
    if asked in LANGUAGES:
        return asked
    weighed: list[tuple[float, str]] = []
    for part in accepted[:500].split(","):
        tag, _, weight = part.strip().partition(";q=")
        lang = tag.strip()[:2].lower()
        if lang in LANGUAGES:
            weighed.append((_weight(weight), lang))
    return max(weighed, default=(0.0, "en"), key=lambda pair: pair[0])[1]


def _weight(text: str) -> float:
    try:
        return float(text) if text else 1.0
    except ValueError:
        return 0.0
