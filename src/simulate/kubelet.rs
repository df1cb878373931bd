//! What pods do by themselves: they are put on machines, wait for their volumes, start, catch up,
//! halt at upgrades, and go.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::admission;
use super::chain;
use super::fault::Fault;
use super::log::What;
use super::objects::{Id, foreign_finalizer, put, text};
use super::pod::{Name, Pod, Stage};
use super::world::{Event, World, is_named};

impl World {
    /// Makes a pod, as far as the API server and the scheduler go.
    pub(super) fn begin(&mut self, mut object: Value) {
        let (namespace, name) = {
            let metadata = &object["metadata"];
            (
                text(&metadata["namespace"]).to_owned(),
                text(&metadata["name"]).to_owned(),
            )
        };
        let name: Name = (namespace, name);
        let node = self.machine_for(&name, &object);
        admission::admit(&mut object, &node);
        let now = self.clock.stamp();
        put(
            &mut object,
            &["status"],
            json!({"phase": "Pending", "startTime": now,
                "conditions": [{"type": "Ready", "status": "False", "lastTransitionTime": now}]}),
        );
        let pod = self.new_pod(&object);
        self.objects.insert(object);
        self.enlist(&name, pod);
        self.told(&name, What::Begins);
        self.try_start(&name);
    }

    /// Returns the machine that a new pod comes to: its former one, or that with the fewest pods.
    fn machine_for(&self, name: &Name, object: &Value) -> String {
        let asked = text(&object["spec"]["nodeName"]);
        if !asked.is_empty() {
            return asked.to_owned();
        }
        let mut loads: BTreeMap<&str, usize> = BTreeMap::new();
        for pod in self.pods.values().filter(|pod| !pod.node.is_empty()) {
            *loads.entry(&pod.node).or_default() += 1;
        }
        for claim in self.mounted_by(name, object) {
            let selected = &claim["metadata"]["annotations"]["volume.kubernetes.io/selected-node"];
            if let Some(node) = selected.as_str().filter(|node| !self.lost.contains(*node)) {
                return node.to_owned();
            }
        }
        loads.retain(|node, _| !self.lost.contains(*node));
        let least = loads.into_iter().min_by_key(|(node, load)| (*load, *node));
        least.map_or("machine-1", |(node, _)| node).to_owned()
    }

    /// Goes on with what a pod does.
    pub(super) fn resume(&mut self, name: &Name, stage: &Stage) {
        let Some(pod) = self.pods.get_mut(name) else {
            return;
        };
        let estimates = {
            pod.stage = stage.clone();
            let fleet = pod.fleet.clone();
            self.estimates(fleet.as_ref())
        };
        self.phase(name);
        match stage {
            Stage::Waiting(_) => self.try_start(name),
            Stage::Starting => self.soon(name, estimates.start, Event::Started),
            Stage::CatchingUp => self.soon(name, estimates.sync, Event::Synced),
            Stage::InSync => self.follow(name),
            Stage::Halted(_) | Stage::Down(_) => {}
        }
    }

    /// Lets a pod's next step happen, later where it is slow.
    pub(super) fn soon(&mut self, name: &Name, seconds: i64, event: fn(Name, String) -> Event) {
        let mut times = 1;
        for assumed in &mut self.faults {
            if let Fault::Slow { pod, times: slow } = &assumed.fault
                && is_named(pod, name)
            {
                assumed.happened = true;
                times = i64::from(*slow);
            }
        }
        if let Some(pod) = self.pods.get(name) {
            let event = event(name.clone(), pod.uid.clone());
            self.clock.after(seconds.saturating_mul(times), event);
        }
    }

    /// Starts a pod where it has all that it needs.
    pub(super) fn try_start(&mut self, name: &Name) {
        let Some(pod) = self.pods.get(name) else {
            return;
        };
        if !matches!(pod.stage, Stage::Waiting(_)) || pod.is_leaving {
            return;
        }
        let claims = pod.claims.clone();
        let fleet = pod.fleet.clone();
        let lacks = self.lacks(name, &claims);
        let Some(pod) = self.pods.get_mut(name) else {
            return;
        };
        if let Some(why) = lacks {
            pod.stage = Stage::Waiting(why);
            self.phase(name);
            return;
        }
        pod.stage = Stage::Starting;
        let estimates = self.estimates(fleet.as_ref());
        let mut is_fresh = false;
        for claim in claims {
            is_fresh |= self.fresh.remove(&claim_id(&name.0, claim));
        }
        let seconds = if is_fresh {
            estimates.start.saturating_add(estimates.restore)
        } else {
            estimates.start
        };
        self.told(name, if is_fresh { What::Fills } else { What::Starts });
        self.phase(name);
        self.soon(name, seconds, Event::Started);
    }

