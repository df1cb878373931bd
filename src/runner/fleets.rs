//! The fleets that are looked after: which have to be looked at again, which are acted on, and which
//! wait. One turn plans all that are due, and lets each act by itself.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use kube::Client;
use kube::runtime::events::{EventType, Recorder};
use tokio::sync::{Semaphore, mpsc, watch as signal};
use tokio::time::{Instant, sleep, sleep_until};
use tracing::Instrument as _;
use tracing::field::Empty;

use super::act::Next;
use super::documents::{Document, Folder, keys_of_cluster, of_cluster};
use super::job::{End, Ended, Hand, Job, What};
use super::others::{self, Others};
use super::plan::{self, Came, Planned};
use super::probe::in_sync;
use super::report::{self, Draft, Phase, Told, Word};
use super::serve::Beat;
use super::shared::{News, Shared};
use super::{Options, lag, peers};
use crate::apply::Why;
use crate::apply::repeats::{MOST, Repeats};
use crate::model::few::few;
use crate::model::image::Image;
use crate::model::{FleetKey, Kind};
use crate::plan::{FleetPlan, Impact};

/// What happens at about the same time is planned for together.
const TOGETHER: Duration = Duration::from_millis(150);
/// So many fleets are planned together at most: all that a plan is made of is in memory meanwhile.
const AT_A_TIME: usize = 8;
/// A fleet that waits is looked at again after this time though nothing was told of it: some things
/// happen by the clock.
const WAITING: Duration = Duration::from_secs(30);
/// So is one of which nothing is left to do.
const RESTING: Duration = Duration::from_secs(300);
/// How long to wait before a step is tried again that could not be done: twice as long each time.
const AGAIN: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
/// What fails so often in a row is told.
const STUBBORN: u32 = 3;
/// How often a folder is read again.
const READ: Duration = Duration::from_secs(5);

/// What is known of one fleet between two turns.
#[derive(Debug)]
struct State {
    is_busy: bool,
    /// When to look again though nothing is told.
    due: Instant,
    /// Not to be looked at before.
    not_before: Option<Instant>,
    failures: u32,
    told: Told,
    /// The pods that were made last: that they are there is no news.
    awaits: BTreeSet<String>,
    /// What it waits for, as metrics have it.
    waits: Option<&'static str>,
    /// What was said last in the log.
    said: String,
    repeats: Repeats,
    /// Whether anything was done since nothing was left.
    is_rolling: bool,
    restarts: usize,
}

impl State {
    fn new() -> Self {
        Self {
            is_busy: false,
            due: Instant::now(),
            not_before: None,
            failures: 0,
            told: Told::default(),
            awaits: BTreeSet::new(),
            waits: None,
            said: String::new(),
            repeats: Repeats::default(),
            is_rolling: false,
            restarts: 0,
        }
    }

    fn is_due(&self, now: Instant, news: Option<&News>) -> bool {
        let may = self.not_before.is_none_or(|at| at <= now);
        !self.is_busy && may && (self.is_told(news) || self.due <= now)
    }

    /// Whether anything was told that a plan could depend on.
    fn is_told(&self, news: Option<&News>) -> bool {
        match news {
            None => false,
            Some(News::Any) => true,
            Some(News::Made(pods)) => !pods.is_subset(&self.awaits),
        }
    }
}

type Ends = (mpsc::UnboundedSender<End>, mpsc::UnboundedReceiver<End>);

/// All fleets, and what it takes to act on them.
pub(super) struct Fleets {
    client: Client,
    options: Options,
    shared: Arc<Shared>,
    others: Arc<Others>,
    recorder: Recorder,
    /// Whether this replica acts.
    holds: signal::Receiver<bool>,
    states: BTreeMap<FleetKey, State>,
    folder: Folder,
    read_at: Option<Instant>,
    /// Those that were told of and could not be looked at yet.
    touched: BTreeMap<FleetKey, News>,
    room: Arc<Semaphore>,
    ended: Ends,
}

impl Fleets {
    pub(super) fn new(
        client: Client,
        options: Options,
        (shared, others): (Arc<Shared>, Arc<Others>),
        holds: signal::Receiver<bool>,
    ) -> Self {
        let recorder = report::recorder(client.clone(), &options.identity);
        let room = Arc::new(Semaphore::new(options.at_once.max(1)));
        Self {
            client,
            options,
            shared,
            others,
            recorder,
            holds,
            states: BTreeMap::new(),
            folder: Folder::default(),
            read_at: None,
            touched: BTreeMap::new(),
            room,
            ended: mpsc::unbounded_channel(),
        }
    }

