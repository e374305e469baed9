"""The words of the page on which a person opens a ticket, in English and Chinese."""

OPENING_WORDS: dict[str, tuple[str, str]] = {
    "opening": ("Open a ticket", "新建工单"),
    "opening.text": ("For a fault that no alarm has told.", "用于没有告警的故障，例如来电报障、巡检发现。"),
    "opening.next": ("Next", "下一步"),
    "opening.fault": ("What is wrong", "故障现象"),
    "opening.device": ("Device, if it is known", "设备（可不填）"),
    "opening.level": ("Level", "级别"),
    "opening.by_contract": ("as the contract says", "按合同"),
    "opening.said": ("Since when", "故障起始时间"),
    "opening.reported": ("When the customer reported it, if so", "客户报障时间（如有）"),
    "opening.side": ("Who found it", "发现方"),
    "opening.there": ("Open at this site already", "该站点未结工单"),
    "opening.no_site": ("There is no such site.", "没有该站点。"),
    "opening.other_site": ("Another site", "其他站点"),
    "opening.to_ticket": ("To ticket {n}", "查看工单 {n}"),
}
