// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `DescribeUserScramCredentialsRequest`, versions 0 to 0.

use super::super::prelude::*;

/// `DescribeUserScramCredentialsRequest`.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeUserScramCredentialsRequest {
    /// The users to describe, or null/empty to describe all users. (versions 0+)
    pub users: Option<Vec<UserName>>,
}

impl Default for DescribeUserScramCredentialsRequest {
    fn default() -> Self {
        Self { users: Some(Vec::new()) }
    }
}

impl Structure for DescribeUserScramCredentialsRequest {
    const MIN_WIRE_BYTES: usize = 2;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.users = reader.nullable_array(true, true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_nullable_array(writer, self.users.as_deref(), true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// The users to describe, or null/empty to describe all users.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct UserName {
    /// The user name. (versions 0+)
    pub name: String,
}

impl Structure for UserName {
    const MIN_WIRE_BYTES: usize = 2;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.name = reader.string(true)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_string(writer, &self.name, true)?;
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for DescribeUserScramCredentialsRequest {
    const NAME: &'static str = "DescribeUserScramCredentialsRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Request for DescribeUserScramCredentialsRequest {
    const API_KEY: i16 = 50;
    type Response = super::DescribeUserScramCredentialsResponse;
}
