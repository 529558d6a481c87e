//! What the sinks share: the command line, the answers, the way through a stream of requests, and
//! the bytes on disk.
//!
//! A sink looks at nothing in a request but its head, and answers that all went well. What it costs
//! is what the kernel takes to bring the bytes in and to put them down, or to fetch them and send
//! them away.

pub mod answers;
pub mod conversation;
pub mod frames;
pub mod options;
pub mod storage;
