//! The `StatefulJob` document, field by field as the reference's last CRD has it: a wish for a job on a
//! volume that is made from the newest snapshot. Knows nothing of what follows from it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ObjectMeta, StringMap};
use crate::spec::core::PodSpec;

/// A job on a volume that is made from the newest snapshot, run again and again.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StatefulJob {
    /// The API group and version.
    pub api_version: String,
    /// Always `StatefulJob`.
    pub kind: String,
    /// The object's name, namespace, labels and annotations.
    #[schemars(with = "BTreeMap<String, serde_json::Value>")]
    pub metadata: ObjectMeta,
    /// What the owner asks for.
    pub spec: JobSpec,
    /// How the last runs went.
    #[schemars(with = "Option<BTreeMap<String, serde_json::Value>>")]
    #[serde(default)]
    pub status: JobStatus,
}

/// A job on a volume that is made from the newest snapshot.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct JobSpec {
    /// Labels of fitting snapshots, of which the newest ready one is taken.
    pub selector: StringMap,
    /// From one run's beginning to the next one's, such as `12h`; `24h` where it is not given.
    pub interval: Option<String>,
    /// The job.
    #[serde(default)]
    #[schemars(with = "Option<JobTemplate>")]
    pub job_template: JobTemplate,
    /// The job's pod. It gets a volume called `snapshot`, which its containers mount where they need
    /// it. It is never restarted, unless its `restartPolicy` says so.
    #[schemars(with = "JobPod")]
    pub pod_template: serde_json::Value,
    /// The claim that the snapshot is restored to.
    pub volume_claim_template: JobClaim,
}

/// How long a job may take, and how often it is tried.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct JobTemplate {
    /// For how many seconds it may run; a day where it is not given.
    #[schemars(range(min = 1))]
    pub active_deadline_seconds: Option<i64>,
    /// How often it is tried again; 5 times where it is not given.
    #[schemars(range(min = 0))]
    pub backoff_limit: Option<i32>,
    /// For how many seconds it stays once it has ended; 15 minutes where it is not given.
    #[serde(rename = "ttlSecondsAfterFinished")]
    #[schemars(range(min = 0))]
    pub ttl_seconds_after_finished: Option<i32>,
}

/// The job's pod. For the schema alone: it is handed on as it was written.
#[derive(Debug, Clone, JsonSchema)]
#[expect(dead_code, reason = "only its schema is of use")]
struct JobPod {
    /// Its labels and annotations.
    metadata: Option<BTreeMap<String, serde_json::Value>>,
    /// What it runs.
    spec: Option<PodSpec>,
}

/// The claim that the snapshot is restored to.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct JobClaim {
    /// Its storage class: often that of the volume that the snapshot was taken of.
    pub storage_class_name: String,
    /// How the volume may be mounted; `ReadWriteOnce` where it is not given.
    #[serde(default)]
    #[schemars(with = "Option<Vec<String>>")]
    pub access_modes: Vec<String>,
}

/// How the last runs went.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct JobStatus {
    /// The generation of the document that the rest is about.
    #[serde(default)]
    #[schemars(required)]
    pub observed_generation: i64,
    /// What went wrong, in a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// How the last five jobs were, the newest first.
    #[serde(default)]
    #[schemars(with = "Option<Vec<PastJob>>")]
    pub job_history: Vec<serde_json::Value>,
}

/// How a job is, as its own API has it. For the schema alone.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is of use")]
struct PastJob {
    /// How many pods run.
    active: Option<i32>,
    /// Which of its indexes have succeeded.
    completed_indexes: Option<String>,
    /// When it succeeded.
    #[schemars(extend("format" = "date-time"))]
    completion_time: Option<String>,
    /// What is known of it.
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    conditions: Option<Vec<JobCondition>>,
    /// How many pods have failed.
    failed: Option<i32>,
    /// How many pods are ready.
    ready: Option<i32>,
    /// When it began.
    #[schemars(extend("format" = "date-time"))]
    start_time: Option<String>,
    /// How many pods have succeeded.
    succeeded: Option<i32>,
    /// Pods that have ended and are not counted yet.
    uncounted_terminated_pods: Option<Uncounted>,
}

/// Something that is known of a job.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is of use")]
struct JobCondition {
    /// When it was looked at last.
    #[schemars(extend("format" = "date-time"))]
    last_probe_time: Option<String>,
    /// Since when it is so.
    #[schemars(extend("format" = "date-time"))]
    last_transition_time: Option<String>,
    /// Why, in a sentence.
    message: Option<String>,
    /// Why, in a word.
    reason: Option<String>,
    /// Whether it is so: `True`, `False` or `Unknown`.
    status: String,
    /// What is known, such as `Complete` or `Failed`.
    #[schemars(rename = "type")]
    kind: String,
}

/// Pods that have ended and are not counted yet.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is of use")]
struct Uncounted {
    /// The UIDs of those that failed.
    #[schemars(extend("x-kubernetes-list-type" = "set"))]
    failed: Option<Vec<String>>,
    /// The UIDs of those that succeeded.
    #[schemars(extend("x-kubernetes-list-type" = "set"))]
    succeeded: Option<Vec<String>>,
}
