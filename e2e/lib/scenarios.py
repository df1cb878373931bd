"""Scenarios side by side, each with a fleet of its own."""

import functools
import json
import time
from pathlib import Path

from . import parallel
from .api import APPLY, wait
from .bed import Bed
from .course import Course, Delivery, Row
from .fault import Fault
from .program import Program
from .report import Report

# So many at a time: each waits most of the time, and more would wait for each other, on two cores.
WIDTH = 10


def play(
    bed: Bed, program: Program, deliveries: list[tuple[str, Delivery, list[Row]]], report: Report
) -> None:
    """Plays the scenarios of ways of delivery, and reports each."""
    courses = [
        (Course(f"{way}-{row.name}", bed, program, delivery, home(bed, way, row)), row)
        for way, delivery, rows in deliveries
        for row in rows
        if report.wants(f"{way}-{row.name}")
    ]
    tasks = [functools.partial(one, course, row, report) for course, row in courses]
    for fault in parallel.run(tasks, WIDTH):
        report.case("scenarios", [fault])


def one(course: Course, row: Row, report: Report) -> None:
    """Plays one."""
    begun = time.monotonic()
    course.play(row)
    report.case(course.name, course.faults, time.monotonic() - begun)


def home(bed: Bed, way: str, row: Row) -> Path:
    """Returns the folder of a scenario."""
    return bed.cluster.home / "courses" / way / row.name


def define(bed: Bed, program: Program, *kinds: str) -> None:
    """Teaches the cluster kinds of ours; without a word that of fleets."""
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    for kind in kinds or ("CosmosFullNode",):
        found = json.loads(program.run("crd", "--kind", kind, "-o", "json").out)
        name, spec = found["metadata"]["name"], found["spec"]
        bed.api.must("PATCH", f"{path}/{name}?fieldManager=e2e", json.dumps(found), APPLY)
        version = spec["versions"][0]["name"]
        served = f"/apis/{spec['group']}/{version}/{spec['names']['plural']}"
        if not wait(lambda: bed.api.request("GET", served).accepted):
            raise Fault(f"the API server does not serve {kind}")
