//! Apache Kafka's wire protocol and record formats: bytes in, bytes out. It performs no I/O, keeps
//! no state, knows no core.
//!
//! The messages under [`generated`] come out of Kafka's own schemas (`cargo xtask codegen`);
//! [`primitives`] is all they stand on.

pub mod api;
pub mod compression;
pub mod error;
pub mod fetch;
mod frame;
#[path = "gen/mod.rs"]
pub mod generated;
pub mod message;
pub mod primitives;
pub mod produce;
pub mod records;
mod throttle;
pub mod uuid;
mod view;
mod writer;

pub use api::ApiKey;
pub use error::ErrorCode;
pub use generated::file as file_records;
pub use generated::group as group_records;
pub use generated::metadata as metadata_records;
pub use generated::rpc as messages;
pub use generated::share as share_records;
pub use generated::transaction as transaction_records;
pub use message::{
    DecodeError, DecodeErrorKind, EncodeError, Message, Request, Response, decode_exact,
};
pub use primitives::Reader;
pub use throttle::Throttle;
pub use uuid::Uuid;
pub use view::{Text, TopicRef};
pub use writer::{LeaderIdAndEpoch, NodeEndpoint};

/// Bytes of the length that stands before every request and response on the wire.
pub const FRAME_LENGTH_BYTES: usize = 4;
