//! The project's own commands, run as `cargo xtask NAME`.

mod codegen;

use clap::Parser;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The project's own commands")]
enum Command {
    /// Writes crates/protocol's generated code from the schemas in Kafka's jars
    Codegen(codegen::Options),
}

fn main() -> anyhow::Result<()> {
    match Command::parse() {
        Command::Codegen(options) => codegen::run(&options),
    }
}
