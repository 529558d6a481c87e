//! What the core that hosts the controller does for all cores: it publishes the metadata, and
//! writes the checkpoints of the log directories.
//!
//! Owns: the log directories while the broker runs. Lives on: [`super::CONTROLLER_CORE`]. Never:
//! starts or stops anything; `boot` does.

pub mod checkpoints;
pub mod feeds;
pub mod publish;
