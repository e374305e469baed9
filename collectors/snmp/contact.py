"""What the engine knows of one card beside what it reads there: where it is, how fast it answers, what it refused."""

from collectors.snmp.poll import Card
from collectors.snmp.session import Session
from collectors.snmp.sockets import Address
from collectors.snmp.target import Target
from wire.refusal import Refusal

LEAST_WAIT = 0.2  # seconds before a request is repeated, however fast a card is
FIRST_WAIT = 1.0  # the same at a card whose time is not known (RFC 6298 section 2.1)


class Patience:
    """How long a card takes to answer, smoothed, and how much that varies (RFC 6298); seconds."""

    __slots__ = ("smoothed", "variation")

    def __init__(self) -> None:
        self.smoothed = 0.0
        self.variation = 0.0

    def took(self, seconds: float) -> None:
        """Note an answer, counted from the first sending of its request: too long rather than too short."""
        if not self.smoothed:
            self.smoothed, self.variation = seconds, seconds / 2
            return
        self.variation += (abs(self.smoothed - seconds) - self.variation) / 4
        self.smoothed += (seconds - self.smoothed) / 8

    @property
    def wait(self) -> float:
        """Seconds after which an answer is probably lost."""
        return max(self.smoothed + 4 * self.variation, LEAST_WAIT) if self.smoothed else FIRST_WAIT


class Contact:
    """One card, and the way to it.

    `said`: why the last thing heard was refused.  `unsent`: why nothing was sent.  `turned_away`: the last request
    ended in a refusal under the card's digest, and in no silence.
    """

    def __init__(self, target: Target) -> None:
        self.target = target
        self.card = Card(target)
        self.session = Session(target.user) if target.user is not None else None
        self.address: Address | None = None
        self.patience = Patience()
        self.said: Refusal | None = None
        self.unsent = ""
        self.turned_away = False

    def begins(self) -> None:
        """Forget what was said in the poll before."""
        self.said, self.unsent, self.turned_away = None, "", False
        if self.session is not None:
            self.session.met = self.session.auth_proved = False


_WORDS = {
    Refusal.REPORTED_UNKNOWN_USER: "it knows no user {user}",
    Refusal.REPORTED_WRONG_DIGEST: "it says that the digest is wrong: check the authentication protocol and its key",
    Refusal.REPORTED_DECRYPTION: "it cannot decrypt: check the privacy protocol and its key",
    Refusal.REPORTED_LEVEL: "it refuses user {user} at this security level: check which protocols it has for that user",
    Refusal.REPORTED_ACCESS: "it gives user {user} nothing at this security level: check what that user may read there",
    Refusal.REPORTED_UNKNOWN_CONTEXT: "it knows no context {context}",
    Refusal.REPORTED_NOT_IN_TIME_WINDOW: "no clock can be agreed with it: its boots are used up, or it is replayed",
    Refusal.REPORTED_UNKNOWN_ENGINE: "it denies the engine id that it says it has",
    Refusal.REPORTED_OTHER: "it answers with a report that has no answer",
    Refusal.WRONG_DIGEST: "its answers bear a wrong digest: they are forged or damaged",
    Refusal.WRONG_LEVEL: "it answers with less security than it was asked with",
    Refusal.WRONG_ENGINE: "answers come from another engine than was asked",
    Refusal.WRONG_USER: "its answers name another user",
    Refusal.WRONG_CONTEXT: "its answers are of another context",
    Refusal.NOT_IN_TIME_WINDOW: "its answers are older than 150 s",
    Refusal.DECRYPTION: "its answers cannot be decrypted: check the privacy protocol and its key",
    Refusal.WRONG_VERSION: "it answers in another version of SNMP",
    Refusal.FOREIGN: "answers come from another address or port than was asked",
    Refusal.TRUNCATED: "its answers are cut short",
    Refusal.OVERSIZED: "its answers go on after their end",
    Refusal.MALFORMED: "what it answers is no SNMP",
}


def why(contact: Contact) -> str:
    """Say in plain words why a card gave no answer that counts, as far as that is known; nothing when it is not."""
    user = contact.target.user
    if contact.unsent:
        return f"nothing could be sent: {contact.unsent}"
    if contact.said is not None and contact.said in _WORDS:
        name, context = (user.name, user.context) if user else ("", "")
        return _WORDS[contact.said].format(user=name, context=context or '""')
    session = contact.session
    if session is None or user is None or not session.met:
        return ""
    besides = f", or that it has the context {user.context}" if user.context else ""
    if session.auth_proved and user.privacy:
        return f"its digest is right, and it answers nothing encrypted: check the privacy protocol and key{besides}"
    return f"it says who it is and does not answer user {user.name}: check its keys and protocols{besides}"
