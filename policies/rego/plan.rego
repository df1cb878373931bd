# Rules of an owner over a plan (`cosmos-render plan -o json`), for conftest:
#
#     conftest test --policy policies/rego --data limits.yaml plan.json
#
# They are examples: take those that fit, and change the limits. The form of a plan is what
# `cosmos-render schema plan` says.
package main

import rego.v1

# What may be at most, unless the data that conftest is given says otherwise.
default max_restarts := 10

max_restarts := data.limits.max_restarts

# A snapshot may be so old, in seconds.
default max_age := 3600

max_age := data.limits.max_age

steps contains {"fleet": fleet, "wave": number, "step": step} if {
	some fleet in input.fleets
	some number, wave in fleet.waves
	some step in wave.steps
}

name(object) := sprintf("%s %s/%s", [object.kind, object.namespace, object.name])

codes(step) := concat(", ", [reason.code | some reason in step.reasons])

deny contains message if {
	input.kind == "Plan"
	not startswith(input.formatVersion, "1.")
	message := sprintf("these rules know plans of format 1, and this one is of %s", [input.formatVersion])
}

deny contains message if {
	some found in steps
	found.step.impact == "data-loss"
	message := sprintf("data is lost: %s (%s)", [name(found.step.object), codes(found.step)])
}

deny contains message if {
	some found in steps
	found.step.impact == "identity-change"
	message := sprintf("another node to its peers: %s", [name(found.step.object)])
}

deny contains message if {
	input.summary.restart > max_restarts
	message := sprintf("%d nodes restart, and at most %d may", [input.summary.restart, max_restarts])
}

# A validator's fleet has a budget of one: whoever restarts two of its nodes at once asked for more.
deny contains message if {
	some fleet in input.fleets
	endswith(fleet.name, "-validator")
	some wave in fleet.waves
	restarts := [step | some step in wave.steps; step.object.kind == "Pod"; step.action == "replace"]
	count(restarts) > 1
	message := sprintf("%s/%s: %d validators restart at once", [fleet.namespace, fleet.name, count(restarts)])
}

warn contains message if {
	input.inputs.snapshotAge > max_age
	message := sprintf("the snapshot is %d s old: capture a new one", [input.inputs.snapshotAge])
}

warn contains message if {
	some fleet in input.fleets
	some blocked in fleet.blocked
	message := sprintf("%s/%s: blocked: %s", [fleet.namespace, fleet.name, blocked.message])
}
