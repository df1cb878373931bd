//! The program: calls the `cli` room and hands its exit code to the system.

fn main() -> std::process::ExitCode {
    cosmos_render::cli::run()
}
