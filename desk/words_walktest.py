"""The words of walk-tests in English and Chinese."""

WALKTEST_WORDS: dict[str, tuple[str, str]] = {
    "work.walktest": ("walk-test", "验收测试"),
}