    /// Turns until it is told to stop. What is being done then is done to its end.
    pub(super) async fn run(&mut self, mut stop: signal::Receiver<bool>, beat: &Beat) {
        let mut holds = self.holds.clone();
        loop {
            beat.beat();
            let acts = *holds.borrow_and_update() || self.options.is_dry;
            if acts && self.shared.unsynced().is_empty() {
                while self.turn().await && !*stop.borrow() {
                    beat.beat();
                }
            }
            let next = self.next();
            let shared = Arc::clone(&self.shared);
            tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => break,
                Some(end) = self.ended.1.recv() => self.end(end),
                // where there is no Lease nobody ever tells
                Ok(()) = holds.changed() => {}
                () = shared.wake.notified() => sleep(TOGETHER).await,
                () = sleep_until(next) => {}
            }
        }
        // what waits for its turn has not begun
        self.room.close();
        while self.states.values().any(|state| state.is_busy) {
            match self.ended.1.recv().await {
                Some(end) => self.end(end),
                None => break,
            }
        }
    }

    /// Returns when to look again though nothing is told.
    fn next(&self) -> Instant {
        let idle = self.states.values().filter(|state| !state.is_busy);
        let due = idle.map(|state| state.not_before.unwrap_or(state.due).max(Instant::now()));
        let most = Instant::now() + READ.max(Duration::from_secs(1));
        due.min()
            .map_or(most, |due| due.min(most))
            .max(Instant::now() + TOGETHER)
    }

    /// Returns the image that the checks beside nodes run: what the runner was told itself goes before
    /// what a folder's settings say.
    fn helper_image(&self) -> Option<Image> {
        let own = self.options.helper_image.as_ref();
        own.or(self.folder.settled.helper_image.as_ref()).cloned()
    }

    /// Plans what is due, as much of it as is planned together, and lets it act; returns whether more is
    /// due.
    async fn turn(&mut self) -> bool {
        let keys = self.keys();
        self.shared.look_after(&keys);
        self.states
            .retain(|key, state| keys.contains(key) || state.is_busy);
        for (key, news) in self.shared.touched() {
            self.touched.entry(key).or_default().add(news);
        }
        let now = Instant::now();
        let mut due = BTreeSet::new();
        for key in &keys {
            let state = self.states.entry(key.clone()).or_insert_with(State::new);
            if state.is_due(now, self.touched.get(key)) {
                due.insert(key.clone());
            }
        }
        // what a node says that has just come up is worth waiting for: it will be told
        let pods = self.shared.store().pods();
        let expected = self.shared.answers().expected(&pods);
        due.retain(|key| !expected.contains(key));
        let is_more = due.len() > AT_A_TIME;
        if let Some(first_of_rest) = due.iter().nth(AT_A_TIME).cloned() {
            drop(due.split_off(&first_of_rest));
        }
        self.touched
            .retain(|key, _| keys.contains(key) && !due.contains(key));
        let documents = self.documents(&due);
        let at = Timestamp::now();
        due.retain(|key| {
            documents
                .get(key)
                .is_some_and(|document| self.may_act(document, at))
        });
        if due.is_empty() {
            self.tell_waits();
            return is_more;
        }
        let began = Instant::now();
        let how = plan::How {
            refresh: self.options.refresh,
            helper_image: self.helper_image(),
        };
        let turn = tracing::debug_span!("turn", fleets = due.len());
        let span = tracing::debug_span!(parent: &turn, "plan");
        let request = plan::request(&documents, &due, (&self.shared, how), at);
        let planned = tokio::task::spawn_blocking(move || {
            let came = span.in_scope(|| plan::plan(&documents, &due, &request));
            (documents, came)
        });
        let Ok((documents, came)) = planned.await else {
            tracing::error!(
                "planning broke off: this is a fault of cosmos-render; please report it"
            );
            sleep(AGAIN.0).await;
            return false;
        };
        let took = began.elapsed();
        for (key, came) in came {
            self.shared
                .metrics
                .planned(if came.is_ok() { "planned" } else { "refused" }, took);
            if let Some(state) = self.states.get_mut(&key) {
                state.awaits.clear();
            }
            if let Some(document) = documents.get(&key) {
                turn.in_scope(|| self.go_on(document, came));
            }
        }
        self.tell_waits();
        is_more
    }

    /// Returns all fleets that are looked after.
    fn keys(&mut self) -> BTreeSet<FleetKey> {
        let Some(read) = &self.options.folder else {
            return keys_of_cluster(&self.shared.store());
        };
        if self.read_at.is_none_or(|at| at.elapsed() >= READ) {
            let folder = Folder::read(read, &self.folder);
            if !folder.is_same(&self.folder) {
                for fault in &folder.faults {
                    tracing::error!(code = fault.code.to_string(), "{}", fault.message);
                }
                self.folder = folder;
                let all = self.folder.keys().cloned();
                self.touched.extend(all.map(|key| (key, News::Any)));
            }
            self.read_at = Some(Instant::now());
        }
        let named = &self.options.namespaces;
        let is_meant = |key: &&FleetKey| named.is_empty() || named.contains(&key.namespace);
        self.folder.keys().filter(is_meant).cloned().collect()
    }

    fn documents(&self, wanted: &BTreeSet<FleetKey>) -> BTreeMap<FleetKey, Document> {
        let store = self.shared.store();
        match self.options.folder {
            Some(_) => self.folder.documents(&store, wanted),
            None => of_cluster(&store, wanted),
        }
    }

    /// Tells whether nobody else acts on a fleet; says so where somebody does.
    fn may_act(&mut self, document: &Document, now: Timestamp) -> bool {
        if self.options.is_dry {
            return true;
        }
        let lease = self.options.lease.as_ref();
        let own = lease.map(|lease| (lease.namespace.as_str(), lease.name.as_str()));
        let other = self.others.on(&document.key, own, now);
        let other = other.or_else(|| others::applier(&self.shared.store(), &document.key));
        let Some(state) = self.states.get_mut(&document.key) else {
            return false;
        };
        let Some(why) = other else {
            return true;
        };
        state.waits = Some("somebody-else");
        state.due = Instant::now() + WAITING;
        say(state, &document.key, &format!("stands back: {why}"));
        false
    }

    /// Does what a plan wants done now, or says what it waits for.
    fn go_on(&mut self, document: &Document, came: Came) {
        let planned = match came {
            Ok(planned) => planned,
            Err(faults) => {
                let messages = faults.iter().map(|fault| fault.message.clone());
                let message = messages.collect::<Vec<_>>().join("; ");
                return self.rest(document, (Phase::Error, "refused"), &message);
            }
        };
        let held = (!self.options.is_dry)
            .then(|| hold_of(document, &planned))
            .flatten();
        if let Some(what) = held {
            return self.spawn(document, Job::new(what));
        }
        let planned = lag::added(planned, &self.shared);
        let plan = &planned.plan;
        match plan.waves.first() {
            None => {
                let (phase, message) = match self.lagging(&document.key) {
                    lagging if plan.blocked.is_empty() && !lagging.is_empty() => {
                        let names = few(&lagging);
                        (
                            Phase::Progressing,
                            format!("waits until {names} is ready and in sync"),
                        )
                    }
                    _ => at_rest(plan),
                };
                let waits = match phase {
                    Phase::Complete => "",
                    Phase::Progressing => "pods",
                    Phase::Error | Phase::TransientError => "blocked",
                };
                self.rest(document, (phase, waits), &message);
            }
            Some(wave) if wave.steps.is_empty() => {
                let message = format!("waits until {}", few(&wave.gate));
                self.rest(document, (Phase::Progressing, "gate"), &message);
            }
            Some(_) => self.begin(document, planned),
        }
    }

    /// Returns the pods of a fleet that do not serve yet.
    fn lagging(&self, fleet: &FleetKey) -> Vec<String> {
        let store = self.shared.store();
        let answers = self.shared.answers();
        let answers = answers.of(fleet);
        let synced = in_sync(&answers, Timestamp::now());
        let is_behind = |name: &str| {
            let is_asked = !synced.is_empty() && answers.contains_key(name);
            is_asked && synced.get(name) != Some(&true)
        };
        let pods = store.pods_of(fleet);
        let lagging = pods.filter(|(name, is_ready)| !is_ready || is_behind(name));
        lagging.map(|(name, _)| name.to_owned()).collect()
    }

    /// Begins the first wave of a plan.
    fn begin(&mut self, document: &Document, planned: Box<Planned>) {
        let key = &document.key;
        let Some((state, wave)) = self.states.get_mut(key).zip(planned.plan.waves.first()) else {
            return;
        };
        let is_stuck = state.repeats.is_stuck(&wave.steps);
        let title = wave.title.clone();
        if self.options.is_dry {
            let (count, all) = (wave.steps.len(), planned.plan.steps().count());
            let what = format!("would do: {title} ({count} steps of {all})");
            say(state, key, &what);
            state.due = Instant::now() + RESTING;
            return;
        }
        if is_stuck {
            let message = format!("{title}: it was done {MOST} times and is still to be done");
            return self.rest(document, (Phase::Error, "does-not-take"), &message);
        }
        say(state, key, &format!("begins: {title}"));
        let restarts = wave
            .steps
            .iter()
            .filter(|step| step.impact == Impact::Restart);
        state.restarts += restarts.count();
        state.waits = None;
        let is_first = !std::mem::replace(&mut state.is_rolling, true);
        let mut job = Job::new(What::Wave(planned));
        if is_first {
            let note = format!("begins: {title}");
            job.event = Some((EventType::Normal, "Progressing", note));
        }
        let draft = self.draft(document, (Phase::Progressing, &title));
        job.status = draft.map(|draft| (draft, Vec::new()));
        self.spawn(document, job);
    }

    /// Acts in a task of its own.
    fn spawn(&mut self, document: &Document, job: Job) {
        let Some(state) = self.states.get_mut(&document.key) else {
            return;
        };
        state.is_busy = true;
        let hand = Hand {
            client: self.client.clone(),
            shared: Arc::clone(&self.shared),
            recorder: self.recorder.clone(),
            holds: self.holds.clone(),
        };
        let (room, ended) = (Arc::clone(&self.room), self.ended.0.clone());
        let document = document.clone();
        let span = tracing::debug_span!("act", fleet = %document.key, wave = Empty);
        let acts = async move {
            let end = match room.acquire_owned().await {
                Ok(_turn) => hand.take(document, job).await,
                Err(_) => End::without(document),
            };
            // nobody listens where the program ends
            let _ = ended.send(end);
        };
        tokio::spawn(acts.instrument(span));
    }

    /// Takes up what a fleet came to.
    fn end(&mut self, end: End) {
        let End {
            document,
            ended,
            written,
        } = end;
        let fleet = &document.key;
        let Some(state) = self.states.get_mut(fleet) else {
            return;
        };
        state.is_busy = false;
        if let Some(draft) = written {
            state.told.written(draft);
        }
        let now = Instant::now();
        match ended {
            Ended::Told => {}
            Ended::Done(next) => {
                state.failures = 0;
                state.not_before = None;
                state.due = now;
                match next {
                    Next::Now => {}
                    Next::Gone => state.due = now + WAITING,
                    Next::Up(pods, until) => {
                        state.awaits = pods;
                        let message = format!("waits until {until}");
                        self.rest(&document, (Phase::Progressing, "gate"), &message);
                    }
                }
            }
            // the watch tells of them in a moment
            Ended::Keys => {
                state.not_before = Some(now + Duration::from_millis(500));
                state.due = now;
                state.repeats = Repeats::default();
            }
            Ended::Doubt(why) => {
                state.waits = Some("no-key");
                state.not_before = Some(now + WAITING);
                state.due = now;
                let message = format!("no node key is made: {why}");
                say(state, fleet, &message);
                self.fail(&document, Phase::Error, &message);
            }
            Ended::Failed(what, fault) => {
                self.shared.metrics.failed(fault.why.word());
                state.failures = state.failures.saturating_add(1);
                state.waits = Some(fault.why.word());
                state.not_before = Some(now + after(state.failures, fault.why));
                state.due = now;
                state.repeats = Repeats::default();
                let message = format!("{what} could not be done: {fault}");
                say(state, fleet, &message);
                let is_stubborn = state.failures >= STUBBORN;
                match fault.why {
                    Why::Refused | Why::Internal => self.fail(&document, Phase::Error, &message),
                    Why::Disruption => self.fail(&document, Phase::Progressing, &message),
                    Why::Changed | Why::Away if is_stubborn => {
                        self.fail(&document, Phase::TransientError, &message);
                    }
                    Why::Changed | Why::Away => {}
                }
            }
        }
    }

    /// Tells what went wrong.
    fn fail(&mut self, document: &Document, phase: Phase, message: &str) {
        let mut job = Job::new(What::Nothing);
        let draft = self.draft(document, (phase, message));
        job.status = draft.map(|draft| (draft, Vec::new()));
        if job.status.is_some() {
            if phase == Phase::Error {
                job.event = Some((EventType::Warning, "Failed", message.to_owned()));
            }
            self.spawn(document, job);
        }
    }

    /// Notes that nothing can be done now, and why.
    fn rest(&mut self, document: &Document, (phase, waits): (Phase, &'static str), message: &str) {
        let Some(state) = self.states.get_mut(&document.key) else {
            return;
        };
        let is_over = phase == Phase::Complete;
        state.waits = Some(waits).filter(|waits| !waits.is_empty());
        state.due = Instant::now() + if is_over { RESTING } else { WAITING };
        let is_news = say(
            state,
            &document.key,
            if is_over { "all is as asked" } else { message },
        );
        let was_rolling = state.is_rolling && is_over;
        let restarts = state.restarts;
        if is_over {
            state.is_rolling = false;
            state.restarts = 0;
            state.repeats = Repeats::default();
        }
        if self.options.is_dry {
            return;
        }
        let mut job = Job::new(What::Nothing);
        if was_rolling {
            let note = format!("all is as the document asks; {restarts} pods restarted");
            job.event = Some((EventType::Normal, "Complete", note));
        } else if is_news && phase == Phase::Error {
            job.event = Some((EventType::Warning, "Blocked", message.to_owned()));
        }
        job.status = self.draft(document, (phase, message)).map(|draft| {
            let store = self.shared.store();
            (
                draft,
                peers::of(store.of_fleet(Kind::ConfigMap, &document.key)),
            )
        });
        if job.status.is_some() || job.event.is_some() {
            self.spawn(document, job);
        }
    }

    /// Returns the status that is to be written, if any.
    fn draft(&self, document: &Document, (phase, message): (Phase, &str)) -> Option<Draft> {
        let (state, live) = (self.states.get(&document.key)?, document.live.as_ref()?);
        let word = Word {
            phase,
            message: report::short(message.to_owned()),
            generation: live.generation,
        };
        let answers = self.shared.answers();
        let answers = answers.of(&document.key);
        state.told.draft(word, live, &answers, Timestamp::now())
    }

    fn tell_waits(&self) {
        let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
        for reason in self.states.values().filter_map(|state| state.waits) {
            *counts.entry(reason).or_default() += 1;
        }
        self.shared.metrics.waits(counts.into_iter());
    }
}

