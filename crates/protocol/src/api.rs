//! The API table: for every request its key, versions, listeners and header versions, from the
//! schemas.

pub use crate::generated::api::ApiKey;

use crate::generated::api::{APIS, INDEX_BY_KEY};

/// What the schemas say about one API.
#[derive(Debug)]
pub struct ApiInfo {
    pub key: ApiKey,
    /// Kafka's name, as in metrics and logs ("CreateTopics").
    pub name: &'static str,
    pub min_version: i16,
    /// The latest version, stable or not.
    pub max_version: i16,
    /// The latest version is still subject to change; served only when unstable versions are
    /// enabled.
    pub latest_version_unstable: bool,
    /// The first version with request header 2 and response header 1, if there is one.
    pub flexible_from: Option<i16>,
    /// Served to clients and brokers.
    pub on_broker: bool,
    /// Served by KRaft controllers.
    pub on_controller: bool,
}

impl ApiKey {
    /// Every API of this release, by ascending key.
    pub fn all() -> impl Iterator<Item = ApiKey> {
        APIS.iter().map(|info| info.key)
    }

    /// None: no such API, or one whose versions are all removed.
    pub fn from_i16(key: i16) -> Option<ApiKey> {
        let index = *INDEX_BY_KEY.get(usize::try_from(key).ok()?)?;
        APIS.get(usize::from(index)).map(|info| info.key)
    }

    pub fn code(self) -> i16 {
        self as i16
    }

    pub fn info(self) -> &'static ApiInfo {
        &APIS[usize::from(INDEX_BY_KEY[self as usize])]
    }

    pub fn name(self) -> &'static str {
        self.info().name
    }

    pub fn min_version(self) -> i16 {
        self.info().min_version
    }

    pub fn max_version(self) -> i16 {
        self.info().max_version
    }

    /// The latest version that is not subject to change; below [`Self::min_version`] where there is
    /// none.
    pub fn max_stable_version(self) -> i16 {
        self.info().max_version - i16::from(self.info().latest_version_unstable)
    }

    pub fn supports(self, version: i16) -> bool {
        (self.min_version()..=self.max_version()).contains(&version)
    }

    pub fn is_flexible(self, version: i16) -> bool {
        self.info().flexible_from.is_some_and(|first| version >= first)
    }

    /// 1 (correlation and client id) or 2 (also tagged fields).
    pub fn request_header_version(self, version: i16) -> i16 {
        if self.is_flexible(version) { 2 } else { 1 }
    }

    /// 0 (correlation id) or 1 (also tagged fields). ApiVersions answers with 0 always: its caller
    /// does not know yet what the broker can speak (KIP-511).
    pub fn response_header_version(self, version: i16) -> i16 {
        i16::from(self.is_flexible(version) && self != ApiKey::ApiVersions)
    }
}

impl std::fmt::Display for ApiKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}
