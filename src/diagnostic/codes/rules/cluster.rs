//! The codes of rules on what the documents ask of the cluster: machines and storage.

use super::{Code, Group, fault, shown, warning};

pub(in crate::diagnostic::codes) const CLUSTER: Group = Group {
    title: "Rules on machines and storage",
    are_rules: true,
    codes: CODES,
};

const CODES: &[Code] = &[
    shown(
        "\
nodeSelector:
  disk: nvme
affinity:
  nodeAffinity:
    requiredDuringSchedulingIgnoredDuringExecution:
      nodeSelectorTerms:
        - matchExpressions:
            - {key: disk, operator: NotIn, values: [nvme]}   # never both",
        fault(
            "selector-contradiction",
            "no machine can ever fit `nodeSelector` and the required node affinity",
            "Pods stay pending, for ever.",
            "Take one of the conditions that the message names out.",
        ),
    ),
    warning(fault(
        "selects-no-machine",
        "no machine of the snapshot fits what pods require",
        "Pods stay pending after the next restart, unless an autoscaler brings a machine that fits. \
         Most often a label is misspelt, or the pool was renamed. Told only where the snapshot has \
         nodes: `kubectl get nodes`.",
        "Compare with `kubectl get nodes --show-labels`.",
    )),
    shown(
        "\
storage: 500     # wrong: bytes
memory: 512m     # wrong: half a byte
storage: 500Gi   # right
memory: 512Mi    # right",
        fault(
            "size-without-unit",
            "a size has no unit, or that of a thousandth",
            "An API server takes it: as bytes. The volume is too small for anything, and a container \
             with so little memory does not start.",
            "Write Gi or Mi behind the number.",
        ),
    ),
    warning(fault(
        "storage-class-binds-early",
        "the StorageClass makes volumes before pods are placed",
        "The volume is made in any zone, and pins the pod to it: where no machine of that zone fits, \
         the pod stays pending. Told only where the snapshot has machines of several zones.",
        "Use a class with `volumeBindingMode: WaitForFirstConsumer`.",
    )),
    fault(
        "storage-class-missing",
        "the snapshot has StorageClasses, and not the one that is asked for",
        "New claims stay pending, and their pods with them.",
        "Use one of the classes that the message lists, or make this one first.",
    ),
    warning(fault(
        "storage-class-not-expandable",
        "the StorageClass does not let volumes grow",
        "The data of a chain grows without end. When the volume is full the node stops, and only a \
         new volume helps.",
        "Set `allowVolumeExpansion: true` at the class: that can be done at any time.",
    )),
    warning(fault(
        "storage-shrinks",
        "a claim asks for less storage than its live claim has",
        "Volumes cannot shrink: nothing happens, and a new instance gets a volume that may be too \
         small for the chain.",
        "Write the live size, or more.",
    )),
];
