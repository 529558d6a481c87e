//! The project's own commands, run as `cargo xtask NAME`.

mod codegen;
mod config_definitions;

use std::path::Path;

use clap::Parser;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The project's own commands")]
enum Command {
    /// Writes crates/protocol's generated code from the schemas in Kafka's jars
    Codegen(codegen::Options),
    /// Writes src/config/gen from the config definitions in Kafka's jars (needs Maven and a JDK)
    CodegenConfigs,
}

fn main() -> anyhow::Result<()> {
    match Command::parse() {
        Command::Codegen(options) => codegen::run(&options),
        Command::CodegenConfigs => config_definitions::run(
            Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap(),
            codegen::KAFKA_VERSION,
        ),
    }
}
