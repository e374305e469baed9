"""The words of the sites' page in English and Chinese."""

SITES_WORDS: dict[str, tuple[str, str]] = {
    "sites_n": ("{n} sites", "{n}个站点"),
    "sites_one": ("1 site", "1个站点"),
    "sites_open": ("{n} open", "{n}单未结"),
    "sites_silent": ("{n} silent", "{n}个失联"),
    "sites_well": ("all well", "全部正常"),
    "sites_no_region": ("No region", "未分区域"),
    "no_sites": ("No site yet", "尚无站点"),
    "no_sites_text": (
        "`roundsman desk enrol SITE` prints the line that joins a site's agent.",
        "用 `roundsman desk enrol 站点` 生成加入命令。",
    ),
    "heard": ("heard {span} ago", "{span}前有心跳"),
    "never_heard": ("not heard yet", "尚无心跳"),
    "unreachable_one": ("1 does not answer", "1台无应答"),
    "unreachable_n": ("{n} do not answer", "{n}台无应答"),
}
