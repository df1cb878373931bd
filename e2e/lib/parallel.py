"""Several things at a time."""

import queue
import threading
import traceback
from collections.abc import Callable

from . import stop


def run(tasks: list[Callable[[], None]], width: int) -> list[str]:
    """Runs tasks, so many at a time; returns what went wrong with those that broke off."""
    waiting: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
    for task in tasks:
        waiting.put(task)
    ended: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def work() -> None:
        while True:
            try:
                stop.check()
                task = waiting.get_nowait()
            except (queue.Empty, stop.Stopped):
                return
            try:
                task()
                ended.put(None)
            except Exception:
                ended.put(traceback.format_exc())

    workers = [threading.Thread(target=work, daemon=True) for _ in range(min(width, len(tasks)))]
    for worker in workers:
        worker.start()
    try:
        return [fault for fault in (waited(ended) for _ in tasks) if fault]
    except BaseException:
        # What they write into is about to be removed.
        stop.STOPPED.set()
        for worker in workers:
            worker.join(20)
        raise


def waited(ended: queue.SimpleQueue) -> str | None:
    """Waits for the next task to end. A signal comes through only between two waits."""
    while True:
        try:
            return ended.get(timeout=0.5)
        except queue.Empty:
            continue
