pub mod admin;
pub mod cli;
pub mod config;

pub mod log {
    pub mod epochs;
    pub mod producers;
}
