//! A transport that is none of the broker's: see [`masked`]. The tests that drive it stand where
//! replies are sent (`net/send`) and where connections come from (`net/tests.rs`).

pub mod masked;
