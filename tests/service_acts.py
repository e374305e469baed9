"""Acts that people may say of a ticket, likely and unlikely, for the state machine of its life."""

from hypothesis import strategies as st

from model.contract import Handling, Milestone, Start
from model.service import entry as acts
from model.service.entry import Act
from model.service.words import Cover, Side, Tie, Waiting
from tests.service_world import DAY, HOUR

WORD = st.sampled_from(["because", "because", "because", ""])
WHO = st.sampled_from(["Wang", "Wang", ""])
MILESTONES = st.sampled_from(list(Milestone))
LEVELS = st.integers(1, 4)
SIDES = st.sampled_from([Side.SERVICE, Side.SERVICE, Side.CUSTOMER, Side.SYSTEM])


def said(at: float) -> st.SearchStrategy[float | None]:
    """When it happened: not said, a while ago, hardly ever in the future."""
    ago = st.sampled_from([0.0, 0.4, 1.0, 59.0, HOUR, -1.0])
    return st.one_of(st.none(), ago.map(lambda seconds: at - seconds))


def milestones(at: float) -> st.SearchStrategy[Act]:
    return st.one_of(
        st.builds(acts.Acknowledged, seen=st.integers(0, 3)),
        st.builds(acts.Reached, MILESTONES, said(at)),
        st.builds(acts.Reached, st.sampled_from([Milestone.RESTORE, Milestone.RESOLVE]), said(at)),
        st.builds(acts.Confirmed, MILESTONES),
        st.builds(acts.Confirmed, st.sampled_from([Milestone.RESTORE, Milestone.RESOLVE])),
        st.builds(acts.TakenBack, MILESTONES, WORD),
        st.builds(acts.Started, st.sampled_from(list(Start)), said(at)),
        st.builds(acts.Handled, st.sampled_from(list(Handling))),
    )


def changes(at: float) -> st.SearchStrategy[Act]:
    return st.one_of(
        st.builds(acts.LevelSet, LEVELS, WORD),
        st.builds(acts.LevelAgreed, st.integers(1, 2)),
        st.builds(acts.ConditionSaid, st.sampled_from(["supplier_needed", "rain"]), holds=st.booleans()),
        st.builds(acts.Paused, st.sampled_from(list(Waiting)), WORD, said(at)),
        st.builds(acts.Resumed, said(at)),
        st.builds(acts.WorkaroundOnly, WORD, st.sampled_from([None, at - 1, at + HOUR, at + 3 * DAY]), accepted_by=WHO),
        st.builds(acts.Repaired, st.sampled_from(["fan", "board"]), consumable=st.booleans(), said=said(at)),
        st.builds(acts.RepairFailed, WORD),
        st.builds(acts.Entitled, st.sampled_from(list(Cover)), WORD),
        st.builds(acts.Linked, st.sampled_from(list(Tie)), st.integers(1, 5)),
    )


def papers(at: float) -> st.SearchStrategy[Act]:
    event = st.sampled_from(["complaint", "thanks", "rain"])
    return st.one_of(
        st.builds(acts.CustomerSaid, satisfied=st.booleans()),
        st.builds(acts.Complained, st.sampled_from(["c1", "c2"]), event, st.just("slow")),
        st.builds(acts.Judged, st.sampled_from(["c1", "c2"]), proven=st.booleans(), reason=WORD),
        st.builds(
            acts.Excused,
            st.sampled_from(["restore/2", "resolve/2", "fault_late"]),
            st.sampled_from(["power_cut", "rain"]),
            WHO,
        ),
        st.builds(acts.AskedFor, st.just("analysis"), said(at)),
        st.builds(acts.Delivered, st.sampled_from(["form", "analysis"]), said(at), signed_by=WHO),
        st.builds(acts.Charged, event, st.just("x")),
    )


def anything(at: float) -> st.SearchStrategy[list[tuple[Act, Side]]]:
    """A few acts, one after another, each by some side."""
    act = st.one_of(milestones(at), changes(at), papers(at))
    return st.lists(st.tuples(act, SIDES), min_size=5, max_size=15)
