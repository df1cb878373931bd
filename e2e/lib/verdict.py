"""Verdicts on what happened: whether enough nodes were there at every moment, only those were
replaced that had to be, in the right order, and nothing was lost that is kept. It knows nothing of
plans: it sees what an outsider sees."""

from collections.abc import Iterator

from .timeline import Event


def beyond_budget(events: list[Event], since: int, pods: set[str], budget: int) -> list[str]:
    """Returns when more of the pods than a budget were away: not there, not ready, being deleted.
    Those that are away at the beginning count too."""
    faults = []
    for event, ready in states(events):
        away = sorted(pods - ready.keys())
        if event.version > since and len(away) > budget and event.kind == "Pod":
            faults.append(f"at {event.at:.2f} s {len(away)} are away, {budget} may be: {away}")
    # One moment tells what is wrong.
    return faults[:1]


def states(events: list[Event]) -> Iterator[tuple[Event, dict[str, str]]]:
    """Yields, after every event, the pods that are ready, by name: their UID."""
    ready: dict[str, str] = {}
    for event in events:
        if event.kind == "Pod":
            if event.what == "ready":
                ready[event.name] = event.uid
            elif event.what in ("unready", "deleting", "gone"):
                if ready.get(event.name) == event.uid:
                    del ready[event.name]
        yield event, ready


def wrongly_replaced(events: list[Event], since: int, allowed: dict[str, int]) -> list[str]:
    """Returns which pods were deleted that need not be, not deleted though they should be, or more
    often than allowed."""
    counts = dict.fromkeys(allowed, 0)
    for event in after(events, since):
        if event.kind == "Pod" and event.what == "deleting" and not event.job:
            counts[event.name] = counts.get(event.name, 0) + 1
    return [
        f"{name} was deleted {count} times, allowed: {allowed.get(name, 0)}"
        for name, count in sorted(counts.items())
        if not min(allowed.get(name, 0), 1) <= count <= allowed.get(name, 0)
    ]


def out_of_order(events: list[Event], since: int, batches: list[set[str]]) -> list[str]:
    """Returns which pod began to go, or came, before all of the batch before were ready again."""
    faults = []
    for former, later in zip(batches, batches[1:]):
        last_ready = {name: moments(events, since, name, "ready") for name in former}
        for name in sorted(later):
            begun = moments(events, since, name, "deleting")
            begun = begun or moments(events, since, name, "added")
            early = sorted(
                each
                for each, ready in last_ready.items()
                if begun and (not ready or begun[0].version < ready[0].version)
            )
            if early:
                faults.append(f"{name} began before {early} were ready again")
    return faults


def moments(events: list[Event], since: int, name: str, what: str) -> list[Event]:
    """Returns when something happened to a pod."""
    return [
        event
        for event in after(events, since)
        if (event.kind, event.name, event.what) == ("Pod", name, what)
    ]


def lost(events: list[Event], since: int, leave: set[str]) -> list[str]:
    """Returns which claims, and volumes by their claims' names, were deleted without leave."""
    kinds = ("PersistentVolumeClaim", "PersistentVolume")
    return [
        f"{event.kind}/{event.name} was deleted"
        for event in after(events, since)
        if event.kind in kinds and event.what == "deleting" and event.name not in leave
    ]


def not_deleted(events: list[Event], since: int, claims: set[str]) -> list[str]:
    """Returns which claims should be gone by now and are not."""
    gone = {
        event.name
        for event in after(events, since)
        if event.kind == "PersistentVolumeClaim" and event.what == "gone"
    }
    return [f"PersistentVolumeClaim/{name} is still there" for name in sorted(claims - gone)]


def after(events: list[Event], since: int) -> list[Event]:
    """Returns what happened after a version."""
    return [event for event in events if event.version > since]
