"""The words of messages to people, in English and Chinese. `{clock}` and the like are filled in."""

from model.telling import What

LETTER: dict[str, tuple[str, str]] = {
    "subject": ("[level {level}] {site}: {fault} (#{number})", "【{level}级】{site} {fault}（#{number}）"),
    "subject_late": (
        "[level {level}] late: {site}: {fault} (#{number})",
        "【{level}级 超时】{site} {fault}（#{number}）",
    ),
    "subject_over": (
        "[level {level}] over: {site}: {fault} (#{number})",
        "【{level}级 已恢复】{site} {fault}（#{number}）",
    ),
    "subject_many_over": ("{count} tickets are open no more", "{count}张工单已解除"),
    "subject_many": ("{count} tickets, level {level} the worst", "{count}张工单，最高{level}级"),
    "head": ("Level {level}  {site}", "{level}级  {site}"),
    "provisional": ("level provisional", "级别暂定"),
    "since": ("Since {when}", "自{when}起"),
    "due": ("Due: {clock} by {when}", "时限：{clock} {when}前"),
    "over": ("Late: {clock}, was due {when}", "已超时：{clock}，应于{when}"),
    "more": ("... and {count} more: {levels}", "……另有{count}张：{levels}"),
    "of_level": ("{count} of level {level}", "{level}级{count}张"),
    "explained": ("Another fault explains it: that one's ticket goes on", "由另一故障引起，以该故障的工单为准"),
    "merged": ("Merged into #{number}: that ticket goes on", "已并入#{number}，以该工单为准"),
    "unreadable": ("Its record cannot be read: see the desk's log", "工单记录无法读取，见值班台日志"),
    "foot": ("Roundsman", "巡检员"),
}
WHATS: dict[What, tuple[str, str]] = {
    What.OPENED: ("New ticket", "新工单"),
    What.REOPENED: ("The fault is back: the ticket is open again", "故障重现，工单重新开启"),
    What.RAISED: ("Now level {level}", "级别升为{level}级"),
    What.UPGRADED: (
        "Now level {level}: {clock} was not kept (due {when})",
        "因{clock}超时（应于{when}），升为{level}级",
    ),
    What.LASTED: ("Now level {level}: the interruption lasts too long", "中断时间过长，升为{level}级"),
    What.WARN: ("Soon over: {clock}, by {when}", "即将超时：{clock}，{when}前"),
    What.BREACH: ("Not kept: {clock}, was due {when}", "超时：{clock}，应于{when}"),
    What.ESCALATED: ("The contract asks to tell: {role}", "按合同须通知：{role}"),
    What.DOCUMENT_OWED: ("Document owed: {document}{by}", "须提交：{document}{by}"),
    What.DOCUMENT_LATE: ("Document late: {document}, was due {when}", "文件超时：{document}，应于{when}"),
    What.OVER: ("Over since {when}", "{when}已恢复"),
    What.REPLACE: ("Repairs failed one after another: replace it", "连续维修无效，建议更换"),
}
BY = (", by {when}", "，{when}前")
