//! One run of `apply`, from the first plan to the last gate. Each round captures and plans anew: what
//! was done before shows in the cluster, and nowhere else.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::time::Duration;

use kube::Client;
use tokio::time::{Instant, sleep};

use crate::apply::capture::{Scope, capture};
use crate::apply::index::Index;
use crate::apply::repeats::{MOST, Repeats};
use crate::apply::step::{self, Due};
use crate::apply::{Fault, Why, cluster};
use crate::cli::args::{ApplyArgs, Until};
use crate::cli::policy::Policy;
use crate::cli::terminal::{self, Terminal};
use crate::cli::{Exit, Failure, clock, live};
use crate::diagnostic::Diagnostic;
use crate::model::few::few;
use crate::model::{FleetKey, Kind, ObjectKey, Source};
use crate::pipeline::{self, FleetManifests, Manifests, Options, Outcome, Request};
use crate::plan::{Action, Condition, FleetPlan, Gate, Plan, Step};
use crate::render::text;
use crate::settings::Settings;

use super::CONSEQUENCE;

/// How long to wait between two looks at the cluster.
const PAUSE: Duration = Duration::from_secs(2);
/// So often in a row the cluster may change under a plan, or be away.
const TRIES: usize = 30;

struct Session<'a> {
    args: &'a ApplyArgs,
    terminal: &'a Terminal,
    client: Client,
    scope: Scope,
    /// The documents and how they are planned; the snapshot is another in each round.
    request: Request,
    /// What was done, in order.
    done: Vec<String>,
    /// The pods that have restarted, or that their nodes go on in.
    restarted: BTreeSet<ObjectKey>,
    /// What was deleted, by its UID.
    deleted: BTreeMap<ObjectKey, String>,
    /// What was done last of each fleet.
    repeats: BTreeMap<FleetKey, Repeats>,
    /// What was waited for last.
    awaited: Option<(String, Instant)>,
    /// How much the first plan had that nothing is done about.
    blocked: usize,
    /// How often in a row something has to be tried again.
    tries: usize,
}

/// A plan, and the cluster that it was made for.
struct Round {
    outcome: Outcome,
    index: Index,
}

/// What one round came to.
enum Came {
    /// Something was done: look again.
    Done(Vec<Gate>),
    /// Something must happen first.
    Waits(Vec<Gate>),
    /// Nothing is left.
    Rest,
}

/// Plans, asks, and applies, until as much is done as was asked for.
pub(super) async fn run(
    args: &ApplyArgs,
    (specs, settings): (Vec<Source>, Settings),
    terminal: &Terminal,
) -> Result<Exit, Failure> {
    let client = cluster::connect(&live::door(&args.door)).await;
    let client = client.map_err(|why| failed(live::fault(&why), CONSEQUENCE))?;
    let mut session = Session {
        args,
        terminal,
        client,
        scope: Scope {
            namespaces: pipeline::namespaces(&specs, args.namespace.as_deref()),
        },
        request: Request {
            specs,
            snapshot: None,
            options: Options {
                namespace: args.namespace.clone(),
                refresh: args.refresh,
                helper_image: settings.helper_image,
                adopt: args.adopt,
                ..Options::default()
            },
        },
        done: Vec::new(),
        restarted: BTreeSet::new(),
        deleted: BTreeMap::new(),
        repeats: BTreeMap::new(),
        awaited: None,
        blocked: 0,
        tries: 0,
    };
    let first = session.look().await?;
    if let Some(exit) = session.ask(&first)? {
        return Ok(exit);
    }
    session.blocked = first.outcome.plan.summary.blocked;
    let blocked = tokio::select! {
        ended = session.rounds(first) => ended?,
        stopped = tokio::signal::ctrl_c() => {
            let why = match stopped {
                Ok(()) => "stopped".to_owned(),
                Err(error) => format!("the system gives no signals: {error}"),
            };
            return Err(session.stopped(Diagnostic::error("stopped", why)));
        }
    };
    session.terminal.note("done");
    Ok(if blocked > 0 { Exit::Held } else { Exit::Done })
}

fn failed(fault: Diagnostic, consequence: &'static str) -> Failure {
    Failure {
        diagnostics: vec![fault],
        consequence,
    }
}

