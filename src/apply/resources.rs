//! Where an API server keeps objects of each kind. Knows no cluster.

use kube::core::{ApiResource, DynamicObject, Request, Resource};

use crate::model::{Kind, ObjectKey};

/// Where the objects of a kind are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The kind.
    pub kind: Kind,
    /// Its group, version and plural.
    pub resource: ApiResource,
}

impl Place {
    /// Returns where the objects of a kind are in this group and version.
    #[must_use]
    pub fn of(kind: Kind, api_version: &str) -> Self {
        let (group, version) = api_version.rsplit_once('/').unwrap_or(("", api_version));
        let resource = ApiResource {
            group: group.to_owned(),
            version: version.to_owned(),
            api_version: api_version.to_owned(),
            kind: kind.as_str().to_owned(),
            plural: plural(kind).to_owned(),
        };
        Self { kind, resource }
    }

    /// Returns where the objects of a kind are that every cluster has.
    #[must_use]
    pub fn known(kind: Kind) -> Self {
        Self::of(kind, kind.api_version())
    }

    /// Returns where one object is.
    #[must_use]
    pub fn holding(object: &ObjectKey) -> Self {
        Self::of(object.kind, &object.api_version)
    }

    /// Returns the namespaces in which the kind's objects are asked for one by one; one that is none
    /// where all are asked for at once.
    #[must_use]
    pub fn among<'n>(&self, namespaces: &'n [String]) -> Vec<Option<&'n str>> {
        if namespaces.is_empty() || !self.kind.is_namespaced() {
            return vec![None];
        }
        namespaces.iter().map(|one| Some(one.as_str())).collect()
    }

    /// Returns how to ask for the kind's objects, of one namespace or of all.
    #[must_use]
    pub fn requests(&self, namespace: Option<&str>) -> Request {
        let namespace = namespace.filter(|_| self.kind.is_namespaced());
        Request::new(DynamicObject::url_path(&self.resource, namespace))
    }
}

fn plural(kind: Kind) -> &'static str {
    match kind {
        Kind::StorageClass => "storageclasses",
        Kind::PersistentVolume => "persistentvolumes",
        Kind::VolumeSnapshot => "volumesnapshots",
        Kind::CosmosFullNode => "cosmosfullnodes",
        Kind::NodeIdentities => "nodeidentities",
        Kind::Secret => "secrets",
        Kind::ServiceAccount => "serviceaccounts",
        Kind::Role => "roles",
        Kind::RoleBinding => "rolebindings",
        Kind::Service => "services",
        Kind::ConfigMap => "configmaps",
        Kind::PersistentVolumeClaim => "persistentvolumeclaims",
        Kind::Pod => "pods",
    }
}

#[cfg(test)]
mod tests {
    use kube::core::params::ListParams;

    use super::*;

    #[track_caller]
    fn check(place: &Place, namespace: Option<&str>, expected: &str) {
        let request = place.requests(namespace).list(&ListParams::default());
        let uri = request.unwrap().uri().to_string();
        assert_eq!(uri.trim_end_matches(['?', '&']), expected);
    }

    #[test]
    fn each_kind_is_asked_for_where_the_api_server_keeps_it() {
        check(
            &Place::known(Kind::Pod),
            Some("a"),
            "/api/v1/namespaces/a/pods",
        );
        check(&Place::known(Kind::Pod), None, "/api/v1/pods");
        check(
            &Place::known(Kind::StorageClass),
            Some("a"),
            "/apis/storage.k8s.io/v1/storageclasses",
        );
        check(
            &Place::of(Kind::CosmosFullNode, "cosmos.example.com/v1"),
            Some("a"),
            "/apis/cosmos.example.com/v1/namespaces/a/cosmosfullnodes",
        );
    }
}
