"""What is tried with loops that deliver one step at a time, beside what is tried with all."""

from .course import Course, Expect, Row, Step
from .fault import Fault
from .fleets import image
from .loops import Loop
from .matrix import ALL, BATCHES
from .syncs import FIRST
from . import verdict

# So often a loop that has to wait looks again, to see whether it does.
LOOKS = 5


def loop_of(course: Course) -> Loop:
    """Returns the loop that delivers a fleet."""
    if not isinstance(course.delivery, Loop):
        raise Fault(f"{course.name} is not delivered by a loop")
    return course.delivery


def push_never_ready(course: Course) -> None:
    """Delivers an image that does not get ready, and sees whether anything comes after its batch."""
    since = course.bed.version()
    course.push(image("never-ready"))

    def has_come() -> bool:
        events = course.events()
        return all(verdict.moments(events, since, name, "added") for name in FIRST)

    loop = loop_of(course)
    loop.run(course, has_come)
    for _ in range(LOOKS):
        loop.turn(course)


STUCK = Row(
    "never-ready",
    (
        Step("change", push_never_ready, Expect(restarts=FIRST, budget=2, whole=False)),
        Step("mended", image("v2"), Expect(restarts=ALL, budget=2, batches=BATCHES)),
    ),
)
