"""The words of a ticket's life: what happened, why not, who speaks, what a clock or a ticket waits for."""

from enum import StrEnum


class Side(StrEnum):
    """Who speaks: agent and desk, whoever maintains, or the customer."""

    SYSTEM = "system"
    SERVICE = "service"
    CUSTOMER = "customer"


class Trust(StrEnum):
    """What the desk's wall clock is worth: sure, jumped against CLOCK_BOOTTIME, or not synchronised since the boot."""

    SURE = "sure"
    JUMPED = "jumped"
    UNSYNCHRONISED = "unsynchronised"


class Waiting(StrEnum):
    """What a paused ticket waits for. No contract states a general pause: each is ours and needs its reason."""

    CARRIER = "carrier"  # the carrier's network or line
    SUPPLIER = "supplier"  # a part or another firm's work
    CUSTOMER = "customer"  # access, permission, an escort
    AUTHORITY = "authority"  # works of a city, the police, the power company
    OTHER = "other"


class Cover(StrEnum):
    """What the device is entitled to. Nobody knows: it is served as if under contract, and that is shown."""

    UNKNOWN = "unknown"
    UNDER_CONTRACT = "under_contract"
    IN_WARRANTY = "in_warranty"
    AFTER_WARRANTY = "after_warranty"
    NOT_COVERED = "not_covered"


class Tie(StrEnum):
    """How a ticket belongs to another."""

    RELATED = "related"
    RECURRENCE = "recurrence"  # of the other: same device and fault within the contract's year
    CHILD = "child"  # the other is its cause
    INCIDENT = "incident"  # both are part of one incident across sites


class Event(StrEnum):
    """What an entry did, for the audit; an entry of an alarm also has the ticket's own `Reason`s."""

    REACHED = "reached"
    PROPOSED = "proposed"  # waits for the word that the contract asks for
    CONFIRMED = "confirmed"
    TAKEN_BACK = "taken_back"
    STARTED = "started"
    HANDLING_SAID = "handling_said"
    CONDITION_SAID = "condition_said"
    LEVEL_SET = "level_set"
    LEVEL_UPGRADED = "level_upgraded"
    LEVEL_AGREED = "level_agreed"
    PAUSED = "paused"
    RESUMED = "resumed"
    WORKAROUND = "workaround"
    REPAIRED = "repaired"
    REPAIR_FAILED = "repair_failed"
    ENTITLED = "entitled"
    LINKED = "linked"
    MERGED = "merged"
    TOOK_IN = "took_in"
    CLOSED = "closed"
    DATED = "dated"
    RETIMED = "retimed"
    FIRED = "fired"
    CUSTOMER_SAID = "customer_said"
    COMPLAINED = "complained"
    JUDGED = "judged"
    EXCUSED = "excused"
    ASKED_FOR = "asked_for"
    DELIVERED = "delivered"
    CHARGED = "charged"


class Refusal(StrEnum):
    """Why an entry changes nothing."""

    NO_TICKET = "no_ticket"
    OPEN_ALREADY = "open_already"
    NOT_ANNOUNCED = "not_announced"  # an alarm that people need not see opens no ticket
    CLOSED = "closed"
    KNOWN = "known"  # this revision of the episode, or a higher one, is here
    OTHER_CONDITION = "other_condition"
    OTHER_TICKET = "other_ticket"
    UNCHANGED = "unchanged"
    WORSE = "worse"  # the ticket got worse than what was seen
    ALREADY = "already"  # reached, or proposed and waiting for the other side
    NOT_REACHED = "not_reached"
    NOT_BY_A_PERSON = "not_by_a_person"  # only a person may say this
    BEFORE_OPENING = "before_opening"
    IN_THE_FUTURE = "in_the_future"
    IN_THE_PAST = "in_the_past"
    OUT_OF_ORDER = "out_of_order"
    NO_REASON = "no_reason"
    NO_ID = "no_id"
    NO_TEXT = "no_text"  # what costs or is complained of is told in words
    NO_ACCEPTER = "no_accepter"  # nobody is named who accepted it
    NO_SUCH_LEVEL = "no_such_level"
    NO_SUCH_CONDITION = "no_such_condition"
    NO_SUCH_EXCUSE = "no_such_excuse"
    NO_SUCH_COMPLAINT = "no_such_complaint"
    NO_SUCH_EVENT = "no_such_event"
    NOT_PROVISIONAL = "not_provisional"
    PAUSED = "paused"
    NOT_PAUSED = "not_paused"
    OVERLAPS = "overlaps"
    WORKAROUND_ONLY = "workaround_only"
    STANDING = "standing"  # the fault stands
    NOT_CONFIRMED = "not_confirmed"  # the word that the contract asks for is missing
    NO_REPAIR = "no_repair"
    ITSELF = "itself"
    FIRED = "fired"  # this step of this clock has fired
    BREACHED = "breached"  # a limit that was not kept would be kept by this: an excuse is the way
    NOT_SURE = "not_sure"  # the desk's clock is not to be trusted now
    SURE = "sure"  # the time of the opening needs no other