    /// Returns what a pod lacks to start, having asked for it.
    fn lacks(&mut self, name: &Name, claims: &[String]) -> Option<String> {
        let mut lacks = None;
        for claim in claims {
            let id = claim_id(&name.0, claim.clone());
            let is_own = claim.strip_prefix("pvc-").is_some();
            let why = match self.objects.get(&id) {
                // what is not the fleet's is its owner's business, and need not be in the snapshot
                None if !is_own => None,
                None => Some(format!("its claim {claim} is not there")),
                Some(found) if super::objects::is_leaving(found) => {
                    Some(format!("its claim {claim} is on its way out"))
                }
                Some(found) if found["status"]["phase"] == "Pending" => Some(self.bind_first(&id)),
                Some(_) => None,
            };
            lacks = lacks.or(why);
        }
        lacks
    }

    /// A pod's containers run.
    pub(super) fn started(&mut self, name: &Name) {
        for assumed in &mut self.faults {
            if let Fault::NeverReady { pod } = &assumed.fault
                && is_named(pod, name)
            {
                assumed.happened = true;
                return self.fail(name, "it never gets ready, as was assumed");
            }
        }
        if let Some(why) = self.cannot_run(name) {
            return self.fail(name, &why);
        }
        let Some(pod) = self.pods.get_mut(name) else {
            return;
        };
        let (is_main, fleet) = (pod.is_main, pod.fleet.clone());
        pod.stage = Stage::CatchingUp;
        let claims = pod.claims.clone();
        self.file_systems_grow(&name.0, &claims);
        self.running(name);
        self.phase(name);
        if is_main {
            self.told(name, What::Answers);
            let estimates = self.estimates(fleet.as_ref());
            self.soon(name, estimates.sync, Event::Synced);
        } else {
            self.synced(name);
        }
    }

    /// Returns why a node cannot run: it has a binary for a height that it has not reached.
    fn cannot_run(&mut self, name: &Name) -> Option<String> {
        let pod = self.pods.get(name).filter(|pod| pod.is_main)?.clone();
        let fleet = pod.fleet.as_ref()?;
        let object = self.objects.get(&pod_id(name))?;
        let image = chain::image(object).to_owned();
        let key = (fleet.clone(), pod.instance.clone());
        let before = self.images.insert(key, image.clone());
        let chain = self.fleets.get(fleet)?.chain.as_ref()?;
        let committed = chain.committed(&pod.instance)?;
        let height = chain.too_new(&image, committed)?;
        let is_new = before.is_some_and(|before| before != image);
        if !is_new {
            return None;
        }
        let message = format!(
            "{} gets the version of height {height} though it is at {committed} and has not halted",
            name.1
        );
        let at = self.clock.elapsed();
        self.log.breach(at, fleet, message);
        Some(format!(
            "its binary is for height {height}, which it has not reached"
        ))
    }

    /// A pod's node has caught up, or has come to an upgrade on the way.
    pub(super) fn synced(&mut self, name: &Name) {
        let now = self.clock.now();
        let object = self.objects.get(&pod_id(name));
        let image = object.map(chain::image).unwrap_or_default().to_owned();
        let Some(pod) = self.pods.get_mut(name) else {
            return;
        };
        let chain = pod.fleet.as_ref().and_then(|key| self.fleets.get_mut(key));
        let chain = chain
            .and_then(|fleet| fleet.chain.as_mut())
            .filter(|_| pod.is_main);
        if let Some(chain) = chain {
            let head = chain.head(now);
            let from = chain.committed(&pod.instance).unwrap_or(head);
            let halt = chain
                .next_halt(&image, from)
                .filter(|height| *height <= head);
            if let Some(height) = halt {
                return self.halt(name, height);
            }
            chain.note(&pod.instance, head.max(from));
        }
        pod.stage = Stage::InSync;
        let what = if pod.is_main {
            What::InSync
        } else {
            What::Ready
        };
        self.ready(name, "True");
        self.told(name, what);
        self.has_served(name);
        self.phase(name);
        self.follow(name);
    }

