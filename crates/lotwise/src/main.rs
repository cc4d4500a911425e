//! `lotwise`: the program.

fn main() -> std::process::ExitCode {
    lotwise::run()
}
