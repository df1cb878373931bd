"""Several things at a time. Whoever is told to stop does not wait for them."""

import queue
import threading
import traceback
from collections.abc import Callable


def run(tasks: list[Callable[[], None]], width: int) -> list[str]:
    """Runs tasks, so many at a time; returns what went wrong with those that broke off."""
    waiting: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
    for task in tasks:
        waiting.put(task)
    ended: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def work() -> None:
        while True:
            try:
                task = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                task()
                ended.put(None)
            except Exception:
                ended.put(traceback.format_exc())

    for _ in range(min(width, len(tasks))):
        threading.Thread(target=work, daemon=True).start()
    return [fault for fault in (waited(ended) for _ in tasks) if fault]


def waited(ended: queue.SimpleQueue) -> str | None:
    """Waits for the next task to end. A signal comes through only between two waits."""
    while True:
        try:
            return ended.get(timeout=0.5)
        except queue.Empty:
            continue
