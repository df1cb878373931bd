"""What passed and what failed."""

import threading
import time


class Report:
    """Counts cases, and says what failed as it happens."""

    def __init__(self) -> None:
        self.passed = 0
        self.failed = 0
        self.begun = time.monotonic()
        self.lock = threading.Lock()

    def suite(self, name: str) -> None:
        """Says which suite begins."""
        print(f"suite {name}", flush=True)

    def note(self, text: str) -> None:
        """Says what is worth knowing and no fault."""
        print(f"  {text}", flush=True)

    def case(self, name: str, faults: list[str]) -> None:
        """Counts a case, and says why it failed."""
        with self.lock:
            if not faults:
                self.passed += 1
                return
            self.failed += 1
            reasons = "; ".join(" ".join(fault.split()) for fault in faults)
            print(f"FAIL {name}: {reasons}", flush=True)

    def close(self) -> int:
        """Says how it ended, and returns the exit code for it: nothing tested is no success."""
        print(f"  took {time.monotonic() - self.begun:.0f} s")
        print(f"{self.passed} passed, {self.failed} failed", flush=True)
        return 0 if self.passed and not self.failed else 1
