//! Two trees, side by side: lists of objects with names are compared by those names, as
//! Kubernetes merges them; what an API server fills in by itself is no difference.

use serde_json::Value;

use crate::plan::{Change, Effect};

/// What a reader of two trees must know about the kind of object that they are.
pub(super) trait Rules {
    /// Tells whether a field that is only live is what Kubernetes would have filled in, or what
    /// admission adds. `path` is the field's; `parent` is the wanted object that lacks it.
    fn is_filled_in(&self, path: &str, live: &Value, parent: &Value) -> bool;

    /// Tells whether two values that are spelt differently mean the same.
    fn is_same(&self, path: &str, wanted: &Value, live: &Value) -> bool;

    /// Returns the member by which the entries of a list are told apart.
    fn key_of(&self, field: &str) -> Option<&'static str>;

    /// Tells whether a list is a set, so that the places of its entries say nothing: it differs as a
    /// whole.
    fn is_set(&self, _path: &str) -> bool {
        false
    }
}

/// Every difference counts.
pub(super) struct Strict;

impl Rules for Strict {
    fn is_filled_in(&self, _path: &str, _live: &Value, _parent: &Value) -> bool {
        false
    }

    fn is_same(&self, _path: &str, _wanted: &Value, _live: &Value) -> bool {
        false
    }

    fn key_of(&self, _field: &str) -> Option<&'static str> {
        None
    }
}

/// Returns all differences between two trees. The effects are `in place` until the owner of the
/// trees says otherwise.
pub(super) fn changes(path: &str, wanted: &Value, live: &Value, rules: &impl Rules) -> Vec<Change> {
    let mut walk = Walk {
        rules,
        changes: Vec::new(),
    };
    walk.value(path, wanted, live);
    walk.changes
}

/// Tells whether a value says no more than its absence does.
pub(super) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Adds a member's name to a path; names with dots or slashes go into brackets.
fn member(path: &str, name: &str) -> String {
    if name.contains(['.', '/']) {
        format!("{path}[{name}]")
    } else {
        format!("{path}.{name}")
    }
}

struct Walk<'r, R> {
    rules: &'r R,
    changes: Vec<Change>,
}

