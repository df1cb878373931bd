//! What a user assumes to go wrong, and how it is written: `never-ready=hub-3`, `slow=hub-3:10x`,
//! `bind-late=pvc-hub-3:10m`, `node-lost=worker-03@5m`, `pod-lost=hub-3@5m`, `stop-after=2`.

use std::fmt;

use super::objects::Id;
use super::world::{World, is_named};
use crate::diagnostic::Diagnostic;
use crate::model::duration::Duration;

/// Something that goes wrong.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// A pod that is started never gets ready.
    NeverReady {
        /// The pod.
        pod: String,
    },
    /// A pod takes many times as long to start and to get in sync.
    Slow {
        /// The pod.
        pod: String,
        /// How many times.
        times: u32,
    },
    /// A claim takes longer to get its volume.
    BindLate {
        /// The claim.
        claim: String,
        /// How much longer.
        by: Duration,
    },
    /// A node of the cluster falls silent, and stays so.
    NodeLost {
        /// The node.
        node: String,
        /// How long after the start.
        after: Duration,
    },
    /// A pod is deleted by somebody else: drained, evicted, or by hand.
    PodLost {
        /// The pod.
        pod: String,
        /// How long after the start.
        after: Duration,
    },
    /// Whoever applies the first plan stops after so many waves, and somebody plans again.
    StopAfter {
        /// How many waves.
        waves: usize,
    },
}

/// How faults are written, for people.
pub const FORMS: &str = "never-ready=POD, slow=POD:10x, bind-late=CLAIM:10m, node-lost=MACHINE@5m, \
                         pod-lost=POD@5m, stop-after=WAVES";

impl Fault {
    /// Reads a fault.
    ///
    /// # Errors
    /// Returns what is wrong with it, for people.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (name, rest) = text
            .split_once('=')
            .ok_or_else(|| "a fault is written as NAME=WHAT".to_owned())?;
        if rest.is_empty() {
            return Err(format!("{name} of what?"));
        }
        match name {
            "never-ready" => Ok(Self::NeverReady { pod: plain(rest)? }),
            "slow" => {
                let (pod, times) = parts(rest, ':', "how many times as slow, such as :10x")?;
                let times = times.strip_suffix('x').unwrap_or(times).parse().ok();
                let times = times.filter(|times| (1..=10_000).contains(times));
                let times = times.ok_or_else(|| {
                    "how many times as slow is a whole number from 1 to 10000: slow=hub-3:10x"
                        .to_owned()
                })?;
                Ok(Self::Slow { pod, times })
            }
            "bind-late" => {
                let (claim, by) = parts(rest, ':', "how much later, such as :10m")?;
                let by = Duration::parse(by)?;
                Ok(Self::BindLate { claim, by })
            }
            "node-lost" => {
                let (node, after) = timed(rest)?;
                Ok(Self::NodeLost { node, after })
            }
            "pod-lost" => {
                let (pod, after) = timed(rest)?;
                Ok(Self::PodLost { pod, after })
            }
            "stop-after" => {
                let waves = rest.parse().map_err(|_| {
                    "after how many waves is a whole number: stop-after=2".to_owned()
                })?;
                Ok(Self::StopAfter { waves })
            }
            _ => Err(format!("there is no fault {name}")),
        }
    }
}

/// Returns what is wrong with faults that name what is not there and does not come to be.
pub(super) fn unknown(faults: &[Fault], world: &World) -> Vec<Diagnostic> {
    faults
        .iter()
        .filter_map(|fault| unknown_name(fault, world))
        .collect()
}