impl Session<'_> {
    /// Captures and plans.
    async fn look(&mut self) -> Result<Round, Failure> {
        let now = clock::now().map_err(|fault| failed(*fault, CONSEQUENCE))?;
        let mut captured = capture(&self.client, &self.scope, now).await;
        for _ in 0..TRIES {
            if captured.is_ok() {
                break;
            }
            sleep(PAUSE).await;
            captured = capture(&self.client, &self.scope, now).await;
        }
        let captured = captured.map_err(|why| failed(live::fault(&why), CONSEQUENCE))?;
        let vital = captured.gaps.iter().filter(|gap| gap.is_vital);
        let faults: Vec<Diagnostic> = vital.map(live::told).collect();
        if !faults.is_empty() {
            return Err(Failure {
                diagnostics: faults,
                consequence: CONSEQUENCE,
            });
        }
        let index = Index::read(&captured.sources);
        self.request.snapshot = Some(captured.sources);
        self.request.options.now = Some(now);
        let ran = pipeline::run(&self.request);
        self.request.snapshot = None;
        let has_errors = ran.has_errors();
        match ran.value {
            Some(outcome) if !has_errors => Ok(Round { outcome, index }),
            _ => Err(Failure {
                diagnostics: ran.diagnostics,
                consequence: CONSEQUENCE,
            }),
        }
    }

    /// Shows the plan, and asks; returns how the run ends where it ends here.
    fn ask(&self, round: &Round) -> Result<Option<Exit>, Failure> {
        let plan = &round.outcome.plan;
        let shown = text::plan(plan, self.terminal.out(), self.terminal.detail_wanted());
        terminal::result(&shown)?;
        let policy = Policy {
            deny: self.args.deny.clone(),
            max_restarts: self.args.max_restarts,
            tells_changes: false,
        };
        let (_, lines) = policy.judge(plan);
        for line in &lines {
            terminal::line(line);
        }
        if lines.iter().any(|line| line.starts_with("denied")) {
            return Ok(Some(Exit::Held));
        }
        if plan.fleets.iter().all(|fleet| fleet.waves.is_empty()) {
            let exit = if lines.is_empty() {
                Exit::Done
            } else {
                Exit::Held
            };
            return Ok(Some(exit));
        }
        if let Some(fault) = without_keys(plan) {
            return Err(failed(fault, CONSEQUENCE));
        }
        if self.args.yes {
            return Ok(None);
        }
        if !io::stdin().is_terminal() {
            let fault = Diagnostic::error("usage", "nobody is there to be asked")
                .hint("say `--yes` to apply what the plan above shows");
            return Err(failed(fault, CONSEQUENCE));
        }
        let what = match self.args.until {
            Until::Wave => "the next wave",
            Until::Done => "all of it, wave by wave",
        };
        let _ = write!(
            io::stderr(),
            "Apply {what}? Only `yes` is taken for an answer: "
        );
        let mut answer = String::new();
        let _ = io::stdin().lock().read_line(&mut answer);
        if answer.trim() == "yes" {
            return Ok(None);
        }
        Err(failed(
            Diagnostic::error("not-wanted", "it was not said `yes`"),
            CONSEQUENCE,
        ))
    }

    /// Goes on round by round; returns how much is left that nothing is done about.
    async fn rounds(&mut self, first: Round) -> Result<usize, Failure> {
        let mut round = first;
        let mut gates: Option<Vec<Gate>> = None;
        loop {
            if let (Until::Wave, Some(gates)) = (self.args.until, &gates) {
                let left = unmet(gates, &round.index);
                if left.is_empty() {
                    return Ok(self.blocked);
                }
                self.wait(&left).await?;
            } else {
                match self.round(&round).await? {
                    Came::Rest => {
                        let left = self.last_gates(&round.index);
                        let blocked = round.outcome.plan.summary.blocked;
                        // what was begun may look odd for a moment: a volume whose claim has just gone
                        // counts as bound until its controller looks at it
                        let may_pass = blocked > self.blocked && self.tries < TRIES;
                        if !left.is_empty() {
                            self.wait(&left).await?;
                        } else if may_pass {
                            self.tries += 1;
                            sleep(PAUSE).await;
                        } else {
                            return Ok(blocked);
                        }
                    }
                    Came::Waits(gates) => self.wait(&gates).await?,
                    Came::Done(of_wave) => {
                        self.awaited = None;
                        gates = Some(of_wave);
                    }
                }
            }
            round = self
                .look()
                .await
                .map_err(|failure| self.with_done(failure))?;
        }
    }

    /// What has restarted must serve again before all is done, though no wave waits for the last of
    /// them; and what was deleted must be gone: a plan may begin again then. New nodes may take days to
    /// catch up.
    fn last_gates(&self, index: &Index) -> Vec<Gate> {
        let gate = |condition: Condition, object: &ObjectKey| Gate {
            condition,
            object: object.clone(),
        };
        let ready = self.restarted.iter();
        let ready: Vec<Gate> = ready.map(|pod| gate(Condition::PodReady, pod)).collect();
        let is_there = |(object, uid): &(&ObjectKey, &String)| {
            index.seen(object).is_some_and(|seen| seen.uid == **uid)
        };
        let left = self.deleted.iter().filter(is_there);
        let gone = left.map(|(object, _)| gate(Condition::Gone, object));
        unmet(&ready, index).into_iter().chain(gone).collect()
    }

    /// Fails where a fleet's wave comes out the same again and again though it was done.
    fn brake(&mut self, fleet: &FleetPlan, steps: &[Step]) -> Result<(), Failure> {
        let key = fleet.key();
        let repeats = self.repeats.entry(key.clone()).or_default();
        let Some(first) = steps.first().filter(|_| repeats.is_stuck(steps)) else {
            return Ok(());
        };
        let first = &first.object;
        let message = format!("{key}: {first} was changed {MOST} times and is still to be changed");
        let fault = Diagnostic::error("not-applied", message)
            .hint("see who else writes it: its managedFields tell");
        Err(self.stopped(fault))
    }

    /// Does the next wave of each fleet.
    async fn round(&mut self, round: &Round) -> Result<Came, Failure> {
        let Round { outcome, index } = round;
        let (mut awaited, mut of_waves) = (Vec::new(), Vec::new());
        let mut is_any = false;
        for fleet in &outcome.plan.fleets {
            let Some(wave) = fleet.waves.first() else {
                continue;
            };
            if wave.steps.is_empty() {
                awaited.extend(wave.gate.iter().cloned());
                continue;
            }
            is_any = true;
            self.brake(fleet, &wave.steps)?;
            of_waves.extend(wave.gate.iter().cloned());
            let title = format!("{}/{}: {}", fleet.namespace, fleet.name, wave.title);
            self.terminal.note(&crate::render::visible(&title));
            let key = fleet.key();
            let of = outcome.manifests.iter().find(|of| of.fleet == key);
            self.wave(&wave.steps, of, index).await?;
        }
        Ok(match (is_any, awaited.is_empty()) {
            (true, _) => Came::Done(of_waves),
            (false, false) => Came::Waits(awaited),
            (false, true) => Came::Rest,
        })
    }

    /// Does the steps of a wave. Pods that are replaced go first, side by side, and come back each as
    /// soon as its name is free.
    async fn wave(
        &mut self,
        steps: &[Step],
        manifests: Option<&FleetManifests>,
        index: &Index,
    ) -> Result<(), Failure> {
        let mut replaced = Vec::new();
        let manifests = manifests.map(Manifests::of);
        for step in steps {
            let wanted = manifests.as_ref().and_then(|of| of.wanted(step));
            let due = Due {
                step,
                wanted,
                seen: index.seen(&step.object),
                owner: None,
            };
            if !self.one(due).await? {
                return Ok(()); // it is planned anew
            }
            if step.action == Action::Replace {
                replaced.push(due);
            }
        }
        for due in replaced {
            self.gone(due).await?;
            let anew = Step {
                action: Action::Create,
                ..due.step.clone()
            };
            let due = Due {
                step: &anew,
                seen: None,
                ..due
            };
            if !self.one(due).await? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Does one step; returns whether the plan still holds.
    async fn one(&mut self, due: Due<'_>) -> Result<bool, Failure> {
        let object = &due.step.object;
        match step::take(&self.client, due).await {
            Ok(done) => {
                self.tries = 0;
                if let Some(seen) = due.seen.filter(|_| due.step.action == Action::Delete) {
                    self.deleted.insert(object.clone(), seen.uid.clone());
                }
                if comes_back(due.step) {
                    self.restarted.insert(object.clone());
                }
                let why = due.step.reasons.first();
                let why = why.map_or(String::new(), |why| format!(" ({})", why.message));
                let line = format!(
                    "{}/{object}: {}{why}",
                    object.namespace,
                    done.outcome.word()
                );
                self.terminal.note(&crate::render::visible(&line));
                self.done.push(line);
                Ok(true)
            }
            Err(fault) => {
                self.tries += 1;
                self.repeats.clear();
                let may_pass = match fault.why {
                    Why::Changed | Why::Disruption | Why::Away => self.tries < TRIES,
                    Why::Refused | Why::Internal => false,
                };
                if !may_pass {
                    return Err(self.stopped(told(object, &fault)));
                }
                let line = format!("{}/{object}: not yet: {fault}", object.namespace);
                self.terminal.note(&crate::render::visible(&line));
                sleep(PAUSE).await;
                Ok(false)
            }
        }
    }

    /// Waits until a pod is gone.
    async fn gone(&mut self, due: Due<'_>) -> Result<(), Failure> {
        let object = &due.step.object;
        let gate = Gate {
            condition: Condition::Gone,
            object: object.clone(),
        };
        loop {
            match step::is_gone(&self.client, due).await {
                Ok(true) => return Ok(()),
                Ok(false) => self.wait(std::slice::from_ref(&gate)).await?,
                Err(fault) if fault.why == Why::Away => {
                    self.wait(std::slice::from_ref(&gate)).await?;
                }
                Err(fault) => return Err(self.stopped(told(object, &fault))),
            }
        }
    }

    /// Waits a while, and says for what. Fails once that takes too long.
    async fn wait(&mut self, gates: &[Gate]) -> Result<(), Failure> {
        let what = few(gates);
        let since = match &self.awaited {
            Some((last, since)) if *last == what => *since,
            Some(_) | None => {
                self.terminal
                    .note(&crate::render::visible(&format!("waiting until {what}")));
                let now = Instant::now();
                self.awaited = Some((what.clone(), now));
                now
            }
        };
        let timeout = self.args.timeout;
        if since.elapsed() >= Duration::from_secs(timeout.seconds) {
            let message = format!("after {timeout} it is still not so that {what}");
            let fault = Diagnostic::error("gate-not-met", message)
                .hint("`cosmos-render why POD` tells what a pod waits for");
            return Err(self.stopped(fault));
        }
        sleep(PAUSE).await;
        Ok(())
    }

    /// Returns the failure of a run that did something before.
    fn stopped(&self, fault: Diagnostic) -> Failure {
        self.with_done(failed(fault, CONSEQUENCE))
    }

    fn with_done(&self, mut failure: Failure) -> Failure {
        if self.done.is_empty() {
            return failure;
        }
        let count = self.done.len();
        let note = format!(
            "{count} steps were done before that, the last of them {}",
            self.done.last().map_or("", String::as_str)
        );
        if let Some(last) = failure.diagnostics.pop() {
            let hint = "nothing is left halfway: the next `apply` goes on from here";
            failure.diagnostics.push(last.note(note).note(hint));
        }
        failure.consequence = "what is left was not done";
        failure
    }
}

/// Tells whether a step makes a pod whose node was there before: it has its data.
fn comes_back(step: &Step) -> bool {
    let is_new = |code: &str| matches!(code, "NewInstance" | "ClaimMadeAnew");
    step.action == Action::Create
        && step.object.kind == Kind::Pod
        && !step.reasons.iter().any(|why| is_new(why.code))
}

fn told(object: &ObjectKey, fault: &Fault) -> Diagnostic {
    let message = format!("{}/{object}: {fault}", object.namespace);
    Diagnostic::error("not-applied", message)
}

fn unmet(gates: &[Gate], index: &Index) -> Vec<Gate> {
    let is_unmet = |gate: &&Gate| match gate.condition {
        Condition::PodReady => !index.is_ready(&gate.object),
        Condition::Gone => index.seen(&gate.object).is_some(),
    };
    gates.iter().filter(is_unmet).cloned().collect()
}

/// A node that comes without a key waits for one for ever: it takes one first.
fn without_keys(plan: &Plan) -> Option<Diagnostic> {
    let mut made = plan.fleets.iter().flat_map(|fleet| {
        let steps = fleet.without_identity();
        steps.map(|step| format!("{}/{}", fleet.namespace, step.object))
    });
    let first = made.next()?;
    let message = format!("{first} would come without a node key, and wait for one");
    let hint = "`cosmos-render keys init SPECS --snapshot cluster` makes the keys of new nodes";
    Some(Diagnostic::error("no-identity", message).hint(hint))
}
