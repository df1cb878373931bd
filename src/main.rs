//! The program: calls the `cli` room and hands its exit code to the system. It chooses the allocator
//! as well, since that is the program's business and no library's.

use mimalloc::MiMalloc;

/// Documents are trees of small values: the system's own allocator takes a third of the time of a
/// large fleet, and musl's far more.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> std::process::ExitCode {
    cosmos_render::cli::run()
}
