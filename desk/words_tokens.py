"""What the audit says of agents' tokens, in English and Chinese."""

TOKEN_WORDS: dict[str, tuple[str, str]] = {
    "did.token_asked": ("The agent was asked for another token", "要求代理更换令牌"),
    "did.token_offered": ("The agent has a next token", "代理已备好新令牌"),
    "did.token_changed": ("The agent has another token, the old one is over", "代理令牌已更换，旧令牌作废"),
    "did.revoked": ("The agent's tokens and join lines were revoked", "代理令牌和接入命令已吊销"),
}
