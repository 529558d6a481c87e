// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `CreateDelegationTokenRequest`, versions 1 to 3.

use super::super::prelude::*;

/// `CreateDelegationTokenRequest`.
#[derive(Clone, Debug, PartialEq)]
pub struct CreateDelegationTokenRequest {
    /// The principal type of the owner of the token. If it's null it defaults to the token request principal. (versions 3+)
    pub owner_principal_type: Option<String>,
    /// The principal name of the owner of the token. If it's null it defaults to the token request principal. (versions 3+)
    pub owner_principal_name: Option<String>,
    /// A list of those who are allowed to renew this token before it expires. (versions 0+)
    pub renewers: Vec<CreatableRenewers>,
    /// The maximum lifetime of the token in milliseconds, or -1 to use the server side default. (versions 0+)
    pub max_lifetime_ms: i64,
}

impl Default for CreateDelegationTokenRequest {
    fn default() -> Self {
        Self {
            owner_principal_type: Some(String::new()),
            owner_principal_name: Some(String::new()),
            renewers: Default::default(),
            max_lifetime_ms: Default::default(),
        }
    }
}

impl Structure for CreateDelegationTokenRequest {
    const MIN_WIRE_BYTES: usize = 10;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 2;
        let mut value = Self::default();
        if version >= 3 {
            value.owner_principal_type = reader.nullable_string(flexible, true)?;
        }
        if version >= 3 {
            value.owner_principal_name = reader.nullable_string(flexible, true)?;
        }
        value.renewers = reader.array(flexible, version)?;
        value.max_lifetime_ms = reader.i64()?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 2;
        if version >= 3 {
            put_nullable_string(writer, self.owner_principal_type.as_deref(), flexible)?;
        } else {
            require(
                self.owner_principal_type.as_ref().is_some_and(String::is_empty),
                "OwnerPrincipalType",
                version,
            )?;
        }
        if version >= 3 {
            put_nullable_string(writer, self.owner_principal_name.as_deref(), flexible)?;
        } else {
            require(
                self.owner_principal_name.as_ref().is_some_and(String::is_empty),
                "OwnerPrincipalName",
                version,
            )?;
        }
        put_array(writer, &self.renewers, flexible, version)?;
        writer.put_i64(self.max_lifetime_ms);
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

/// A list of those who are allowed to renew this token before it expires.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct CreatableRenewers {
    /// The type of the Kafka principal. (versions 0+)
    pub principal_type: String,
    /// The name of the Kafka principal. (versions 0+)
    pub principal_name: String,
}

impl Structure for CreatableRenewers {
    const MIN_WIRE_BYTES: usize = 3;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 2;
        let mut value = Self::default();
        value.principal_type = reader.string(flexible)?;
        value.principal_name = reader.string(flexible)?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 2;
        put_string(writer, &self.principal_type, flexible)?;
        put_string(writer, &self.principal_name, flexible)?;
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

impl Message for CreateDelegationTokenRequest {
    const NAME: &'static str = "CreateDelegationTokenRequest";
    const MIN_VERSION: i16 = 1;
    const MAX_VERSION: i16 = 3;
    const FLEXIBLE_FROM: Option<i16> = Some(2);
}

impl Request for CreateDelegationTokenRequest {
    const API_KEY: i16 = 38;
    type Response = super::CreateDelegationTokenResponse;
}
