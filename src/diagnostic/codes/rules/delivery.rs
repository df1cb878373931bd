//! The codes of rules on how Argo CD and Flux are set up to deliver fleets.

use super::{Code, Group, fault, shown, warning};

pub(in crate::diagnostic::codes) const DELIVERY_RULES: Group = Group {
    title: "Rules on delivery by Argo CD and Flux",
    are_rules: true,
    codes: CODES,
};

const CODES: &[Code] = &[
    warning(fault(
        "applier-timeout-short",
        "an applier gives up before a pod has had its time to stop",
        "A sync that is cut off, or a Kustomization that times out, leaves the pod gone until somebody \
         starts it again. The timeout of Argo CD counts for the whole sync, all batches together.",
        "Give more time than all batches take, or none (`\"0\"`) where there is that choice.",
    )),
    warning(fault(
        "claim-unguarded",
        "live claims that are to be kept do not say so to the applier that delivers them",
        "Appliers read from the live object whether they may delete it. Where a document or a folder \
         goes, such a claim goes too, with its data. Told only where the snapshot has the claims.",
        "Render and deliver again, before anything is taken away; or annotate the live claims.",
    )),
    fault(
        "claim-wave-apart",
        "a rendered claim stands in an earlier wave than the first pod that mounts it",
        "Where the StorageClass waits for the first consumer, the claim stays pending until there is a \
         pod, Argo CD waits for the claim before it makes the pod, and neither ever comes. Claims that \
         are bound are not told of.",
        "Put both into one wave, as `render` does, and edit nothing that was rendered.",
    ),
    shown(
        "\
kind: Kustomization
spec:
  force: true   # wrong: this one applies claims",
        fault(
            "flux-force",
            "Flux may delete claims to make them anew",
            "With `force` it does so wherever a field differs that cannot change, such as a smaller size: \
             the volume is gone, with its data.",
            "Take it out. The pods that are to be made anew bear an annotation of their own.",
        ),
    ),
    shown(
        "\
application.resourceTrackingMethod: label        # wrong
application.resourceTrackingMethod: annotation   # right",
        fault(
            "label-tracking",
            "Argo CD tracks objects by the label that the fleets' Services select by",
            "It writes the Application's name over `app.kubernetes.io/instance`: Services lose their pods, \
             and two instances look like one.",
            "Track by annotation, or set `application.instanceLabelKey` to another label.",
        ),
    ),
    fault(
        "server-side-diff",
        "an Application compares on the server",
        "The API server refuses to try a change of a pod that cannot be made in place: Argo CD shows an \
         error, or the pod as synced although it is not, and no automated sync follows.",
        "Write `argocd.argoproj.io/compare-options: ServerSideDiff=false` on the Application.",
    ),
    shown(
        "\
syncOptions: [Replace=true, Force=true]   # wrong",
        fault(
            "sync-replaces",
            "`Replace=true` or `Force=true` is an option of the sync, or of what is synced",
            "Together they make every pod anew at every sync that runs, changed or not, all at once, and on a \
             claim they delete the volume. `Force=true` alone deletes a changed pod and then fails; \
             `Replace=true` alone fails too, and does not see arguments or labels that are taken out.",
            "Take them out: what `render --target argocd` writes needs none of both.",
        ),
    ),
    warning(fault(
        "wave-in-template",
        "a template puts all pods, or all claims, into one sync wave",
        "Pods of one wave restart at once, outside of every budget, and claims in an earlier wave than \
         their pods may never be bound.",
        "Take it out: `render --target argocd` sets the waves, and passes over what stands there.",
    )),
];