    /// Foresees at which height a node that follows the chain stops.
    fn follow(&mut self, name: &Name) {
        let (now, elapsed) = (self.clock.now(), self.clock.elapsed());
        let Some(pod) = self.pods.get(name).filter(|pod| pod.is_main) else {
            return;
        };
        let Some(object) = self.objects.get(&pod_id(name)) else {
            return;
        };
        let image = chain::image(object);
        let Some(fleet) = pod.fleet.clone() else {
            return;
        };
        let key = (fleet.clone(), pod.instance.clone());
        self.images.insert(key, image.to_owned());
        let chain = self
            .fleets
            .get(&fleet)
            .and_then(|fleet| fleet.chain.as_ref());
        let Some(chain) = chain.filter(|chain| chain.has_versions()) else {
            return;
        };
        let Some(height) = chain.next_halt(image, chain.head(now)) else {
            return;
        };
        let left = chain.until(height, now);
        if elapsed.saturating_add(left) <= self.horizon {
            let event = Event::Halts(name.clone(), pod.uid.clone(), height);
            self.clock.after(left, event);
        } else {
            self.beyond.insert((fleet, height), left);
        }
    }

    /// A node stops before a height, as its upgrade asks.
    pub(super) fn halt(&mut self, name: &Name, height: u64) {
        let Some(pod) = self.pods.get_mut(name) else {
            return;
        };
        pod.stage = Stage::Halted(height);
        let chain = pod.fleet.as_ref().and_then(|key| self.fleets.get_mut(key));
        if let Some(chain) = chain.and_then(|fleet| fleet.chain.as_mut()) {
            chain.note(&pod.instance, height.saturating_sub(1));
        }
        self.disturbed.extend(pod.fleet.clone());
        self.ready(name, "False");
        let state = json!({"waiting": {"reason": "CrashLoopBackOff"}});
        let last = json!({"terminated": {"exitCode": 2, "reason": "Error"}});
        self.process(name, (state, last));
        self.told(name, What::Halted(height));
        self.phase(name);
    }

    /// Deletes a pod: it goes once its containers have stopped.
    pub(super) fn leave(&mut self, name: &Name) {
        let id = pod_id(name);
        let Some(pod) = self.pods.get_mut(name).filter(|pod| !pod.is_leaving) else {
            return;
        };
        pod.is_leaving = true;
        let pod = pod.clone();
        self.note_height(&pod);
        let Some(object) = self.objects.get_mut(&id) else {
            return;
        };
        let grace = object["spec"]["terminationGracePeriodSeconds"].as_i64();
        let grace = grace.unwrap_or(30);
        let is_held = foreign_finalizer(object).is_some();
        let due = super::clock::stamp(self.clock.now().saturating_add(grace));
        put(object, &["metadata", "deletionTimestamp"], json!(due));
        let runs = !matches!(pod.stage, Stage::Waiting(_));
        let stop = self.estimates(pod.fleet.as_ref()).stop;
        let seconds = if runs { stop.min(grace) } else { 1 };
        if !is_held && !self.lost.contains(&pod.node) {
            self.clock.after(seconds, Event::Gone(id, pod.uid));
        }
        self.phase(name);
    }

    /// Remembers how far a node was that followed the chain.
    pub(super) fn note_height(&mut self, pod: &Pod) {
        let now = self.clock.now();
        let chain = pod.fleet.as_ref().and_then(|key| self.fleets.get_mut(key));
        let chain = chain.and_then(|fleet| fleet.chain.as_mut());
        if let Some(chain) = chain.filter(|_| pod.is_main && pod.stage == Stage::InSync) {
            let head = chain.head(now);
            chain.note(&pod.instance, head);
        }
    }
}

/// Returns the id of a pod.
pub(super) fn pod_id((namespace, name): &Name) -> Id {
    ("Pod".to_owned(), namespace.clone(), name.clone())
}

/// Returns the id of a claim.
pub(super) fn claim_id(namespace: &str, claim: String) -> Id {
    (
        "PersistentVolumeClaim".to_owned(),
        namespace.to_owned(),
        claim,
    )
}
