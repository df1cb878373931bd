//! `ServiceAccount`, `Role` and `RoleBinding` of the version check. Knows nothing of pods.

use serde_json::json;

use crate::desired::fleet::{Fleet, Made, members};
use crate::desired::{Manifest, Role, labels};
use crate::model::{Kind, names};

/// Builds all three, or none where the owner brings a service account: the reference applies none
/// of them then.
pub(crate) fn build(fleet: &Fleet<'_>) -> Vec<Manifest> {
    if !fleet.spec().service_account_name.is_empty() {
        return Vec::new();
    }
    let made = |parts| Made {
        labels: labels::with(fleet, &[(names::COMPONENT, "vc")]),
        parts,
        ..Made::default()
    };
    let object =
        |kind, name: &str, parts| fleet.manifest(Role::Access, fleet.key(kind, name), made(parts));
    let account = fleet.service_account();
    let role = format!("{}-vc-r", fleet.node.key.name);
    let binding = format!("{}-vc-rb", fleet.node.key.name);
    let group = fleet.node.api_version.split('/').next().unwrap_or_default();
    let rules = json!([
        {"apiGroups": [""], "resources": ["namespaces", "pods"], "verbs": ["get", "list"]},
        {"apiGroups": [group], "resources": ["cosmosfullnodes"], "verbs": ["get"]},
        {"apiGroups": [group], "resources": ["cosmosfullnodes/status"], "verbs": ["patch"]},
    ]);
    let subjects = json!([
        {"kind": "ServiceAccount", "name": account, "namespace": fleet.namespace()},
    ]);
    let role_ref = json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": role});
    vec![
        object(Kind::ServiceAccount, &account, members([])),
        object(Kind::Role, &role, members([("rules", rules)])),
        object(
            Kind::RoleBinding,
            &binding,
            members([("subjects", subjects), ("roleRef", role_ref)]),
        ),
    ]
}
