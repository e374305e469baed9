"""Why a datagram that came is not believed: one named reason for each, which is counted and told by that name."""

from enum import StrEnum


class Refusal(StrEnum):
    """The reason. `REPORTED_*` is what a card says of our request; the others are what is wrong with its answer."""

    MALFORMED = "malformed"  # no SNMP at all
    TRUNCATED = "truncated"  # ends before the length that it begins with
    OVERSIZED = "oversized"  # goes on after that length, or is longer than a datagram can be
    FOREIGN = "foreign"  # from an address or port that was not asked
    STALE = "stale"  # answers nothing that is asked: late, replayed, doubled, invented
    WRONG_VERSION = "wrong_version"  # another version of SNMP than was asked in
    NO_RESPONSE = "no_response"  # a PDU that is no answer

    WRONG_MODEL = "wrong_model"  # not the user-based security model
    WRONG_LEVEL = "wrong_level"  # less, or more, security than was asked with
    WRONG_ENGINE = "wrong_engine"
    WRONG_USER = "wrong_user"
    WRONG_DIGEST = "wrong_digest"
    NOT_IN_TIME_WINDOW = "not_in_time_window"
    DECRYPTION = "decryption"
    WRONG_CONTEXT = "wrong_context"
    WRONG_REQUEST = "wrong_request"  # the PDU answers another request than the message does
    UNAUTHENTICATED = "unauthenticated"  # a report that counts only with a digest, without one

    REPORTED_UNKNOWN_ENGINE = "reported_unknown_engine"
    REPORTED_NOT_IN_TIME_WINDOW = "reported_not_in_time_window"
    REPORTED_UNKNOWN_USER = "reported_unknown_user"
    REPORTED_LEVEL = "reported_level"
    REPORTED_WRONG_DIGEST = "reported_wrong_digest"
    REPORTED_DECRYPTION = "reported_decryption"
    REPORTED_UNKNOWN_CONTEXT = "reported_unknown_context"
    REPORTED_ACCESS = "reported_access"  # authorizationError: the user may read nothing, at this level or at all
    REPORTED_OTHER = "reported_other"


class RefusedError(Exception):
    """An answer is not believed. `proved`: the card itself said so, under its digest, and will not say otherwise."""

    def __init__(self, reason: Refusal, *, proved: bool = False) -> None:
        super().__init__(str(reason))
        self.reason = reason
        self.proved = proved


class DecryptionError(ValueError):
    """The octets cannot have been encrypted with this protocol."""