impl<R: Rules> Walk<'_, R> {
    fn value(&mut self, path: &str, wanted: &Value, live: &Value) {
        if wanted == live || self.rules.is_same(path, wanted, live) {
            return;
        }
        match (wanted, live) {
            (Value::Object(_), Value::Object(_)) => self.object(path, wanted, live),
            (Value::Array(wanted_items), Value::Array(live_items)) => {
                let field = path.rsplit('.').next().unwrap_or(path);
                match self.rules.key_of(field) {
                    Some(key) => self.keyed(path, key, wanted_items, live_items),
                    None => self.list(path, wanted_items, live_items),
                }
            }
            _ if is_empty(wanted) && is_empty(live) => {}
            _ => self.record(path, Some(wanted), Some(live)),
        }
    }

    fn object(&mut self, path: &str, wanted: &Value, live: &Value) {
        let (Some(wanted_members), Some(live_members)) = (wanted.as_object(), live.as_object())
        else {
            return;
        };
        for (name, value) in wanted_members {
            let path = member(path, name);
            match live_members.get(name) {
                Some(live) => self.value(&path, value, live),
                None if is_empty(value) || self.rules.is_same(&path, value, &Value::Null) => {}
                None => self.record(&path, Some(value), None),
            }
        }
        for (name, value) in live_members {
            if wanted_members.contains_key(name) || is_empty(value) {
                continue;
            }
            let path = member(path, name);
            if !self.rules.is_filled_in(&path, value, wanted) {
                self.only_live(&path, value);
            }
        }
    }

    /// Takes apart what is only live, so that a list that admission filled in is no difference.
    fn only_live(&mut self, path: &str, live: &Value) {
        let field = path.rsplit('.').next().unwrap_or(path);
        match (live, self.rules.key_of(field)) {
            (Value::Array(items), Some(key)) => self.keyed(path, key, &[], items),
            _ => self.record(path, None, Some(live)),
        }
    }

    fn keyed(&mut self, path: &str, key: &str, wanted: &[Value], live: &[Value]) {
        let name_of = |item: &Value| {
            let text = item[key].as_str().map(str::to_owned);
            text.unwrap_or_else(|| item[key].to_string())
        };
        let entry = |item: &Value| format!("{path}[{key}={}]", name_of(item));
        let mut used = vec![false; live.len()];
        let mut order = Vec::new();
        for item in wanted {
            let unused = |&i: &usize| !used[i];
            let twin = (0..live.len()).filter(unused).find(|&i| live[i] == *item);
            let namesake = || {
                (0..live.len())
                    .filter(unused)
                    .find(|&i| live[i][key] == item[key])
            };
            match twin.or_else(namesake) {
                Some(i) => {
                    used[i] = true;
                    order.push(i);
                    self.value(&entry(item), item, &live[i]);
                }
                None => self.record(&entry(item), Some(item), None),
            }
        }
        for (item, _) in live.iter().zip(&used).filter(|(_, used)| !**used) {
            let path = entry(item);
            if !self.rules.is_filled_in(&path, item, &Value::Null) {
                self.record(&path, None, Some(item));
            }
        }
        if !order.is_sorted() {
            let names = |items: &mut dyn Iterator<Item = &Value>| -> Value {
                items.map(name_of).collect::<Vec<_>>().into()
            };
            let live_names =
                names(&mut live.iter().zip(&used).filter(|(_, u)| **u).map(|(l, _)| l));
            let wanted_names = names(&mut wanted.iter());
            self.record(
                &format!("{path}.order"),
                Some(&wanted_names),
                Some(&live_names),
            );
        }
    }

    fn list(&mut self, path: &str, wanted: &[Value], live: &[Value]) {
        let has_parts = |items: &[Value]| items.iter().all(Value::is_object);
        let has_places = wanted.len() == live.len() && !self.rules.is_set(path);
        if has_places && has_parts(wanted) && has_parts(live) {
            for (i, (wanted, live)) in wanted.iter().zip(live).enumerate() {
                self.value(&format!("{path}[{i}]"), wanted, live);
            }
        } else {
            let whole = |items: &[Value]| Value::Array(items.to_vec());
            self.record(path, Some(&whole(wanted)), Some(&whole(live)));
        }
    }

    fn record(&mut self, path: &str, wanted: Option<&Value>, live: Option<&Value>) {
        self.changes.push(Change {
            path: path.to_owned(),
            from: live.cloned(),
            to: wanted.cloned(),
            effect: Effect::InPlace,
        });
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::defaults::OfPod;
    use super::*;

    #[track_caller]
    fn check(wanted: &Value, live: &Value, expected: &[&str]) {
        let rules = OfPod {
            has_limit_range: false,
        };
        let changes = changes("spec", wanted, live, &rules);
        let paths: Vec<&str> = changes.iter().map(|change| change.path.as_str()).collect();
        assert_eq!(paths, expected);
    }

    #[expect(clippy::needless_pass_by_value, reason = "tests read better so")]
    fn pod(node: Value) -> Value {
        json!({ "containers": [node] })
    }

    #[test]
    fn what_is_empty_in_another_way_is_no_difference() {
        check(&json!({"a": {}}), &json!({"a": null}), &[]);
        check(&json!({"a": []}), &json!({"a": {}}), &[]);
        check(&json!({"a": []}), &json!({"a": {"b": 1}}), &["spec.a"]);
        check(&json!({"a": [1]}), &json!({"a": {}}), &["spec.a"]);
    }

    #[test]
    fn tolerations_differ_as_a_whole_even_where_there_are_as_many() {
        let of = |keys: [&str; 2]| {
            let all = keys.map(|key| json!({"key": key, "operator": "Exists"}));
            json!({"tolerations": all})
        };
        let live = of([
            "node.kubernetes.io/not-ready",
            "node.kubernetes.io/unreachable",
        ]);
        check(&of(["a", "b"]), &live, &["spec.tolerations"]);
        check(&of(["a", "b"]), &of(["c", "d"]), &["spec.tolerations"]);
        check(&of(["a", "b"]), &of(["b", "a"]), &[]);
    }

    #[test]
    fn a_list_of_parts_that_is_longer_differs_as_a_whole() {
        let (one, two) = (json!([{"b": 1}]), json!([{"b": 1}, {"b": 2}]));
        check(&json!({"a": two}), &json!({"a": one}), &["spec.a"]);
        check(&json!({"a": one}), &json!({"a": two}), &["spec.a"]);
        check(&json!({"a": [1]}), &json!({"a": one}), &["spec.a"]);
        check(
            &json!({"a": [{"b": 2}]}),
            &json!({"a": one}),
            &["spec.a[0].b"],
        );
    }

    #[test]
    fn what_an_api_server_fills_in_is_no_difference() {
        let wanted = pod(json!({
            "name": "node", "image": "hub:v1", "ports": [{"containerPort": 1}],
            "readinessProbe": {"httpGet": {"port": 1}},
            "resources": {"limits": {"cpu": "1"}},
        }));
        let mut live = pod(json!({
            "name": "node", "image": "hub:v1", "imagePullPolicy": "IfNotPresent",
            "ports": [{"containerPort": 1, "protocol": "TCP"}],
            "readinessProbe": {
                "httpGet": {"port": 1, "path": "/", "scheme": "HTTP"}, "timeoutSeconds": 1,
                "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3
            },
            "resources": {"limits": {"cpu": "1000m"}, "requests": {"cpu": "1"}},
            "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
            "volumeMounts": [{
                "name": "kube-api-access-x", "readOnly": true,
                "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"
            }],
        }));
        live["nodeName"] = json!("node-1");
        live["volumes"] = json!([{"name": "kube-api-access-x", "projected": {"defaultMode": 420}}]);
        live["tolerations"] =
            json!([{"key": "node.kubernetes.io/not-ready", "effect": "NoExecute"}]);
        check(&wanted, &live, &[]);
    }

    #[test]
    fn entries_are_compared_by_name_wherever_they_stand() {
        let env = |a: &str, b: &str| {
            pod(json!({"name": "node", "env": [
                {"name": a, "value": "1"}, {"name": b, "value": "2"}]}))
        };
        check(&env("A", "B"), &env("A", "B"), &[]);
        check(
            &env("A", "B"),
            &env("A", "C"),
            &[
                "spec.containers[name=node].env[name=B]",
                "spec.containers[name=node].env[name=C]",
            ],
        );
    }

    #[test]
    fn of_what_is_compared_strictly_every_difference_counts() {
        let rule = |verbs: &[&str]| json!([{"resources": ["pods"], "verbs": verbs}]);
        let found = |wanted: &Value, live: &Value| -> Vec<String> {
            let changes = changes("rules", wanted, live, &Strict);
            changes.into_iter().map(|change| change.path).collect()
        };
        let empty: [&str; 0] = [];
        assert_eq!(found(&rule(&["get"]), &rule(&["get"])), empty);
        assert_eq!(found(&rule(&["get"]), &rule(&["list"])), ["rules[0].verbs"]);
        let mut more = rule(&["get"]);
        more[0]["resourceNames"] = json!(["a"]);
        assert_eq!(found(&rule(&["get"]), &more), ["rules[0].resourceNames"]);
    }

    #[test]
    fn a_value_that_is_only_live_was_taken_away() {
        check(
            &pod(json!({"name": "node", "args": ["start"]})),
            &pod(
                json!({"name": "node", "args": ["start", "-x"], "livenessProbe": {"exec": {"command": ["a"]}}}),
            ),
            &[
                "spec.containers[name=node].args",
                "spec.containers[name=node].livenessProbe",
            ],
        );
        check(
            &json!({}),
            &json!({"nodeSelector": {"a": "b"}}),
            &["spec.nodeSelector"],
        );
    }

    #[test]
    fn an_empty_value_is_no_value() {
        check(&json!({"affinity": {}, "tolerations": []}), &json!({}), &[]);
        check(&json!({}), &json!({"securityContext": {}}), &[]);
    }

    #[test]
    fn a_wanted_default_that_is_not_written_is_there() {
        check(
            &json!({"terminationGracePeriodSeconds": 30}),
            &json!({}),
            &[],
        );
        check(
            &json!({"terminationGracePeriodSeconds": 60}),
            &json!({}),
            &["spec.terminationGracePeriodSeconds"],
        );
    }

    #[test]
    fn a_key_with_dots_stands_in_brackets() {
        check(
            &json!({"nodeSelector": {"kubernetes.io/arch": "arm64"}}),
            &json!({"nodeSelector": {"kubernetes.io/arch": "amd64"}}),
            &["spec.nodeSelector[kubernetes.io/arch]"],
        );
    }
}
