"""Where the API server keeps what."""

PLURALS = {
    "NetworkPolicy": "networkpolicies",
    "StorageClass": "storageclasses",
}
# Kinds without a namespace.
WIDE = {
    "ClusterRole",
    "ClusterRoleBinding",
    "CustomResourceDefinition",
    "Namespace",
    "Node",
    "PersistentVolume",
    "StorageClass",
}


def path_of(manifest: dict) -> str:
    """Returns the path of an object."""
    metadata = manifest["metadata"]
    base = collection(manifest["apiVersion"], manifest["kind"], metadata.get("namespace"))
    return f"{base}/{metadata['name']}"


def collection(version: str, kind: str, namespace: str | None = None) -> str:
    """Returns the path of all objects of a kind, in a namespace or in all of them."""
    root = f"/apis/{version}" if "/" in version else f"/api/{version}"
    plural = PLURALS.get(kind, f"{kind.lower()}s")
    if kind in WIDE or namespace is None:
        return f"{root}/{plural}"
    return f"{root}/namespaces/{namespace}/{plural}"
