//! placeholder
use crate::backend::*;
pub(crate) fn probe() -> std::io::Result<String> {
    Err(std::io::Error::other("not yet"))
}
