"""Documents before the program and an API server: both must accept and refuse alike, for the same
fields, and make the same of what they accept. Where they differ on purpose, it says so here."""

import functools
import json
import re
import tempfile
import threading
from pathlib import Path

from . import parallel
from .api import YAML, Answer, Api
from .documents import Document, documents
from .program import Program, Ran, Said
from .report import Report

# What the program refuses and no schema can: the meaning of a document, not its form. A path is the
# whole path, or what it ends in.
MEANING = {
    "bad-annotation": [""],
    "bad-toml": [""],
    # A schema's pattern counts no digits.
    "bad-max-unavailable": ["spec.strategy.maxUnavailable"],
    "duplicate-name": [""],
    "name-clash": [""],
    "no-container": [""],
    "no-image": [""],
    "no-storage": [""],
    # The parts of a document that must be names are names of other objects.
    "bad-name": [".name"],
    # Whole sums, heights and ports: a schema knows a minimum for each field alone.
    "out-of-range": ["spec.ordinals.start", ".height", ".port"],
    # No server bounds the replicas of a fleet.
    "too-many-replicas": ["spec.replicas"],
    "too-short": [".image", ".name"],
    # A size of nothing, and texts that may be a quantity or a percentage.
    "bad-quantity": [".storage", ".maxSize", ".increaseQuantity"],
    # The reference's definition does not ask for a spec, and a server would make up a name.
    "missing-field": ["spec", "metadata.name"],
}
# Whatever the field: servers neither count the bits of a number nor see that one which is nearly
# whole is none, and what reads the documents in the cluster then fails.
MEANING_OF_NUMBERS = re.compile(
    r"does not fit a number of 32 bits$|^expected a whole number, found [0-9.]+$"
)
# So many documents are judged at a time.
WIDTH = 4
MERGED = "a key beside `<<`"
# What the server refuses and the program lets be, on purpose.
PATIENCE = {
    # Appliers read YAML into JSON before they send it, and take the merge key as YAML has it.
    MERGED: re.compile(r'(?s)yaml: unmarshal errors:.*key "\w+" already set in map'),
    # A specification's status is nobody's wish: it is passed over, whatever it holds.
    "a field of `status`": re.compile(r'unknown field "status\.'),
}


class Judge:
    """Holds documents before the program and the server, and compares what they say."""

    def __init__(
        self, program: Program, api: Api, collection: str, folder: Path, report: Report
    ) -> None:
        self.program = program
        self.api = api
        # The path of the kind below the API's root, with a gap for the namespace.
        self.collection = collection
        self.group = collection.split("/")[2]
        self.folder = folder / "documents"
        self.folder.mkdir()
        self.report = report
        self.namespaces = {"default"}
        self.lock = threading.Lock()
        self.counts = {"accepted": 0, "refused": 0}
        self.meaning: dict[str, list[str]] = {}
        self.patience: dict[str, list[str]] = {}
        self.fields: dict[str, list[str]] = {}

    def all(self, group: str, files: list[Path]) -> None:
        """Judges every document of files; what is no fleet is left out."""
        if not files:
            self.report.note(f"{group}: nothing is here; skipped")
        found = []
        for file in files:
            whole = documents(file.read_text())
            for index, document in enumerate(whole, 1):
                part = f"#{index}" if len(whole) > 1 else ""
                place = file.parent.name if file.name == "spec.yaml" else file.stem
                found.append((f"{group}/{place}{part}", document))
        self.each(group, found)

    def each(self, group: str, found: list[tuple[str, Document]]) -> None:
        """Judges named documents, some at a time: the server and the program take turns."""
        tasks = [functools.partial(self.one, *each) for each in found]
        self.report.case(f"{group}/judged", parallel.run(tasks, WIDTH))

    def one(self, name: str, document: Document) -> None:
        """Judges one document."""
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            file = Path(folder) / "spec.yaml"
            file.write_text(document.text)
            said = self.program.run("plan", file)
            answer = self.ask(document)
            faults = []
            if answer.accepted and said.accepted:
                # The group is the file's own again: it shows in what is rendered.
                returned = answer.body | {"apiVersion": f"{document.group}/v1"}
                faults = self.as_returned(file, returned)
        with self.lock:
            self.fields[name] = answer.fields or [answer.message]
            faults += self.verdict(name, document, said, answer)
        self.report.case(name, faults)

    def verdict(self, name: str, document: Document, said: Ran, answer: Answer) -> list[str]:
        """Counts a document; returns where one of both refuses what the other does not."""
        errors = [each for each in said.said if each.severity == "error"]
        if answer.accepted and said.accepted:
            self.counts["accepted"] += 1
            return []
        if answer.accepted:
            self.meaning.setdefault(", ".join(sorted({e.code for e in errors})), []).append(name)
            return [f"refuses alone: {e}" for e in errors if not is_meaning(e)]
        if said.accepted:
            why = patience(document, said.said, answer.message)
            if not why:
                return [f"accepts alone; the server says: {answer.message}"]
            self.patience.setdefault(why, []).append(name)
            return []
        self.counts["refused"] += 1
        return unnamed(answer.fields, errors)

    def ask(self, document: Document) -> Answer:
        """Asks the server, in the words of the file, whether it would take a document."""
        namespace = document.namespace
        with self.lock:
            if namespace not in self.namespaces:
                body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
                self.api.request("POST", "/api/v1/namespaces", body)
                self.namespaces.add(namespace)
        path = f"{self.collection.format(namespace)}?dryRun=All&fieldValidation=Strict"
        return self.api.request("POST", path, document.of_group(self.group), YAML)

    def as_returned(self, file: Path, returned: dict) -> list[str]:
        """Renders what was written and what the server made of it: where both fill in the same
        defaults and read the same values, the same objects come out."""
        other = file.with_name("returned.json")
        other.write_text(json.dumps(returned))
        written = self.program.run("render", file)
        stored = self.program.run("render", other)
        if (written.code, written.out) == (stored.code, stored.out):
            return []
        if not stored.accepted:
            return [f"refuses what the server returned: {each}" for each in stored.said]
        return ["what the server returned renders to other objects"]

    def sum(self) -> None:
        """Says how it went, and lists what only the program refuses."""
        accepted, refused = self.counts["accepted"], self.counts["refused"]
        self.report.note(f"{accepted} documents are accepted and {refused} refused by both alike")
        for code, names in sorted(self.meaning.items()):
            self.report.note(f"refused by the program alone ({code}): {', '.join(sorted(names))}")
        for why, names in sorted(self.patience.items()):
            self.report.note(f"taken by the program alone ({why}): {', '.join(sorted(names))}")


def is_meaning(fault: Said) -> bool:
    """Whether a fault is one of meaning."""
    if fault.code in ("out-of-range", "wrong-type") and MEANING_OF_NUMBERS.search(fault.message):
        return True
    return any(fault.path.endswith(end) for end in MEANING.get(fault.code, []))


def patience(document: Document, said: list[Said], message: str) -> str | None:
    """Returns why the program takes what the server refuses with a message, where it should."""
    if any(each.code == "renamed-field" for each in said):
        return "a former field name"
    why = next((why for why, pattern in PATIENCE.items() if pattern.search(message)), None)
    is_merged = "<<" in document.text
    return None if why == MERGED and not is_merged else why


def unnamed(fields: list[str], errors: list[Said]) -> list[str]:
    """Returns the fields that the server finds fault with and the program does not."""
    paths = [each.path for each in errors]
    missing = [field for field in fields if not any(path.startswith(field) for path in paths)]
    return [f"the server also refuses {field}" for field in missing]
