"""What `roundsman doctor` finds at a site: how bad (0 note, 1 see to it, 2 broken), and the sentence twice."""

from model.finding import Said

SAID: Said = {
    "check_failed": (1, "The check {check} failed ({why}): report this.", "检查{check}出错（{why}），请上报。"),
    "no_folder": (
        2,
        "There is no state folder {path}: start the agent, or name another by `agent: state:`.",
        "没有状态目录{path}，请启动代理，或用 `agent: state:` 另行指定。",
    ),
    "not_writable": (
        2,
        "{path} may not be written: run this as the agent's user, or give the folder to it.",
        "无权写入{path}，请用代理的用户运行，或将目录交给该用户。",
    ),
    "little_room": (1, "The disk of {path} has {free} MiB free: make room.", "{path}所在磁盘仅剩{free} MiB，请清理。"),
    "put_aside": (
        0,
        "A damaged file was put aside: send {path} with your report, then delete it.",
        "损坏文件已移开，请随问题上报{path}，然后删除。",
    ),
    "damaged": (
        2,
        "{path} is damaged ({why}): start the agent again, which begins a new one and keeps this.",
        "{path}损坏（{why}），请重启代理：将新建文件并保留此文件。",
    ),
    "newer": (
        2,
        "{path} is of version {version}, this program knows {known}: install the newer program again.",
        "{path}版本为{version}，本程序只支持到{known}，请重新安装新版程序。",
    ),
    "behind": (
        1,
        "{count} events wait for the desk: see to the network, and ask the desk's doctor.",
        "{count}条事件待发，请检查网络，并在值班台运行诊断。",
    ),
    "not_running": (2, "The agent cannot be asked: {why}.", "无法询问代理：{why}。"),
    "traps": (1, "Traps are not received: {why}.", "收不到 trap：{why}。"),
    "device": (
        1,
        "Device {device} does not answer ({why}): see to its cable, power and address.",
        "设备{device}无应答（{why}），请检查线缆、电源和地址。",
    ),
    "no_port": (
        2,
        "Line {line}: {port} is not there: plug the adapter in, or name its port.",
        "线路{line}：没有{port}，请插好转换器或更正端口。",
    ),
    "closed_port": (
        2,
        "Line {line}: {port} may not be used: run this as the agent's user, who must be in the group dialout.",
        "线路{line}：无权使用{port}，请用代理的用户运行，该用户须在 dialout 组。",
    ),
    "no_desk": (
        1,
        "{file} names no desk: alarms stay here; join one by `roundsman join`.",
        "{file}未指定值班台，告警只留在本地，请用 `roundsman join` 加入。",
    ),
    "token_file": (2, "The desk's token cannot be used: {why}", "值班台令牌无法使用：{why}"),
    "refused": (
        2,
        "The desk at {url} refuses this agent ({why}): make a join line there by `roundsman desk enrol {site}`.",
        "值班台{url}拒绝此代理（{why}），请在值班台运行 `roundsman desk enrol {site}` 重新加入。",
    ),
    "unreached": (
        2,
        "The desk at {url} does not answer ({why}): see to the network, and whether the desk runs.",
        "值班台{url}无应答（{why}），请检查网络及值班台是否运行。",
    ),
    "unsynchronised": (
        1,
        "This machine follows no time server: start chrony or systemd-timesyncd.",
        "本机未同步时间，请启用 chrony 或 systemd-timesyncd。",
    ),
}
