"""Fleets to be delivered: one document, and what a scenario changes in it."""

import copy
import json
from pathlib import Path
from typing import Any

NAME = "kelp"
REPOSITORY = "registry.example.com/kelp"
FILE = "fleet.yaml"


def document(namespace: str) -> dict:
    """Returns a document of five nodes, of which two may be away at a time."""
    return {
        "apiVersion": "cosmos.strange.love/v1",
        "kind": "CosmosFullNode",
        "metadata": {"name": NAME, "namespace": namespace},
        "spec": {
            "replicas": 5,
            "strategy": {"maxUnavailable": 2},
            # Nobody gives addresses here, and who delivers would wait for them.
            "service": {"maxP2PExternalAddresses": 0},
            "chain": {
                "network": "devnet",
                "chainID": "kelp-1",
                "binary": "kelpd",
                "config": {},
                "app": {"minGasPrice": "0ukelp"},
            },
            "podTemplate": {
                "image": f"{REPOSITORY}:v1",
                "metadata": {
                    "annotations": {"e2e/ready-after": "1s", "e2e/terminate-after": "1s"},
                },
                "terminationGracePeriodSeconds": 5,
            },
            "volumeClaimTemplate": {
                "storageClassName": "waits",
                "resources": {"requests": {"storage": "10Gi"}},
            },
        },
    }


def changed(found: dict, patch: dict) -> dict:
    """Returns a document with a merge patch in it: what is null goes."""
    result = copy.deepcopy(found)
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict):
            result[key] = changed(result.get(key) or {}, value)
        else:
            result[key] = value
    return result


def write(folder: Path, found: dict) -> None:
    """Writes a document. JSON is YAML too."""
    (folder / FILE).write_text(json.dumps(found, indent=1))


def pods(*ordinals: int) -> set[str]:
    """Returns the names of pods."""
    return {f"{NAME}-{ordinal}" for ordinal in ordinals}


def claims(*ordinals: int) -> set[str]:
    """Returns the names of claims."""
    return {f"pvc-{NAME}-{ordinal}" for ordinal in ordinals}


# Changes of a document, as patches of it.
def image(tag: str) -> dict[str, Any]:
    """Another image."""
    return {"spec": {"podTemplate": {"image": f"{REPOSITORY}:{tag}"}}}


def replicas(count: int) -> dict[str, Any]:
    """Another size of the fleet."""
    return {"spec": {"replicas": count}}


def label(value: str) -> dict[str, Any]:
    """A label on pods."""
    return {"spec": {"podTemplate": {"metadata": {"labels": {"e2e": value}}}}}


def config(peers: int) -> dict[str, Any]:
    """A config that nodes have to read."""
    return {"spec": {"chain": {"config": {"maxOutboundPeers": peers}}}}


def storage(size: str) -> dict[str, Any]:
    """Another size of the volumes."""
    return {"spec": {"volumeClaimTemplate": {"resources": {"requests": {"storage": size}}}}}


def retention(policy: str) -> dict[str, Any]:
    """What becomes of volumes that no instance needs."""
    return {"spec": {"volumeRetentionPolicy": policy}}
