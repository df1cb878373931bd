"""What passed and what failed."""

import fnmatch
import threading
import time

# So many scenarios are named that took the longest: they are where time could be saved.
LONGEST = 3


class Report:
    """Counts cases, and says what failed as it happens."""

    def __init__(self, only: str = "*") -> None:
        self.only = only
        self.passed = 0
        self.failed = 0
        self.begun = time.monotonic()
        self.suite_begun = self.begun
        self.suite_name = ""
        self.took: dict[str, float] = {}
        self.lock = threading.Lock()

    def suite(self, name: str) -> None:
        """Says how long the last suite took, and which begins."""
        self.sum()
        self.suite_name, self.suite_begun = name, time.monotonic()
        print(f"suite {name}", flush=True)

    def wants(self, name: str) -> bool:
        """Whether a scenario is to be played."""
        return fnmatch.fnmatch(name, self.only)

    def note(self, text: str) -> None:
        """Says what is worth knowing and no fault."""
        print(f"  {text}", flush=True)

    def case(self, name: str, faults: list[str], seconds: float | None = None) -> None:
        """Counts a case, and says why it failed."""
        with self.lock:
            if seconds is not None:
                self.took[name] = seconds
            if not faults:
                self.passed += 1
                if seconds is not None and self.only != "*":
                    print(f"  {name} passed in {seconds:.0f} s", flush=True)
                return
            self.failed += 1
            reasons = "; ".join(" ".join(fault.split()) for fault in faults)
            print(f"FAIL {name}: {reasons}", flush=True)

    def sum(self) -> None:
        """Says how long a suite took, and what took the longest in it."""
        if not self.suite_name:
            return
        longest = sorted(self.took.items(), key=lambda each: -each[1])[:LONGEST]
        words = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in longest)
        told = f" (the longest: {words})" if words else ""
        print(f"  {self.suite_name} took {time.monotonic() - self.suite_begun:.0f} s{told}")
        self.took.clear()

    def close(self) -> int:
        """Says how it ended, and returns the exit code for it: nothing tested is no success."""
        self.sum()
        print(f"  all took {time.monotonic() - self.begun:.0f} s")
        print(f"{self.passed} passed, {self.failed} failed", flush=True)
        return 0 if self.passed and not self.failed else 1
