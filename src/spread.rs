//! Work on many things at once, on as many threads as the machine has processors. What comes of it
//! stands in the order of the things, so that nobody can tell how many threads there were. Knows nothing
//! of what the work is.

use std::panic;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Fewer things for each thread are not worth starting one.
const LEAST: usize = 8;
/// More threads would wait for memory.
const MOST: usize = 8;
/// What a thread needs for documents that are as deep as they may be: as much as the first one has.
const STACK: usize = 8 << 20;

/// Returns what comes of each thing, in their order.
pub(crate) fn map<T: Sync, R: Send>(things: &[T], each: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let processors = thread::available_parallelism().map_or(1, usize::from);
    let threads = processors.min(things.len() / LEAST).min(MOST);
    on(threads, things, each)
}

fn on<T: Sync, R: Send>(threads: usize, things: &[T], each: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(thing) = things.get(at) else {
                return done;
            };
            done.push((at, each(thing)));
        }
    };
    let mut all = thread::scope(|scope| {
        // this thread works too: where no other can be started, it does everything
        let others: Vec<_> = (1..threads)
            .filter_map(|_| {
                let thread = thread::Builder::new().stack_size(STACK);
                thread.spawn_scoped(scope, work).ok()
            })
            .collect();
        let mut all = work();
        for other in others {
            match other.join() {
                Ok(done) => all.extend(done),
                Err(panic) => panic::resume_unwind(panic),
            }
        }
        all
    });
    all.sort_by_key(|(at, _)| *at);
    all.into_iter().map(|(_, done)| done).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_stand_in_the_order_of_the_things() {
        let things: Vec<usize> = (0..1000).collect();
        for threads in [0, 1, 2, 7] {
            let done = on(threads, &things, |thing| {
                // those at the front take longest
                let spin: usize = (0..(1000 - thing) * 20).map(std::hint::black_box).sum();
                (spin > 0, thing * 2)
            });
            let expected: Vec<(bool, usize)> = things.iter().map(|t| (true, t * 2)).collect();
            assert_eq!(done, expected);
        }
        assert_eq!(map(&[] as &[u8], |_| ()), []);
    }
}
