//! An object as a watch tells of it, without the list of who wrote which field: that is as long as
//! the rest, and nobody reads it.

use std::borrow::Cow;
use std::fmt;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use kube::core::{ApiResource, DynamicResourceScope};
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::{Map, Value};

/// Who wrote which field.
const WRITERS: &str = "managedFields";

/// An object: all of it, and what a watch needs of its metadata.
#[derive(Debug, Clone)]
pub(super) struct Told {
    metadata: ObjectMeta,
    pub(super) object: Value,
}

impl<'de> Deserialize<'de> for Told {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let object = deserializer.deserialize_map(Members { of_object: true })?;
        let text = |name: &str| {
            let metadata = object.get("metadata");
            let value = metadata.and_then(|metadata| metadata[name].as_str());
            value.map(str::to_owned)
        };
        let metadata = ObjectMeta {
            name: text("name"),
            namespace: text("namespace"),
            uid: text("uid"),
            resource_version: text("resourceVersion"),
            ..ObjectMeta::default()
        };
        Ok(Self {
            metadata,
            object: Value::Object(object),
        })
    }
}

/// Reads the members of an object, or of its metadata.
struct Members {
    of_object: bool,
}

impl<'de> Visitor<'de> for Members {
    type Value = Map<String, Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Self::Value, A::Error> {
        let mut members = Map::new();
        while let Some(name) = from.next_key::<String>()? {
            let value = match (self.of_object, name.as_str()) {
                (true, "metadata") => {
                    Value::Object(from.next_value_seed(Members { of_object: false })?)
                }
                (false, WRITERS) => {
                    from.next_value::<IgnoredAny>()?;
                    continue;
                }
                (_, _) => from.next_value()?,
            };
            members.insert(name, value);
        }
        Ok(members)
    }
}

impl<'de> DeserializeSeed<'de> for Members {
    type Value = Map<String, Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl Resource for Told {
    type DynamicType = ApiResource;
    type Scope = DynamicResourceScope;

    fn kind(of: &ApiResource) -> Cow<'_, str> {
        of.kind.as_str().into()
    }

    fn group(of: &ApiResource) -> Cow<'_, str> {
        of.group.as_str().into()
    }

    fn version(of: &ApiResource) -> Cow<'_, str> {
        of.version.as_str().into()
    }

    fn api_version(of: &ApiResource) -> Cow<'_, str> {
        of.api_version.as_str().into()
    }

    fn plural(of: &ApiResource) -> Cow<'_, str> {
        of.plural.as_str().into()
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn all_but_who_wrote_what_is_taken_up() {
        let text = r#"{"spec": {"managedFields": 1}, "metadata": {"name": "a", "namespace": "b",
            "managedFields": [{"fieldsV1": {"f:metadata": {}}}], "uid": "u", "labels": {"x": "y"},
            "resourceVersion": "7"}, "managedFields": 2}"#;
        let told: Told = serde_json::from_str(text).unwrap();
        assert_eq!(
            told.object,
            json!({"spec": {"managedFields": 1}, "managedFields": 2, "metadata": {"name": "a",
                "namespace": "b", "uid": "u", "labels": {"x": "y"}, "resourceVersion": "7"}})
        );
        let meta = told.meta();
        assert_eq!(meta.name.as_deref(), Some("a"));
        assert_eq!(meta.namespace.as_deref(), Some("b"));
        assert_eq!(meta.uid.as_deref(), Some("u"));
        assert_eq!(meta.resource_version.as_deref(), Some("7"));
    }
}
