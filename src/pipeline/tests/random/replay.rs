//! Runs cases: the kept ones first, then as many as asked for, on all cores; tells of those that
//! fail, made as small as can be.

use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Dice;
use super::story::{Tale, play};

/// How many cases run where nobody asks for more.
const CASES: u64 = 2_000;

/// How many choices a case has; then it always chooses the first.
const CHOICES: usize = 800;

/// How often a case that fails is tried with fewer choices.
const TRIES: usize = 400;

#[expect(
    clippy::disallowed_methods,
    reason = "who hunts for faults asks for more cases"
)]
pub(super) fn asked(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// The choices of a case.
fn choices(seed: u64) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        // SplitMix64: neighbouring seeds share nothing
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)).to_le_bytes()[0]
    };
    let _ = next();
    (0..CHOICES).map(|_| next()).collect()
}

/// Plays a case; what went wrong is in the tale.
fn tell(bytes: Vec<u8>) -> Tale {
    play_into(Tale::default(), bytes)
}

fn play_into(mut tale: Tale, bytes: Vec<u8>) -> Tale {
    let mut dice = Dice::new(bytes);
    let played = catch_unwind(AssertUnwindSafe(|| play(&mut dice, &mut tale)));
    if let Err(panic) = played {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        tale.breaches
            .push(format!("panic: {}", text.unwrap_or("of another kind")));
    }
    tale
}

fn rule(tale: &Tale) -> Option<String> {
    let first = tale.breaches.first()?;
    Some(first.split(':').next().unwrap_or_default().to_owned())
}

/// Makes choices plain, as long as the case breaks the same rule.
fn shrink(mut bytes: Vec<u8>, rule_broken: &str) -> Vec<u8> {
    let mut tries = 0;
    let mut size = CHOICES / 4;
    while size > 0 {
        for start in (0..bytes.len()).step_by(size) {
            let end = (start + size).min(bytes.len());
            if bytes[start..end].iter().all(|byte| *byte == 0) {
                continue;
            }
            let mut fewer = bytes.clone();
            fewer[start..end].fill(0);
            tries += 1;
            if tries > TRIES {
                return bytes;
            }
            if rule(&tell(fewer.clone())).as_deref() == Some(rule_broken) {
                bytes = fewer;
            }
        }
        size /= 2;
    }
    bytes
}

/// Runs cases of consecutive seeds; returns those that fail with what they break.
fn run(first: u64, cases: u64) -> Vec<(u64, String)> {
    let next = AtomicU64::new(first);
    let failed = Mutex::new(Vec::new());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + cases {
                        return;
                    }
                    let tale = tell(choices(seed));
                    if let Some(breach) = tale.breaches.first() {
                        failed.lock().unwrap().push((seed, breach.clone()));
                    }
                }
            });
        }
    });
    let mut failed = failed.into_inner().unwrap();
    failed.sort();
    failed
}

/// Writes a case down such that it can become a fixture.
#[expect(
    clippy::disallowed_methods,
    reason = "who mends a fault wants to look at it"
)]
fn keep(seed: u64) -> String {
    let bytes = choices(seed);
    let Some(rule) = rule(&tell(bytes.clone())) else {
        return "passes when it is run again".to_owned();
    };
    let told = Tale {
        is_told: true,
        ..Tale::default()
    };
    let tale = play_into(told, shrink(bytes, &rule));
    let folder = std::env::temp_dir().join(format!("cosmos-render-random-{seed}"));
    let mut files: Vec<(String, Vec<u8>)> = vec![
        ("about.txt".to_owned(), tale.lines.join("\n\n").into_bytes()),
        (
            "breaches.txt".to_owned(),
            tale.breaches.join("\n").into_bytes(),
        ),
    ];
    let sources = tale.specs.into_iter().chain(tale.snapshot);
    files.extend(sources.map(|source| (source.name, source.bytes)));
    std::fs::create_dir_all(&folder).unwrap();
    for (name, bytes) in files {
        std::fs::write(folder.join(name), bytes).unwrap();
    }
    let first = tale.breaches.first().cloned().unwrap_or_default();
    format!(
        "{first}\n    its documents, its snapshot and what happened: {}",
        folder.display()
    )
}

#[track_caller]
fn report(failed: &[(u64, String)]) {
    if failed.is_empty() {
        return;
    }
    let mut told = std::collections::BTreeSet::new();
    let mut text = String::new();
    for (seed, breach) in failed {
        let rule = breach.split(':').next().unwrap_or_default();
        let _ = writeln!(text, "  seed {seed}: {breach}");
        if told.insert(rule) {
            let _ = writeln!(text, "    smaller: {}", keep(*seed));
        }
    }
    panic!("{} cases fail:\n{text}", failed.len());
}

#[test]
fn the_kept_seeds_stay_mended() {
    let lines = include_str!("seeds.txt").lines();
    let seeds = lines.filter_map(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    let failed: Vec<(u64, String)> = seeds.flat_map(|seed| run(seed, 1)).collect();
    report(&failed);
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "who asks for many cases wants to know how long"
)]
fn whatever_happens_no_rule_is_broken_and_all_comes_to_rest() {
    let first = asked("COSMOS_RENDER_SEED").unwrap_or(0);
    let cases = asked("COSMOS_RENDER_CASES").unwrap_or(CASES);
    let start = std::time::Instant::now();
    let failed = run(first, cases);
    let seconds = start.elapsed().as_secs();
    let last = (first + cases).saturating_sub(1);
    println!(
        "{cases} cases, seeds {first} to {last}: {} fail, {seconds} s",
        failed.len()
    );
    report(&failed);
}
