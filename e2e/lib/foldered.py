"""Fleets whose documents a runner reads from folders, in a cluster that does not know their kind."""

import contextlib
from collections.abc import Iterator

from .api import wait
from .bed import Bed
from .commanded import last
from .course import Course
from .fault import Fault
from .front import Front
from .matrix import named, unbatched
from .program import Program
from .runners import Runner, runner
from .scenarios import home

WAY = "folder"
ROWS = unbatched(named("image", "scale-delete"))


class Foldered:
    """A runner that reads folders: what is written there is what it does."""

    def begin(self, course: Course) -> str:
        """Leaves it to the runner to read the folder."""
        return self.deliver(course)

    def deliver(self, course: Course) -> str:
        """Nothing is to be done: the document lies where it is read."""
        return ""

    def settle(self, course: Course, revision: str) -> None:
        """Waits until a plan has nothing to do. No document in the cluster says so."""

        def is_so() -> bool:
            return course.is_whole() and not course.left()

        if not wait(is_so, longest=2, sign=course.count):
            raise Fault(f"{course.name} is never as it should be: {course.left()}")


@contextlib.contextmanager
def reading(program: Program, front: Front, bed: Bed) -> Iterator[Runner]:
    """Runs a runner that reads the folders of all these scenarios, which are empty."""
    names = [f"{WAY}-{row.name}" for row in ROWS]
    words = ["--lease-namespace", bed.namespace(f"{WAY}-runner")]
    for name, row in zip(names, ROWS):
        specs = home(bed, WAY, row) / "specs"
        specs.mkdir(parents=True)
        words += ["--namespace", name, "--specs", str(specs)]
    with runner(program, front, bed.cluster.home / WAY, *words) as found:
        found.await_ready()
        yield found
        if found.has_ended():
            raise Fault(f"the runner of folders has ended: {last(found.said())}")
        found.stop()
