"""Documents in files, taken apart without a YAML reader: what is sent is what was written, so that
the server reads it with its own eyes."""

import re
from dataclasses import dataclass

FLEET = re.compile(r"""^["']?kind["']?\s*:\s*["']?CosmosFullNode["']?\s*$""", re.M)
GROUP = re.compile(r"""^(apiVersion\s*:\s*["']?)([^/\s"']+)(/)""", re.M)
METADATA = re.compile(r"^metadata:[ \t]*(?:#.*)?\n((?:[ \t]+.*\n|[ \t]*\n)*)", re.M)
NAMESPACE = re.compile(r"""^\s+namespace\s*:\s*["']?([^\s"'#]+)""", re.M)


@dataclass(frozen=True)
class Document:
    """One document, as written."""

    text: str

    @property
    def namespace(self) -> str:
        """The namespace that it names; `default` where it names none."""
        metadata = METADATA.search(self.text)
        named = NAMESPACE.search(metadata[1]) if metadata else None
        return named[1] if named else "default"

    @property
    def group(self) -> str:
        """The API group that it names."""
        named = GROUP.search(self.text)
        return named[2] if named else ""

    def of_group(self, group: str) -> str:
        """Returns the text with another API group: a server knows one, the program takes any."""
        return GROUP.sub(rf"\g<1>{group}\g<3>", self.text, count=1)


def documents(text: str) -> list[Document]:
    """Returns the fleets of a YAML file, those in Lists left out. Documents begin at lines of three
    dashes, as for kubectl."""
    parts = re.split(r"^---(?:\s.*)?$\n?", text, flags=re.M)
    return [Document(part) for part in parts if FLEET.search(part)]
