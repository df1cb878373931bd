"""What is tried with every way of delivery: what the owner changes, and what may come of it."""

from dataclasses import replace

from .api import wait
from .course import Course, Expect, Row, Step
from .fault import Fault
from .fleets import changed, claims, config, image, label, pods, replicas, retention, storage
from .upgrade import UPGRADE

ALL = pods(0, 1, 2, 3, 4)
BATCHES = (pods(0, 1), pods(2, 3), pods(4))
ROLL = Expect(restarts=ALL, budget=2, batches=BATCHES)


def holds(claim: int, size: str):
    """Returns what checks the size of a claim and its volume."""

    def check(course: Course) -> None:
        def is_so() -> bool:
            found = course.claim(claim)
            volume = course.volume(found)
            return found["status"]["capacity"] == volume["spec"]["capacity"] == {"storage": size}

        if not wait(is_so):
            raise Fault(f"the volume of claim {claim} does not hold {size}")

    return check


def labelled(value: str):
    """Returns what checks that every pod has a label."""

    def check(course: Course) -> None:
        found = {each["metadata"]["labels"].get("e2e") for each in course.own_pods()}
        if found != {value}:
            raise Fault(f"pods are labelled {found}, not {value}")

    return check


ROWS = [
    Row(
        "image",
        (
            Step("change", image("v2"), ROLL),
            Step("again", {}),
        ),
    ),
    Row("config", (Step("change", config(7), ROLL),)),
    Row(
        "in-place",
        (
            Step("label", label("one")),
            Step("labelled", labelled("one")),
            Step("label-changed", label("two")),
            Step("labelled-anew", labelled("two")),
            Step("grown", storage("20Gi")),
            Step("holds-more", holds(0, "20Gi")),
            Step("shrunk", storage("5Gi")),
            Step("holds-as-much", holds(0, "20Gi")),
            Step("unchanged", {}),
        ),
    ),
    Row(
        "scale-retain",
        (
            Step("up", replicas(7)),
            Step("down", replicas(3), Expect(stops=pods(3, 4, 5, 6))),
            Step("up-again", replicas(4)),
        ),
        base=retention("Retain"),
    ),
    Row(
        "scale-delete",
        (Step("down", replicas(3), Expect(stops=pods(3, 4), loses=claims(3, 4))),),
        base=retention("Delete"),
    ),
    Row(
        "all-at-once",
        (Step("change", changed(changed(image("v2"), replicas(6)), label("new")), ROLL),),
    ),
    UPGRADE,
]


def named(*names: str) -> list[Row]:
    """Returns some of the rows."""
    return [row for row in ROWS if row.name in names]


def unbatched(rows: list[Row]) -> list[Row]:
    """Returns rows for those who plan anew all the time: they keep to the budget, and begin with the
    next pod as soon as it has room for one."""
    return [
        replace(
            row,
            steps=tuple(
                replace(step, expect=replace(step.expect, batches=())) for step in row.steps
            ),
        )
        for row in rows
    ]


def without(*names: str) -> list[Row]:
    """Returns all other rows."""
    return [row for row in ROWS if row.name not in names]