fn unknown_name(fault: &Fault, world: &World) -> Option<Diagnostic> {
    let (given, what) = match fault {
        Fault::NeverReady { pod } | Fault::Slow { pod, .. } | Fault::PodLost { pod, .. } => {
            (pod, "Pod")
        }
        Fault::BindLate { claim, .. } => (claim, "PersistentVolumeClaim"),
        Fault::NodeLost { node, .. } => (node, "machine"),
        Fault::StopAfter { .. } => return None,
    };
    let known = names(what, world);
    let is_it =
        |(namespace, name): &(String, String)| is_named(given, &(namespace.clone(), name.clone()));
    if known.iter().any(is_it) {
        return None;
    }
    let message = format!("--fault {fault}: there is no {what} {given}, and none comes to be");
    let fault = Diagnostic::error("unknown-fault", message);
    let bare = given.rsplit('/').next().unwrap_or(given);
    let likeness = |name: &str| strsim::jaro_winkler(bare, name);
    let mut near: Vec<&str> = known.iter().map(|(_, name)| name.as_str()).collect();
    near.sort_by(|a, b| likeness(b).total_cmp(&likeness(a)).then(a.cmp(b)));
    near.dedup();
    near.truncate(3);
    Some(match near.as_slice() {
        [] => fault,
        near => fault.hint(format!("there is {}", near.join(", "))),
    })
}

/// Returns what a fault can name, by namespace and name.
fn names(what: &str, world: &World) -> Vec<(String, String)> {
    if what == "machine" {
        let machines = world.pods.values().map(|pod| pod.node.clone());
        return machines.map(|node| (String::new(), node)).collect();
    }
    let of_kind = world.objects.of_kind(what);
    let there =
        of_kind.map(|((_, namespace, name), _): (&Id, _)| (namespace.clone(), name.clone()));
    let wanted = world.fleets.values().flat_map(|fleet| {
        fleet.wanted.iter().map(move |name| {
            let name = match what {
                "Pod" => name.clone(),
                _ => format!("pvc-{name}"),
            };
            (fleet.key.namespace.clone(), name)
        })
    });
    there.chain(wanted).collect()
}

/// A name without a part that other faults have.
fn plain(text: &str) -> Result<String, String> {
    match text.find([':', '@']) {
        None => Ok(text.to_owned()),
        Some(_) => {
            Err("only a pod is named here: it never gets ready from its start on".to_owned())
        }
    }
}

fn parts<'t>(text: &'t str, mark: char, what: &str) -> Result<(String, &'t str), String> {
    let split = text.split_once(mark).filter(|(name, _)| !name.is_empty());
    let (name, rest) = split.ok_or_else(|| format!("add {what}"))?;
    Ok((name.to_owned(), rest))
}

fn timed(text: &str) -> Result<(String, Duration), String> {
    let Some((name, after)) = text.split_once('@') else {
        return Ok((text.to_owned(), Duration::default()));
    };
    Ok((name.to_owned(), Duration::parse(after)?))
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::NeverReady { pod } => write!(f, "never-ready={pod}"),
            Fault::Slow { pod, times } => write!(f, "slow={pod}:{times}x"),
            Fault::BindLate { claim, by } => write!(f, "bind-late={claim}:{by}"),
            Fault::NodeLost { node, after } => write!(f, "node-lost={node}@{after}"),
            Fault::PodLost { pod, after } => write!(f, "pod-lost={pod}@{after}"),
            Fault::StopAfter { waves } => write!(f, "stop-after={waves}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<&str, &str>) {
        let read = Fault::parse(text).map(|fault| fault.to_string());
        let expected = expected.map(str::to_owned).map_err(str::to_owned);
        assert_eq!(read, expected, "{text}");
    }

    #[test]
    fn faults_are_read_as_they_are_written() {
        for text in [
            "never-ready=hub-3",
            "slow=hub-3:10x",
            "bind-late=pvc-hub-3:10m",
            "node-lost=worker-03@5m",
            "pod-lost=chains/hub-3@0s",
            "stop-after=2",
        ] {
            check(text, Ok(text));
        }
        check("slow=hub-3:10", Ok("slow=hub-3:10x"));
        check("node-lost=worker-03", Ok("node-lost=worker-03@0s"));
    }

    #[test]
    fn what_is_wrong_with_a_fault_is_said() {
        check("hub-3", Err("a fault is written as NAME=WHAT"));
        check("broken=hub-3", Err("there is no fault broken"));
        check("never-ready=", Err("never-ready of what?"));
        check(
            "slow=hub-3",
            Err("add how many times as slow, such as :10x"),
        );
        check("bind-late=:1m", Err("add how much later, such as :10m"));
        check("bind-late=x:5", Err("expected a number with a unit"));
        check(
            "slow=hub-3:0x",
            Err("how many times as slow is a whole number from 1 to 10000: slow=hub-3:10x"),
        );
    }
}
