"""Pods that go, each as long after it was asked to as it says itself. kwok would have them go by
name, and in vain once more: whoever had just come under the name of one that is gone went too."""

import threading
from concurrent.futures import ThreadPoolExecutor

from .api import Api
from .feed import Feed
from .hooks import pod_path
from .snapshot import is_of_job

# In which a pod says how long it takes, like `3s`.
TAKES = "e2e/terminate-after"
SECONDS = 0.3
# It is gone already, or another one has its name.
TOO_LATE = (404, 409)


class Leaving:
    """What a kubelet does when a pod is deleted."""

    def __init__(self, api: Api, feed: Feed) -> None:
        self.api = api
        self.feed = feed
        self.seen: set[str] = set()
        self.workers = ThreadPoolExecutor(4, "leaving")
        feed.tell("v1", "Pod", self.pod)

    def pod(self, what: str, found: dict) -> None:
        """Looks at a pod: is it asked to go?"""
        metadata = found["metadata"]
        if what == "DELETED" or "deletionTimestamp" not in metadata or is_of_job(found):
            return
        if metadata["uid"] in self.seen:
            return
        self.seen.add(metadata["uid"])
        takes = (metadata.get("annotations") or {}).get(TAKES)
        seconds = float(takes.removesuffix("s")) if takes else SECONDS
        timer = threading.Timer(seconds, self.submit, args=(found,))
        timer.daemon = True
        timer.start()

    def submit(self, found: dict) -> None:
        """Has a pod go by and by, unless the tests are over."""
        try:
            self.workers.submit(self.feed.tried, self.end, found)
        except RuntimeError:
            pass

    def end(self, found: dict) -> None:
        """Lets the cluster forget a pod, and no other of its name."""
        now = {"gracePeriodSeconds": 0, "preconditions": {"uid": found["metadata"]["uid"]}}
        answer = self.api.request("DELETE", pod_path(found), now)
        if not answer.accepted and answer.status not in TOO_LATE:
            self.feed.faults.append(f"{pod_path(found)} does not go: {answer.message}")

    def close(self) -> None:
        """Leaves what is not begun."""
        self.workers.shutdown(wait=False, cancel_futures=True)
