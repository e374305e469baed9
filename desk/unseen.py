"""Which character of a text cannot be seen, for who wrote it: what is pasted from elsewhere may bring one along."""

from model.contract import Text

SPACES = "\n\t\r \N{NO-BREAK SPACE}\N{IDEOGRAPHIC SPACE}"  # kept as plain spaces


def unseen(text: str) -> Text:
    """Return what is wrong with a text, to follow its name; {} when every character of it can be read.

    Places count from 1, without the spaces before the text.
    """
    for place, sign in enumerate(text.strip(), start=1):
        if not sign.isprintable() and sign not in SPACES:
            code = f"U+{ord(sign):04X}"
            return {
                "en": f"has a character that cannot be seen ({code}) at place {place}: take it out.",
                "zh": f"第{place}个字符不可见（{code}），请删除。",
            }
    return {}
