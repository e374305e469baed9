"""The words of the contracts' pages in English and Chinese; what a contract says comes from the contract."""

CONTRACT_WORDS: dict[str, tuple[str, str]] = {
    "contracts": ("Contracts", "合同"),
    "contracts_text": (
        "What each maintenance contract asks for, in plain words. Tickets get their levels and clocks from these.",
        "各维护合同的要求。工单的级别和时限以此为准。",
    ),
    "contract_sites": ("Sites under it", "适用站点"),
    "contract_sites_one": ("1 site", "1个站点"),
    "contract_sites_n": ("{n} sites", "{n}个站点"),
    "contract_unused": ("no site", "未使用"),
    "contract_open_one": ("1 point left open", "1处未定"),
    "contract_open_n": ("{n} points left open", "{n}处未定"),
    "contract_open_text": (
        "The contract's text does not decide these. The desk works by the choice beside each until both sides agree.",
        "合同原文未明确以下各点。双方商定之前，本系统按所列选择执行。",
    ),
    "contract_counts": ("{levels} levels, {limits} limits", "{levels}个级别，{limits}项时限"),
    "contract_counts_one": ("1 level, {limits} limits", "1个级别，{limits}项时限"),
    "contract_missing": (
        "Sites name this contract, but the desk has no good file of it.",
        "站点使用此合同，但值班台没有可用的合同文件。",
    ),
    "contract_text": ("Text {digest}", "文本 {digest}"),
}
