"""The pages' words of people: who is on duty, who cannot be reached, what nobody was told."""

PEOPLE_WORDS: dict[str, tuple[str, str]] = {
    "people": ("People", "人员"),
    "people_well": ("Everybody can be reached", "人员均可通知"),
    "people_none": (
        "No roster: nobody is told of anything. Start the desk with --roster FILE.",
        "未设值班表，不通知任何人。启动时加 --roster 文件。",
    ),
    "people_problem": ("The roster's file cannot be used; the one before stays", "值班表文件有误，沿用原表"),
    "people_unreachable": ("Cannot be reached", "无法通知"),
    "people_since": ("since {when}", "自{when}起"),
    "people_untold": ("Nobody was told", "无人收到通知"),
    "people_off_duty": ("nobody is on duty", "无人值班"),
    "people_unreached": ("nobody could be reached", "均无法通知"),
    "people_no_rule": ("the roster has no rule for it", "值班表未规定"),
    "people_waiting": ("{n} notices wait", "{n}条通知待发"),
    "people_gap": ("{team}: nobody on duty from {start} to {end}", "{team}：{start}至{end}无人值班"),
}