/// Writes a line about a fleet where it is news; returns whether it is.
fn say(state: &mut State, key: &FleetKey, what: &str) -> bool {
    if state.said == what {
        return false;
    }
    what.clone_into(&mut state.said);
    tracing::info!(fleet = %key, "{what}");
    true
}

/// Returns what is to be done about the document itself, before anything else.
fn hold_of(document: &Document, planned: &Planned) -> Option<What> {
    let live = document.live.as_ref().filter(|_| document.is_of_cluster)?;
    match (live.is_leaving, live.is_held()) {
        (false, false) => Some(What::Hold),
        (true, true) if live.is_orphaning() || planned.plan.waves.is_empty() => Some(What::Release),
        (true, false) => Some(What::Nothing),
        (false | true, true) => None,
    }
}

/// Returns how a fleet is of which nothing is left to do by itself.
fn at_rest(plan: &FleetPlan) -> (Phase, String) {
    if plan.blocked.is_empty() {
        return (Phase::Complete, String::new());
    }
    let of = |notice: &crate::model::Notice| match &notice.object {
        Some(object) => format!("{object}: {}", notice.message),
        None => notice.message.clone(),
    };
    let all: Vec<String> = plan.blocked.iter().map(of).collect();
    (Phase::Error, format!("blocked: {}", few(&all)))
}

