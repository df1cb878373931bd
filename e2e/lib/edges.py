"""Sound documents with one thing changed: what `edges.txt` lists."""

from pathlib import Path

from .documents import Document

SOUND = {
    "metadata": "{name: edge}",
    "replicas": "1",
    "size": "10Gi",
    "gas": "0ukelp",
    "config": "{}",
    "chain": "# nothing else",
    "pod": "# nothing else",
    "spec": "# nothing else",
    "root": "# nothing else",
}

# Places that are inside of another one.
INSIDE = {"maxUnavailable": ("spec", "strategy:\n    maxUnavailable: {}")}

TEXT = """\
apiVersion: cosmos.strange.love/v1
kind: CosmosFullNode
metadata: {metadata}
spec:
  replicas: {replicas}
  {spec}
  chain:
    network: devnet
    chainID: kelp-1
    binary: kelpd
    {chain}
    config: {config}
    app:
      minGasPrice: {gas}
  podTemplate:
    image: registry.example.com/kelp:v1
    {pod}
  volumeClaimTemplate:
    storageClassName: standard
    resources:
      requests:
        storage: {size}
{root}
"""


def edges(file: Path) -> dict[str, Document]:
    """Returns the documents that a file lists, by what is changed."""
    found = {}
    place = ""
    for line in file.read_text().splitlines():
        if line.startswith("#") or not line:
            continue
        if line.startswith("[") and line[1:-1] in SOUND | INSIDE:
            place = line[1:-1]
            continue
        outer, around = INSIDE.get(place, (place, "{}"))
        text = TEXT.format(**SOUND | {outer: around.format(line)})
        found[f"{place}: {line}"] = Document(text)
    return found
