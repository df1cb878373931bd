package main

import rego.v1

plan(step) := {
	"kind": "Plan",
	"formatVersion": "1.2",
	"inputs": {"snapshotAge": 60},
	"summary": {"restart": 1},
	"fleets": [{
		"namespace": "chains",
		"name": "hub-validator",
		"blocked": [],
		"waves": [{"steps": [step]}],
	}],
}

pod(number) := {
	"action": "replace",
	"object": {"kind": "Pod", "namespace": "chains", "name": sprintf("hub-validator-%d", [number])},
	"impact": "restart",
	"reasons": [{"code": "ImageChanged"}],
}

test_one_restart_may_be if {
	count(deny) == 0 with input as plan(pod(0))
	count(warn) == 0 with input as plan(pod(0))
}

test_lost_data_may_not_be if {
	lost := object.union(pod(0), {
		"action": "delete",
		"object": {"kind": "PersistentVolumeClaim"},
		"impact": "data-loss",
		"reasons": [{"code": "InstanceGone"}],
	})
	"data is lost: PersistentVolumeClaim chains/hub-validator-0 (InstanceGone)" in deny with input as plan(lost)
}

test_another_identity_may_not_be if {
	another := object.union(pod(0), {"impact": "identity-change"})
	count(deny) == 1 with input as plan(another)
}

test_two_validators_may_not_restart_at_once if {
	both := object.union(plan(pod(0)), {"fleets": [{
		"namespace": "chains",
		"name": "hub-validator",
		"blocked": [],
		"waves": [{"steps": [pod(0), pod(1)]}],
	}]})
	"chains/hub-validator: 2 validators restart at once" in deny with input as both
	others := json.patch(both, [{"op": "replace", "path": "fleets/0/name", "value": "hub"}])
	count(deny) == 0 with input as others
}

test_restarts_have_a_limit if {
	many := object.union(plan(pod(0)), {"summary": {"restart": 11}})
	count(deny) == 1 with input as many
	count(deny) == 0 with input as many with data.limits as {"max_restarts": 11}
}

test_an_old_snapshot_is_a_warning if {
	old := object.union(plan(pod(0)), {"inputs": {"snapshotAge": 3601}})
	count(warn) == 1 with input as old
	count(warn) == 0 with input as old with data.limits as {"max_age": 86400}
}

test_an_unknown_age_is_none if {
	unknown := object.union(plan(pod(0)), {"inputs": {"snapshotAge": null}})
	count(warn) == 0 with input as unknown
}

test_what_is_blocked_is_a_warning if {
	held := object.union(plan(pod(0)), {"fleets": [{
		"namespace": "chains",
		"name": "hub",
		"blocked": [{"message": "it waits for its owner"}],
		"waves": [],
	}]})
	"chains/hub: blocked: it waits for its owner" in warn with input as held
}

test_another_format_is_not_judged if {
	other := object.union(plan(pod(0)), {"formatVersion": "2.0"})
	count(deny) == 1 with input as other
}