/// Returns how long to wait before a step is tried again: longer each time, and never all at once.
fn after(failures: u32, why: Why) -> Duration {
    let (first, most) = AGAIN;
    let least = match why {
        Why::Changed => Duration::from_millis(200),
        Why::Away => first,
        Why::Disruption | Why::Refused | Why::Internal => first * 5,
    };
    let grown = least
        .saturating_mul(1 << failures.saturating_sub(1).min(10))
        .min(most);
    grown.mul_f64(0.75 + 0.5 * random())
}

/// Returns a number between 0 and 1.
fn random() -> f64 {
    f64::from(getrandom::u32().unwrap_or(u32::MAX / 2)) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[track_caller]
    fn check(awaits: &[&str], told: &[News], expected: bool) {
        let mut state = State::new();
        state.awaits = names(awaits);
        let mut news = News::default();
        for each in told {
            news.add(each.clone());
        }
        assert_eq!(state.is_told(Some(&news)), expected, "{news:?}");
    }

    #[test]
    fn that_pods_are_there_which_were_just_made_is_no_news() {
        let made = |pods: &[&str]| News::Made(names(pods));
        check(&["hub-0", "hub-1"], &[made(&["hub-0"])], false);
        check(
            &["hub-0", "hub-1"],
            &[made(&["hub-1"]), made(&["hub-0"])],
            false,
        );
        // somebody else makes pods too
        check(&["hub-0"], &[made(&["hub-0", "hub-1"])], true);
        check(&[], &[made(&["hub-0"])], true);
        check(&["hub-0"], &[made(&["hub-0"]), News::Any], true);
        check(&["hub-0"], &[News::Any, made(&["hub-0"])], true);
    }
}
