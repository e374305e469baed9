"""What `roundsman desk doctor` finds: how bad (0 note, 1 see to it, 2 broken), and the sentence in both languages."""

SAID: dict[str, tuple[int, str, str]] = {
    "check_failed": (1, "The check {check} failed ({why}): report this.", "检查{check}出错（{why}），请上报。"),
    # the file
    "no_desk": (
        2,
        "There is no desk in {state}: name its folder by --state.",
        "{state}中没有值班台，请用 --state 指定目录。",
    ),
    "elsewhere": (
        1,
        "This desk keeps its data in a PostgreSQL database: nobody looks into that here. Back it up with pg_dump.",
        "本值班台的数据存放在PostgreSQL数据库中，此处不检查该数据库，请用pg_dump备份。",
    ),
    "not_yours": (2, "{path} may not be read: run this as the desk's user.", "无权读取{path}，请用值班台的用户运行。"),
    "broken_off": (
        2,
        "A restore was broken off, and no desk starts before `roundsman desk restore --finish`.",
        "恢复中断，须先运行 `roundsman desk restore --finish` 才能启动。",
    ),
    "damaged": (
        2,
        "The desk's file is damaged ({why}): stop the desk and restore the last good backup.",
        "数据文件损坏（{why}），请停止值班台并恢复最近的完好备份。",
    ),
    "newer": (
        2,
        "The file is of version {version}, this program knows {known}: install the newer program again.",
        "文件版本为{version}，本程序只支持到{known}，请重新安装新版程序。",
    ),
    "older": (
        0,
        "The file is of version {version}: the desk brings it to {known} when it starts; make a backup before.",
        "文件版本为{version}，启动时将升级到{known}，请先备份。",
    ),
    "books": (
        2,
        "The books do not add up ({count}, first: {why}): make a backup and report this.",
        "工单账目不符（{count}处，首条：{why}），请备份并上报。",
    ),
    "incidents": (
        1,
        "The incidents are not what the tickets' entries give ({table}): make a backup and report this.",
        "跨站事件与工单记录不符（{table}），请备份并上报。",
    ),
    "no_room": (
        2,
        "The disk of {state} has {free} MiB free: make room at once.",
        "{state}所在磁盘仅剩{free} MiB，请立即清理。",
    ),
    "little_room": (
        1,
        "The disk of {state} has {free} MiB free ({percent} %): make room.",
        "{state}所在磁盘剩余{free} MiB（{percent}%），请清理。",
    ),
    "open_to_others": (
        2,
        "{path} has mode {mode} and others may use it: chmod {right} {path}.",
        "{path}权限为{mode}，他人可访问，请执行 chmod {right} {path}。",
    ),
    "owners": (
        2,
        "{path} belongs to user {owner}, its folder to {other}: chown it, else the desk cannot write it.",
        "{path}属于用户{owner}，目录属于{other}，请用 chown 更正，否则无法写入。",
    ),
    # the running desk
    "not_running": (2, "No desk runs in {state}: start it.", "{state}的值班台未运行，请启动。"),
    "no_answer": (
        2,
        "The desk holds its folder and does not answer at {url} ({why}): look into its log, then start it again.",
        "值班台在运行但{url}无应答（{why}），请查看日志后重启。",
    ),
    "cannot_write": (
        2,
        "The desk cannot write ({why}): make room on the disk, or check it.",
        "值班台无法写入（{why}），请检查磁盘。",
    ),
    "clock": (
        2,
        "The desk is not sure of its time ({note}): check the clock, then `roundsman desk trust-clock`.",
        "值班台时间不可信（{note}），升级已暂停，请核对时钟后运行 `roundsman desk trust-clock`。",
    ),
    "clock_off": (
        1,
        "This machine's clock is {off} s from the desk's time: let it follow a time server.",
        "本机时钟与值班台时间相差{off}秒，请配置时间同步。",
    ),
    "unsynchronised": (
        1,
        "This machine follows no time server: start chrony or systemd-timesyncd.",
        "本机未同步时间，请启用 chrony 或 systemd-timesyncd。",
    ),
    "not_swept": (
        2,
        "The desk last looked what falls due {age} s ago: start it again, and report its log.",
        "值班台已{age}秒未检查到期事项，请重启并上报日志。",
    ),
    "writes_wait": (
        1,
        "{count} writes wait for the disk: it is too slow, or too much comes.",
        "{count}项写入等待，磁盘过慢或负载过大。",
    ),
    "unit_failed": (
        2,
        "systemd says that {unit} is {active} ({result}): see `journalctl -u {unit}`.",
        "systemd 报告{unit}为{active}（{result}），请看 `journalctl -u {unit}`。",
    ),
    "unit_off": (
        1,
        "{unit} does not start with the machine: systemctl enable {unit}.",
        "{unit}未设为开机启动，请执行 systemctl enable {unit}。",
    ),
    "unit_restarts": (
        1,
        "{unit} was started again {count} times: see `journalctl -u {unit}`.",
        "{unit}已自动重启{count}次，请看 `journalctl -u {unit}`。",
    ),
    # sites
    "no_sites": (
        0,
        "There is no site yet: `roundsman desk enrol SITE`.",
        "尚无站点，请用 `roundsman desk enrol 站点`。",
    ),
    "contract": (
        2,
        "Site {site}: contract {contract} cannot be used ({why}), so no clock runs: mend it.",
        "站点{site}：合同{contract}无法使用（{why}），工单不计时，请更正。",
    ),
    "calendar": (
        2,
        "Site {site}: calendar {calendar} of contract {contract} cannot be used ({why}): mend it.",
        "站点{site}：合同{contract}的日历{calendar}无法使用（{why}），请更正。",
    ),
    "region": (
        2,
        "Site {site}: contract {contract} has no region {region!r}: enrol it again with --region {known}.",
        "站点{site}：合同{contract}没有区域{region!r}，请用 --region {known} 重新登记。",
    ),
    "no_agent": (
        1,
        "Site {site} has no agent: redeem its join line there, or make one by `roundsman desk enrol {site}`.",
        "站点{site}没有代理，请在站点执行加入命令，或用 `roundsman desk enrol {site}` 生成。",
    ),
    "silent": (
        2,
        "Site {site} was last heard {age} ago: see to its network and its agent (`roundsman doctor` there).",
        "站点{site}已失联{age}，请检查网络与代理（在站点运行 `roundsman doctor`）。",
    ),
    "agent_version": (
        1,
        "Site {site}: the agent is of version {version}, the desk of {own}: bring both to one.",
        "站点{site}：代理版本{version}，值班台版本{own}，请统一。",
    ),
    "agent_behind": (
        1,
        "Site {site}: {depth} events wait there, the oldest for {age}: see to the network, and to quarantine.",
        "站点{site}：有{depth}条事件待发，最早已等{age}，请检查网络与隔离区。",
    ),
    "agent_skew": (
        1,
        "Site {site}: its clock is {skew} s from the desk's: let it follow a time server.",
        "站点{site}：时钟相差{skew}秒，请配置时间同步。",
    ),
    "quarantine": (
        1,
        "{count} events stand in quarantine, the last of site {site} ({why}): see System, and report them.",
        "隔离区有{count}条事件，最近为站点{site}（{why}），请看“系统”页并上报。",
    ),
    # people
    "no_roster": (
        1,
        "Nobody is told of tickets: start the desk with --roster FILE.",
        "工单不通知任何人，请用 --roster 文件 启动。",
    ),
    "bad_roster": (2, "The roster {path} cannot be used: {why}", "值班表{path}无法使用：{why}"),
    "roster_warning": (1, "Roster: {why}", "值班表：{why}"),
    "no_rule": (
        1,
        "Nobody is told of level {level}: write a rule for it into the roster.",
        "{level}级工单不通知任何人，请在值班表中补充规则。",
    ),
    "hole_now": (
        2,
        "{team}: nobody is on duty now, until {end}: name a substitute (`roundsman roster swap`).",
        "{team}：当前无人值班，至{end}，请安排代班（`roundsman roster swap`）。",
    ),
    "hole": (
        1,
        "{team}: nobody is on duty from {start} to {end} ({count} such times in 7 days): fill the shift in the roster.",
        "{team}：{start}至{end}无人值班（7天内共{count}次），请补充班次。",
    ),
    "unreached": (
        2,
        "{person} was not reached by {channel} since {since} ({why}): mend the address or the server.",
        "自{since}起无法经{channel}通知{person}（{why}），请更正地址或服务器。",
    ),
    "untold": (
        2,
        "Of {count} open tickets nobody was told ({why}): mend the roster; see the board.",
        "{count}张未结工单未通知到任何人（{why}），请更正值班表并查看值班台。",
    ),
    "late_messages": (
        1,
        "{count} messages wait longer than {age}: see to the mail server and the webhooks (--try).",
        "{count}条通知等待超过{age}，请检查邮件服务器与回调（--try）。",
    ),
    "mail": (
        2,
        "The mail server {host}:{port} cannot be used ({why}): mend it in the roster.",
        "邮件服务器{host}:{port}不可用（{why}），请在值班表中更正。",
    ),
    "webhook": (
        2,
        "The webhook {name} cannot be reached ({why}): mend it in the roster.",
        "回调{name}无法访问（{why}），请在值班表中更正。",
    ),
    # keeping
    "bad_certificate": (2, "The desk's certificate cannot be used: {why}", "值班台证书无法使用：{why}"),
    "certificate_over": (
        2,
        "{which} ended {day}: renew it (`roundsman desk init`).",
        "{which}已于{day}到期，请更新（`roundsman desk init`）。",
    ),
    "certificate_ends": (
        1,
        "{which} ends {day}: renew it (`roundsman desk init`).",
        "{which}将于{day}到期，请更新（`roundsman desk init`）。",
    ),
    "no_backup": (
        1,
        "There is no backup: `roundsman desk backup FILE`, best by its timer.",
        "尚无备份，请用 `roundsman desk backup 文件`，最好启用定时器。",
    ),
    "old_backup": (
        1,
        "The last backup is {age} old ({path}): make one, best by its timer.",
        "最近备份已有{age}（{path}），请备份，最好启用定时器。",
    ),
    "backup_gone": (
        1,
        "The last backup, {path}, is not there any more: make another.",
        "最近备份{path}已不存在，请重新备份。",
    ),
}


def span(seconds: float) -> str:
    """Return a time in one unit, the same in both languages: `40 s`, `12 min`, `5 h`, `3 d`."""
    for unit, size, most in (("s", 1, 120), ("min", 60, 120), ("h", 3600, 72)):
        if seconds / size < most:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds / 86_400:.0f} d"
