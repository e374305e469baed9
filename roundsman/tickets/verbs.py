"""What people may say of a ticket at the command line: each verb is one act, its arguments are the act's fields."""

import argparse
from dataclasses import dataclass, field
from typing import Any

from model.contract import Handling, Milestone, Start
from model.contract_words import MILESTONES
from model.service.words import Cover, Tie, Waiting


@dataclass(frozen=True)
class Word:
    """An argument: its name is the act's field. `numbers`: a whole number."""

    name: str
    says: str
    choices: tuple[str, ...] = ()
    numbers: bool = False


@dataclass(frozen=True)
class Verb:
    """A verb: the act `what`, words in order, options of OPTIONS, and fields that are the same each time."""

    what: str
    says: str
    words: tuple[Word, ...] = ()
    options: tuple[str, ...] = ()
    always: dict[str, object] = field(default_factory=dict)


OPTIONS: dict[str, dict[str, Any]] = {
    "at": {"dest": "said", "metavar": "TIME", "help": "when it happened: 14:05, 2026-09-30T14:05, Unix seconds (now)"},
    "reason": {"metavar": "TEXT", "help": "why", "required": True},
    "why": {"dest": "reason", "metavar": "TEXT", "help": "why"},
    "note": {"metavar": "TEXT", "help": "a note"},
    "due": {"metavar": "TIME", "help": "the limit that both sides agreed on"},
    "accepted-by": {"dest": "accepted_by", "metavar": "NAME", "help": "who accepted it"},
    "signed-by": {"dest": "signed_by", "metavar": "NAME", "help": "who signed it"},
    "part": {"metavar": "TEXT", "help": "what was repaired or replaced"},
    "consumable": {"action": "store_true", "help": "a part that is worn by use: counts for no replacement"},
    "seen": {"metavar": "LEVEL", "help": "the level that you saw: not taken when it is worse by now"},
    "opened": {"metavar": "TIME", "help": "when the ticket opened", "required": True},
    "onset": {"metavar": "TIME", "help": "since when the fault stands", "required": True},
    "not": {"dest": "holds", "action": "store_false", "help": "it does not hold, or no more"},
    "asked": {"action": "store_true", "help": "the customer asks for it: its clock begins"},
}
_MILESTONES = tuple(str(each) for each in Milestone)
_STARTS = tuple(str(each) for each in Start if each not in {Start.OPEN, Start.ONSET})
_MILESTONE = Word("milestone", "the milestone", _MILESTONES)
_LEVEL = Word("level", "the level, such as 1 or A")

VERBS: dict[str, Verb] = {
    "acknowledge": Verb("acknowledged", "take the ticket", options=("seen",)),
    **{
        str(each): Verb("reached", f"a milestone: {MILESTONES[each]['en'].lower()}", options=("at", "note"),
                        always={"milestone": str(each)})
        for each in Milestone
    },
    "confirm": Verb("confirmed", "confirm a milestone that was said", (_MILESTONE,), ("note",)),
    "take-back": Verb("taken_back", "say that a milestone was not reached after all", (_MILESTONE,), ("reason",)),
    "start": Verb("started", "a time from which a limit counts", (Word("start", "which", _STARTS),), ("at",)),
    "handle": Verb("handled", "say how it is handled",
                   (Word("handling", "remotely or on site", tuple(map(str, Handling))),), ("why",)),
    "condition": Verb("condition", "a condition of the contract holds", (Word("condition", "its name"),), ("not",)),
    "level": Verb("level", "raise or lower the level", (_LEVEL,), ("reason",)),
    "agree": Verb("level_agreed", "confirm the final level of a provisional one", (_LEVEL,)),
    "pause": Verb("paused", "stop the clocks while somebody is waited for",
                  (Word("waiting", "who is waited for", tuple(map(str, Waiting))),), ("reason", "at")),
    "resume": Verb("resumed", "let the clocks run again", options=("at",)),
    "workaround": Verb("workaround", "the solution is only a temporary one", options=("reason", "due", "accepted-by")),
    "repair": Verb("repaired", "a repair was made", options=("part", "consumable", "at")),
    "repair-failed": Verb("repair_failed", "the last repair did not hold", options=("reason",)),
    "cover": Verb("entitled", "what the device is entitled to",
                  (Word("cover", "which", tuple(map(str, Cover))),), ("reason",)),
    "link": Verb("linked", "tie it to another ticket", (Word("number", "the other ticket", numbers=True),), ("why",),
                 {"tie": str(Tie.RELATED)}),
    "date": Verb("dated", "say when it opened, where the desk did not know", options=("opened", "onset")),
    "merge": Verb("merged", "end it in another ticket, which goes on alone",
                  (Word("number", "the ticket that goes on", numbers=True),), ("reason",)),
    "close": Verb("closed", "close the ticket", options=("note",)),
    "customer": Verb("customer", "the customer's word on the whole ticket",
                     (Word("satisfied", "is the customer satisfied", ("satisfied", "dissatisfied")),),
                     ("signed-by", "note")),
    "complain": Verb("complained", "a complaint", (Word("id", "its id"), Word("event", "the contract's event"),
                                                   Word("text", "what was said"))),
    "judge": Verb("judged", "a complaint was looked into",
                  (Word("id", "its id"), Word("proven", "the finding", ("proven", "unproven"))), ("reason",)),
    "excuse": Verb("excused", "excuse a limit, a document or an event",
                   (Word("what_for", "what, such as restore/1"), Word("excuse", "the contract's reason")),
                   ("accepted-by", "note")),
    "document": Verb("delivered", "a document was delivered, or asked for",
                     (Word("document", "its name"),), ("asked", "at", "signed-by")),
    "charge": Verb("charged", "an event that the contract has a penalty or a bonus for",
                   (Word("event", "the event"),), ("note",)),
}  # fmt: skip
_YES = {"satisfied": True, "dissatisfied": False, "proven": True, "unproven": False}


def add_verb(parser: argparse.ArgumentParser, verb: Verb) -> None:
    """Add a verb's arguments."""
    for word in verb.words:
        kind = int if word.numbers else str
        choices = word.choices or None
        parser.add_argument(word.name, type=kind, help=word.says, metavar=word.name.upper(), choices=choices)
        if choices:
            parser.epilog = f"{word.name.upper()} is one of {', '.join(word.choices)}."
    for name in verb.options:
        parser.add_argument(f"--{name}", default=argparse.SUPPRESS, **OPTIONS[name])
    if verb.what == "linked":
        ties = tuple(map(str, Tie))
        parser.add_argument("--tie", choices=ties, default=argparse.SUPPRESS, help="how (related)")


def act_of(verb: Verb, args: argparse.Namespace) -> dict[str, object]:
    """Return the act that was said, as an object."""
    names = [word.name for word in verb.words] + [OPTIONS[name].get("dest", name) for name in verb.options] + ["tie"]
    said = {name: getattr(args, name) for name in names if hasattr(args, name)}
    act: dict[str, object] = {"what": verb.what, **verb.always, **said}
    for name in ("satisfied", "proven"):
        if name in act:
            act[name] = _YES[str(act[name])]
    if act.pop("asked", False):
        act["what"] = "asked_for"
    return act
