//! Work on many things at once, on as many threads as the machine has processors. What comes of it
//! stands in the order of the things, so that nobody can tell how many threads there were. Knows nothing
//! of what the work is.

use std::sync::OnceLock;

use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

/// Fewer things are not worth waking other threads.
const LEAST: usize = 16;
/// What a thread needs for documents that are as deep as they may be: as much as the first one has.
const STACK: usize = 8 << 20;

/// Returns what comes of each thing, in their order. Where no thread can be started, this one does
/// everything.
pub(crate) fn map<T: Sync, R: Send>(things: &[T], each: impl Fn(&T) -> R + Sync + Send) -> Vec<R> {
    static POOL: OnceLock<Option<ThreadPool>> = OnceLock::new();
    if things.len() < LEAST {
        return things.iter().map(each).collect();
    }
    let pool = POOL.get_or_init(|| ThreadPoolBuilder::new().stack_size(STACK).build().ok());
    match pool {
        Some(pool) => pool.install(|| things.par_iter().map(each).collect()),
        None => things.iter().map(each).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_stand_in_the_order_of_the_things() {
        for count in [0, 1, LEAST, 1000] {
            let things: Vec<usize> = (0..count).collect();
            let done = map(&things, |thing| {
                // those at the front take longest
                let spin: usize = (0..(count - thing) * 20).map(std::hint::black_box).sum();
                (spin > 0, thing * 2)
            });
            let expected: Vec<(bool, usize)> = things.iter().map(|t| (true, t * 2)).collect();
            assert_eq!(done, expected);
        }
    }
}
