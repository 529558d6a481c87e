//! DescribeUserScramCredentials (key 50): which users have credentials, by mechanism and number of
//! iterations. Never: answers with a key or a salt.

use crate::meta::{ApiError, controller::error_fields, image::MetadataImage};
use protocol::ErrorCode;
use protocol::messages::{
    DescribeUserScramCredentialsRequest, DescribeUserScramCredentialsResponse,
    describe_user_scram_credentials_response::{
        CredentialInfo, DescribeUserScramCredentialsResult,
    },
};
use protocol::metadata_records::UserScramCredentialRecord;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// No users, or null, stand for all that have credentials.
pub fn describe_user_scram_credentials(
    image: &MetadataImage,
    request: &DescribeUserScramCredentialsRequest,
) -> DescribeUserScramCredentialsResponse {
    let results = match request.users.as_deref() {
        None | Some([]) => all(image),
        Some(users) => {
            let mut times = FxHashMap::<&str, usize>::default();
            users.iter().for_each(|user| *times.entry(&user.name).or_default() += 1);
            let first_of_its_name = users.iter().filter_map(|user| {
                let times = times.remove(&*user.name)?;
                Some(named(image, &user.name, times))
            });
            first_of_its_name.collect()
        }
    };
    DescribeUserScramCredentialsResponse { results, ..Default::default() }
}

fn all(image: &MetadataImage) -> Vec<DescribeUserScramCredentialsResult> {
    let mut results: Vec<DescribeUserScramCredentialsResult> = Vec::new();
    // Sorted by user, then by mechanism.
    for ((user, mechanism), record) in image.scram_credentials.iter() {
        if results.last().is_none_or(|last| last.user != *user) {
            let user = user.clone();
            results.push(DescribeUserScramCredentialsResult { user, ..Default::default() });
        }
        let info = CredentialInfo { mechanism: *mechanism, iterations: record.iterations };
        results.last_mut().expect("pushed above").credential_infos.push(info);
    }
    results
}

fn named(image: &MetadataImage, user: &str, times: usize) -> DescribeUserScramCredentialsResult {
    let user = user.to_owned();
    match find(image, &user, times) {
        Ok(credential_infos) => {
            DescribeUserScramCredentialsResult { user, credential_infos, ..Default::default() }
        }
        failed => {
            let (error_code, error_message) = error_fields(&failed);
            let credential_infos = Vec::new();
            DescribeUserScramCredentialsResult { user, error_code, error_message, credential_infos }
        }
    }
}

fn find(image: &MetadataImage, user: &str, times: usize) -> Result<Vec<CredentialInfo>, ApiError> {
    if times > 1 {
        let message = format!(
            "Cannot describe SCRAM credentials for the same user twice in a single request: {user}"
        );
        return Err(ApiError::new(ErrorCode::DuplicateResource, message));
    }
    let (first, last) = ((user.to_owned(), i8::MIN), (user.to_owned(), i8::MAX));
    let of_user = image.scram_credentials.range(first..=last);
    let info = |((_, mechanism), record): (&(String, i8), &Arc<UserScramCredentialRecord>)| {
        CredentialInfo { mechanism: *mechanism, iterations: record.iterations }
    };
    let infos: Vec<CredentialInfo> = of_user.map(info).collect();
    if infos.is_empty() {
        let message = format!("Attempt to describe a user credential that does not exist: {user}");
        return Err(ApiError::new(ErrorCode::ResourceNotFound, message));
    }
    Ok(infos)
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::messages::describe_user_scram_credentials_request::UserName;

    fn image() -> MetadataImage {
        let mut image = MetadataImage::empty("cluster");
        for (name, mechanism) in [("b", 2), ("a", 1), ("b", 1)] {
            let iterations = 4096 + i32::from(mechanism);
            let name = name.to_owned();
            let record =
                UserScramCredentialRecord { name, mechanism, iterations, ..Default::default() };
            image.replay(&record.into()).unwrap();
        }
        image
    }

    /// The user, the error and the mechanisms, in the order of the response.
    fn describe(users: Option<&[&str]>) -> Vec<(String, ErrorCode, Vec<i8>)> {
        let user = |name: &&str| UserName { name: (*name).to_owned() };
        let users = users.map(|users| users.iter().map(user).collect());
        let request = DescribeUserScramCredentialsRequest { users };
        let response = describe_user_scram_credentials(&image(), &request);
        // An empty message where there is none, as Kafka has it.
        assert_eq!((response.error_code, response.error_message.as_deref()), (0, Some("")));
        let told = |result: DescribeUserScramCredentialsResult| {
            let infos = result.credential_infos.iter();
            let mechanisms = infos.map(|info| {
                assert_eq!(info.iterations, 4096 + i32::from(info.mechanism));
                info.mechanism
            });
            let error = ErrorCode::from_code(result.error_code).unwrap();
            assert_eq!(error == ErrorCode::None, result.error_message.unwrap().is_empty());
            (result.user, error, mechanisms.collect())
        };
        response.results.into_iter().map(told).collect()
    }

    #[test]
    fn users_are_described_by_name_or_all_at_once() {
        let (a, b) = ("a".to_owned(), "b".to_owned());
        let everyone =
            [(a.clone(), ErrorCode::None, vec![1]), (b.clone(), ErrorCode::None, vec![1, 2])];
        assert_eq!(describe(None), everyone);
        assert_eq!(describe(Some(&[])), everyone);
        assert_eq!(
            describe(Some(&["b", "c", "a", "b", ""])),
            [
                (b, ErrorCode::DuplicateResource, vec![]),
                ("c".to_owned(), ErrorCode::ResourceNotFound, vec![]),
                (a, ErrorCode::None, vec![1]),
                (String::new(), ErrorCode::ResourceNotFound, vec![]),
            ]
        );
    }
}
