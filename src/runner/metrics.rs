//! What Prometheus reads.

use std::fmt;
use std::time::Duration;

use prometheus_client::encoding::text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

type Labels = Vec<(&'static str, String)>;
type Counters = Family<Labels, Counter>;
type Gauges = Family<Labels, Gauge>;

/// All that is counted.
pub(super) struct Metrics {
    registry: Registry,
    plans: Counters,
    steps: Counters,
    waves: Counter,
    restarts: Counter,
    waiting: Gauges,
    faults: Counters,
    watches: Counters,
    is_leader: Gauge,
    fleets: Gauge,
    plan_seconds: Histogram,
    wave_seconds: Histogram,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}

impl Default for Metrics {
    fn default() -> Self {
        let buckets = || [0.001, 0.005, 0.02, 0.1, 0.5, 2.0, 10.0, 60.0];
        let mut metrics = Self {
            registry: Registry::with_prefix("cosmos_render"),
            plans: Counters::default(),
            steps: Counters::default(),
            waves: Counter::default(),
            restarts: Counter::default(),
            waiting: Gauges::default(),
            faults: Counters::default(),
            watches: Counters::default(),
            is_leader: Gauge::default(),
            fleets: Gauge::default(),
            plan_seconds: Histogram::new(buckets()),
            wave_seconds: Histogram::new(buckets()),
        };
        metrics.register();
        metrics
    }
}

impl Metrics {
    fn register(&mut self) {
        let r = &mut self.registry;
        r.register(
            "plans",
            "Plans made, by what came of them",
            self.plans.clone(),
        );
        r.register(
            "steps",
            "Steps done, by action and kind",
            self.steps.clone(),
        );
        r.register("waves", "Waves done", self.waves.clone());
        r.register(
            "restarts",
            "Pods taken away to be made anew",
            self.restarts.clone(),
        );
        r.register(
            "waiting",
            "Fleets that wait, by reason",
            self.waiting.clone(),
        );
        r.register(
            "faults",
            "Steps that could not be done, by reason",
            self.faults.clone(),
        );
        r.register(
            "watch_failures",
            "Watches that broke off, by resource",
            self.watches.clone(),
        );
        r.register(
            "leader",
            "Whether this replica acts",
            self.is_leader.clone(),
        );
        r.register(
            "fleets",
            "Fleets that are looked after",
            self.fleets.clone(),
        );
        let what = "How long planning takes";
        r.register("plan_seconds", what, self.plan_seconds.clone());
        let what = "How long the requests of a wave take";
        r.register("wave_seconds", what, self.wave_seconds.clone());
    }

    pub(super) fn planned(&self, result: &str, took: Duration) {
        self.plans
            .get_or_create(&labels([("result", result)]))
            .inc();
        self.plan_seconds.observe(took.as_secs_f64());
    }

    pub(super) fn stepped(&self, action: &str, kind: &str) {
        let labels = labels([("action", action), ("kind", kind)]);
        self.steps.get_or_create(&labels).inc();
        if (action, kind) == ("replace", "Pod") {
            self.restarts.inc();
        }
    }

    pub(super) fn waved(&self, took: Duration) {
        self.waves.inc();
        self.wave_seconds.observe(took.as_secs_f64());
    }

    /// Notes how many fleets wait for what.
    pub(super) fn waits<'r>(&self, reasons: impl Iterator<Item = (&'r str, i64)>) {
        self.waiting.clear();
        for (reason, count) in reasons {
            self.waiting
                .get_or_create(&labels([("reason", reason)]))
                .set(count);
        }
    }

    pub(super) fn failed(&self, reason: &str) {
        self.faults
            .get_or_create(&labels([("reason", reason)]))
            .inc();
    }

    pub(super) fn watch_failed(&self, resource: &str) {
        self.watches
            .get_or_create(&labels([("resource", resource)]))
            .inc();
    }

    pub(super) fn leads(&self, is_leader: bool) {
        self.is_leader.set(i64::from(is_leader));
    }

    pub(super) fn looks_after(&self, fleets: usize) {
        self.fleets.set(i64::try_from(fleets).unwrap_or(i64::MAX));
    }

    /// Returns the page.
    pub(super) fn text(&self) -> String {
        let mut page = String::new();
        // to write into a string never fails
        let _ = text::encode(&mut page, &self.registry);
        page
    }
}

fn labels<const N: usize>(labels: [(&'static str, &str); N]) -> Labels {
    labels
        .map(|(name, value)| (name, value.to_owned()))
        .to_vec()
}
