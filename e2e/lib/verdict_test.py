"""Tests of the verdicts: each must object to a course of events that is wrong, and to no other."""

from . import verdict
from .report import Report
from .timeline import Event, Timeline

# A pod's life in a line: `name what`, the number after a name tells apart pods of one name.
ROLLED = """
    a deleting; a gone; a2 added; a2 ready
    b deleting; b gone; b2 added; b2 ready
"""
SIDE_BY_SIDE = """
    a deleting; b deleting; a gone; b gone; a2 added; b2 added; a2 ready; b2 ready
"""
THERE = "a added; a ready; b added; b ready; c added; c ready"
SINCE = 6


def run(report: Report) -> None:
    """Runs all of them."""
    check(report, "within the budget", beyond(ROLLED, 1), [])
    check(report, "beyond the budget", beyond(SIDE_BY_SIDE, 1), ["2 are away"])
    check(report, "within a larger one", beyond(SIDE_BY_SIDE, 2), [])
    check(report, "away and not deleted", beyond("a unready; b unready", 1), ["2 are away"])
    check(report, "never back", beyond("a deleting; a gone; b unready", 1), ["2 are away"])
    check(report, "missing all along", beyond("b unready", 0, {"b", "d"}), ["2 are away"])
    late = "a deleting; a2 added; a2 ready; a gone"
    check(report, "an old pod says nothing", beyond(late, 1), [])
    check(report, "each once", wrongly(ROLLED, {"a": 1, "b": 1}), [])
    check(report, "one too many", wrongly(ROLLED, {"a": 1}), ["b was deleted 1 times, allowed: 0"])
    check(report, "one not at all", wrongly("", {"a": 1}), ["a was deleted 0 times, allowed: 1"])
    twice = ROLLED + "; a2 deleting; a2 gone; a3 added; a3 ready"
    found = wrongly(twice, {"a": 1, "b": 1})
    check(report, "one twice", found, ["a was deleted 2 times, allowed: 1"])
    check(report, "one twice, as it may", wrongly(twice, {"a": 2, "b": 2}), [])
    check(report, "in order", order(ROLLED, [{"a"}, {"b"}]), [])
    check(report, "the wrong way round", order(ROLLED, [{"b"}, {"a"}]), ["a began before ['b']"])
    check(report, "at once", order(SIDE_BY_SIDE, [{"a"}, {"b"}]), ["b began before ['a']"])
    fresh = "a added; b added; a ready; b ready"
    check(report, "new ones at once", order(fresh, [{"a"}, {"b"}], ""), ["b began before ['a']"])
    unready = "a deleting; a gone; a2 added; b deleting"
    check(report, "before it is ready", order(unready, [{"a"}, {"b"}]), ["b began before ['a']"])
    check(report, "nothing lost", lost("a deleting", set()), [])
    check(report, "a claim lost", lost("claim/a deleting", set()), ["PersistentVolumeClaim/a"])
    check(report, "with leave", lost("claim/a deleting", {"a"}), [])
    check(report, "a volume lost", lost("volume/a deleting", set()), ["PersistentVolume/a"])
    still = verdict.not_deleted(events("claim/a deleting"), SINCE, {"a"})
    check(report, "a claim that stays", still, ["PersistentVolumeClaim/a is still there"])
    noted(report)


def check(report: Report, name: str, found: list[str], expected: list[str]) -> None:
    """Compares faults by what is in them."""
    same = len(found) == len(expected) and all(e in f for e, f in zip(expected, found))
    report.case(f"verdict/{name}", [] if same else [f"found {found}, expected {expected}"])


def beyond(course: str, budget: int, pods: set[str] | None = None) -> list[str]:
    """Judges the budget."""
    return verdict.beyond_budget(events(course), SINCE, pods or set("abc"), budget)


def wrongly(course: str, expected: dict[str, int]) -> list[str]:
    """Judges what was replaced."""
    return verdict.wrongly_replaced(events(course), SINCE, expected)


def order(course: str, batches: list[set[str]], there: str = THERE) -> list[str]:
    """Judges the order."""
    return verdict.out_of_order(events(course, there), SINCE if there else 0, batches)


def lost(course: str, leave: set[str]) -> list[str]:
    """Judges what was deleted."""
    return verdict.lost(events(course), SINCE, leave)


def events(course: str, there: str = THERE) -> list[Event]:
    """Reads a course of events, after the one that led to where it begins."""
    kinds = {"claim": "PersistentVolumeClaim", "volume": "PersistentVolume"}
    found = []
    words = [each.split() for each in f"{there};{course}".replace("\n", ";").split(";")]
    for version, (name, what) in enumerate((each for each in words if each), 1):
        kind, _, plain = name.rpartition("/")
        whole = (version, float(version), what, kinds.get(kind, "Pod"), "t")
        found.append(Event(*whole, plain.rstrip("23"), f"uid-of-{plain}"))
    return found


def noted(report: Report) -> None:
    """A timeline makes events of what a watch tells."""
    timeline = Timeline()

    def tell(what: str, version: int, **more: object) -> None:
        metadata = {"name": "a", "namespace": "t", "uid": "1", "resourceVersion": str(version)}
        status = {"conditions": [{"type": "Ready", "status": more.get("ready", "False")}]}
        if more.get("deleting"):
            metadata["deletionTimestamp"] = "now"
        timeline.note("Pod", what, {"metadata": metadata, "status": status})

    tell("ADDED", 1)
    tell("MODIFIED", 2, ready="True")
    tell("MODIFIED", 3, ready="True")
    tell("MODIFIED", 4, ready="False")
    tell("MODIFIED", 5, ready="True")
    tell("MODIFIED", 6, ready="True", deleting=True)
    tell("DELETED", 7, ready="True", deleting=True)
    found = [f"{event.version} {event.what}" for event in timeline.of("t")]
    expected = ["1 added", "2 ready", "4 unready", "5 ready", "6 deleting", "7 gone"]
    report.case("verdict/noted", [] if found == expected else [f"noted {found}"])
