// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `ListTransactionsRequest`, versions 0 to 2.

use super::super::prelude::*;

/// `ListTransactionsRequest`.
#[derive(Clone, Debug, PartialEq)]
pub struct ListTransactionsRequest {
    /// The transaction states to filter by: if empty, all transactions are returned; if non-empty, then only transactions matching one of the filtered states will be returned. (versions 0+)
    pub state_filters: Vec<String>,
    /// The producerIds to filter by: if empty, all transactions will be returned; if non-empty, only transactions which match one of the filtered producerIds will be returned. (versions 0+)
    pub producer_id_filters: Vec<i64>,
    /// Duration (in millis) to filter by: if \< 0, all transactions will be returned; otherwise, only transactions running longer than this duration will be returned. (versions 1+)
    pub duration_filter: i64,
    /// The transactional ID regular expression pattern to filter by: if it is empty or null, all transactions are returned; Otherwise then only the transactions matching the given regular expression will be returned. (versions 2+)
    pub transactional_id_pattern: Option<String>,
}

impl Default for ListTransactionsRequest {
    fn default() -> Self {
        Self {
            state_filters: Default::default(),
            producer_id_filters: Default::default(),
            duration_filter: -1,
            transactional_id_pattern: Default::default(),
        }
    }
}

impl Structure for ListTransactionsRequest {
    const MIN_WIRE_BYTES: usize = 3;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.state_filters = reader.array(true, version)?;
        value.producer_id_filters = reader.array(true, version)?;
        if version >= 1 {
            value.duration_filter = reader.i64()?;
        }
        if version >= 2 {
            value.transactional_id_pattern = reader.nullable_string(true, true)?;
        }
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_array(writer, &self.state_filters, true, version)?;
        put_array(writer, &self.producer_id_filters, true, version)?;
        if version >= 1 {
            writer.put_i64(self.duration_filter);
        } else {
            require(self.duration_filter == -1, "DurationFilter", version)?;
        }
        if version >= 2 {
            put_nullable_string(writer, self.transactional_id_pattern.as_deref(), true)?;
        } else {
            require(self.transactional_id_pattern.is_none(), "TransactionalIdPattern", version)?;
        }
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for ListTransactionsRequest {
    const NAME: &'static str = "ListTransactionsRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 2;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Request for ListTransactionsRequest {
    const API_KEY: i16 = 66;
    type Response = super::ListTransactionsResponse;
}
