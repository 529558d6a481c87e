//! AlterUserScramCredentials (key 51): sets and removes what users of SASL/SCRAM prove themselves
//! by. Nothing acts upon it yet.
//!
//! A client sends the salted password, and the log keeps what is derived from it (RFC 5802):
//! neither the password nor the salted one can be had from that. Never: shows any of them in a
//! message or in the text of a request.

use super::{ApiError, Context, MAX_RECORDS_PER_REQUEST, Outcome};
use hmac::{Hmac, Mac, digest::KeyInit};
use protocol::ErrorCode;
use protocol::messages::{
    AlterUserScramCredentialsRequest, AlterUserScramCredentialsResponse,
    alter_user_scram_credentials_request::{ScramCredentialDeletion, ScramCredentialUpsertion},
    alter_user_scram_credentials_response::AlterUserScramCredentialsResult,
};
use protocol::metadata_records::{
    MetadataRecord, RemoveUserScramCredentialRecord, UserScramCredentialRecord,
};
use rustc_hash::FxHashMap;
use sha2::{Digest, Sha256, Sha512};
use std::fmt;

/// The wire's codes of the mechanisms (`ScramMechanism.type`).
const SHA_256: i8 = 1;
const SHA_512: i8 = 2;

/// What a credential must have at least (`ScramMechanism.minIterations`), and at most
/// (`ScramControlManager.MAX_ITERATIONS`).
const ITERATIONS: std::ops::RangeInclusive<i32> = 4096..=16384;

/// A salted password is as long as the mechanism's hash: 64 bytes at most.
const SALTED_PASSWORD_BYTES: std::ops::RangeInclusive<usize> = 1..=64;

/// Clients make salts of some 30 bytes. A record has to fit a batch of the log.
const SALT_BYTES_MAX: usize = 1024;

/// A request whose keys are derived.
#[derive(Clone, PartialEq)]
pub struct ScramAlterations {
    pub deletions: Vec<ScramCredentialDeletion>,
    /// As the log is to have them. Without keys where the mechanism is unknown, or the salted
    /// password cannot be one.
    pub upsertions: Vec<UserScramCredentialRecord>,
}

impl fmt::Debug for ScramAlterations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (deletions, upsertions) = (self.deletions.len(), self.upsertions.len());
        write!(f, "ScramAlterations({deletions} deletions, {upsertions} upsertions)")
    }
}

impl ScramAlterations {
    fn users(&self) -> impl Iterator<Item = &str> {
        let deleted = self.deletions.iter().map(|deletion| &*deletion.name);
        deleted.chain(self.upsertions.iter().map(|upsertion| &*upsertion.name))
    }
}

/// Refuses what would take too many records, before keys are derived for it.
pub fn check_size(request: &AlterUserScramCredentialsRequest) -> Result<(), ApiError> {
    if request.deletions.len() + request.upsertions.len() <= MAX_RECORDS_PER_REQUEST {
        return Ok(());
    }
    let message = "Unable to perform excessively large batch operation.";
    Err(ApiError::new(ErrorCode::PolicyViolation, message))
}

/// The record of a credential. Three hashes of a few bytes: the many iterations were the client's.
pub fn derive(upsertion: ScramCredentialUpsertion) -> UserScramCredentialRecord {
    let salted = &upsertion.salted_password[..];
    let (stored_key, server_key) = match upsertion.mechanism {
        _ if !SALTED_PASSWORD_BYTES.contains(&salted.len()) => Default::default(),
        SHA_256 => {
            let client_key = keyed::<Hmac<Sha256>>(salted, b"Client Key");
            (Sha256::digest(client_key).to_vec(), keyed::<Hmac<Sha256>>(salted, b"Server Key"))
        }
        SHA_512 => {
            let client_key = keyed::<Hmac<Sha512>>(salted, b"Client Key");
            (Sha512::digest(client_key).to_vec(), keyed::<Hmac<Sha512>>(salted, b"Server Key"))
        }
        _ => Default::default(),
    };
    UserScramCredentialRecord {
        name: upsertion.name,
        mechanism: upsertion.mechanism,
        salt: upsertion.salt,
        stored_key: stored_key.into(),
        server_key: server_key.into(),
        iterations: upsertion.iterations,
    }
}

fn keyed<M: Mac + KeyInit>(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mac = <M as Mac>::new_from_slice(key).expect("a key of HMAC has any length");
    mac.chain_update(text).finalize().into_bytes().to_vec()
}

pub fn handle(
    context: &Context<'_>,
    alterations: &ScramAlterations,
) -> Outcome<AlterUserScramCredentialsResponse> {
    // In the order in which users are named first; a user is altered once, or not at all.
    let mut users: Vec<(&str, Result<MetadataRecord, ApiError>)> = Vec::new();
    let mut places = FxHashMap::<&str, usize>::default();
    let deletions = alterations.deletions.iter().map(|one| (&*one.name, delete(context, one)));
    let upsertions = alterations.upsertions.iter().map(|one| (&*one.name, upsert(one)));
    for (user, altered) in deletions.chain(upsertions) {
        let Some(&place) = places.get(user) else {
            places.insert(user, users.len());
            users.push((user, altered));
            continue;
        };
        if users[place].1.is_ok() {
            let message = "A user credential cannot be altered twice in the same request";
            users[place].1 = Err(ApiError::new(ErrorCode::DuplicateResource, message));
        }
    }
    let results = users.iter().map(|(user, altered)| result(user, altered)).collect();
    let records = users.into_iter().filter_map(|(_, altered)| altered.ok()).collect();
    Outcome::of(records, AlterUserScramCredentialsResponse { throttle_time_ms: 0, results })
}

/// Tells every user of a request the same error.
pub fn refuse<'a>(
    users: impl Iterator<Item = &'a str>,
    error: &ApiError,
) -> AlterUserScramCredentialsResponse {
    let mut seen = rustc_hash::FxHashSet::default();
    let failed: Result<(), ApiError> = Err(error.clone());
    let results =
        users.filter(|user| seen.insert(*user)).map(|user| result(user, &failed)).collect();
    AlterUserScramCredentialsResponse { throttle_time_ms: 0, results }
}

pub(super) fn refused(
    alterations: &ScramAlterations,
    error: &ApiError,
) -> AlterUserScramCredentialsResponse {
    refuse(alterations.users(), error)
}

fn result<T>(user: &str, altered: &Result<T, ApiError>) -> AlterUserScramCredentialsResult {
    let (error_code, error_message) = super::error_fields(altered);
    AlterUserScramCredentialsResult { user: user.to_owned(), error_code, error_message }
}

fn delete(
    context: &Context<'_>,
    deletion: &ScramCredentialDeletion,
) -> Result<MetadataRecord, ApiError> {
    check(&deletion.name, deletion.mechanism)?;
    let key = (deletion.name.clone(), deletion.mechanism);
    if !context.image.scram_credentials.contains_key(&key) {
        let message = "Attempt to delete a user credential that does not exist";
        return Err(ApiError::new(ErrorCode::ResourceNotFound, message));
    }
    Ok(RemoveUserScramCredentialRecord { name: key.0, mechanism: key.1 }.into())
}

fn upsert(upsertion: &UserScramCredentialRecord) -> Result<MetadataRecord, ApiError> {
    check(&upsertion.name, upsertion.mechanism)?;
    let refuse = |message: &str| Err(ApiError::new(ErrorCode::UnacceptableCredential, message));
    if upsertion.iterations < *ITERATIONS.start() {
        return refuse("Too few iterations");
    }
    if upsertion.iterations > *ITERATIONS.end() {
        return refuse("Too many iterations");
    }
    if upsertion.stored_key.is_empty() {
        return refuse("The salted password must have 1 to 64 bytes");
    }
    if upsertion.salt.len() > SALT_BYTES_MAX {
        return refuse("The salt is too long");
    }
    Ok(upsertion.clone().into())
}

fn check(user: &str, mechanism: i8) -> Result<(), ApiError> {
    if user.is_empty() {
        let message = "Username must not be empty";
        return Err(ApiError::new(ErrorCode::UnacceptableCredential, message));
    }
    if !matches!(mechanism, SHA_256 | SHA_512) {
        let message = "Unknown SCRAM mechanism";
        return Err(ApiError::new(ErrorCode::UnsupportedSaslMechanism, message));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::{ControllerRequest, ControllerResponse};
    use super::*;
    use crate::meta::testing::World;
    use bytes::Bytes;

    fn deletion(name: &str, mechanism: i8) -> ScramCredentialDeletion {
        ScramCredentialDeletion { name: name.to_owned(), mechanism }
    }

    fn upsertion(name: &str, mechanism: i8, iterations: i32) -> ScramCredentialUpsertion {
        ScramCredentialUpsertion {
            name: name.to_owned(),
            mechanism,
            iterations,
            salt: Bytes::from_static(b"salt"),
            salted_password: Bytes::from_static(b"salted"),
        }
    }

    /// The user, the error and its message, in the order of the response.
    fn alter(
        world: &mut World,
        deletions: Vec<ScramCredentialDeletion>,
        upsertions: Vec<ScramCredentialUpsertion>,
    ) -> Vec<(String, ErrorCode, String)> {
        let upsertions = upsertions.into_iter().map(derive).collect();
        let request = ScramAlterations { deletions, upsertions };
        let request = ControllerRequest::AlterUserScramCredentials(request);
        let ControllerResponse::AlterUserScramCredentials(response) = world.ask(request) else {
            panic!("an answer of another kind")
        };
        let told = |result: AlterUserScramCredentialsResult| {
            let error = ErrorCode::from_code(result.error_code).unwrap();
            (result.user, error, result.error_message.unwrap_or_default())
        };
        response.results.into_iter().map(told).collect()
    }

    fn errors(told: &[(String, ErrorCode, String)]) -> Vec<(&str, ErrorCode)> {
        told.iter().map(|(user, error, _)| (&**user, *error)).collect()
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The example of RFC 7677, whose salted password was made with 4096 iterations of "pencil".
    #[test]
    fn keys_are_those_of_the_standard() {
        let salted = "c4a49510323ab4f952cac1fa99441939e78ea74d6be81ddf7096e87513dc615d";
        let byte = |at: usize| u8::from_str_radix(&salted[at..at + 2], 16).unwrap();
        let salted: Vec<u8> = (0..salted.len()).step_by(2).map(byte).collect();
        let upsertion = ScramCredentialUpsertion {
            salted_password: salted.into(),
            ..upsertion("user", SHA_256, 4096)
        };
        let record = derive(upsertion);
        assert_eq!(
            hex(&record.stored_key),
            "586e5df283e6dceb5c3e791d8b8528ec191e664045ce971792e2e6b5bb13e2a6"
        );
        assert_eq!(
            hex(&record.server_key),
            "c1f3cbc1c13a9d35a14c0990eed97629ea225863e566a4314ab99f3f00e5d9d5"
        );
    }

    #[test]
    fn credentials_are_set_replaced_and_removed() {
        let mut world = World::new();
        let set = vec![upsertion("a", SHA_256, 4096), upsertion("b", SHA_512, 16384)];
        let told = alter(&mut world, vec![], set);
        assert_eq!(errors(&told), [("a", ErrorCode::None), ("b", ErrorCode::None)]);
        let key = |user: &str, mechanism| (user.to_owned(), mechanism);
        let record = world.image().scram_credentials.get(&key("b", SHA_512)).unwrap().clone();
        assert_eq!((record.stored_key.len(), record.server_key.len()), (64, 64));
        assert_eq!((&record.salt[..], record.iterations), (&b"salt"[..], 16384));

        let told =
            alter(&mut world, vec![deletion("b", SHA_512)], vec![upsertion("a", SHA_256, 5000)]);
        assert_eq!(errors(&told), [("b", ErrorCode::None), ("a", ErrorCode::None)]);
        let image = world.image();
        assert_eq!(image.scram_credentials.size(), 1);
        assert_eq!(image.scram_credentials.get(&key("a", SHA_256)).unwrap().iterations, 5000);
        assert_eq!(*image, world.replayed());
    }

    #[test]
    fn credentials_that_cannot_be_are_refused_and_the_others_stand() {
        let mut world = World::new();
        let told = alter(
            &mut world,
            vec![deletion("missing", SHA_256), deletion("", SHA_256), deletion("odd", 3)],
            vec![
                upsertion("few", SHA_256, 4095),
                upsertion("many", SHA_512, 16385),
                upsertion("unknown", 0, 4096),
                upsertion("", SHA_256, 4096),
                ScramCredentialUpsertion {
                    salted_password: Default::default(),
                    ..upsertion("bare", SHA_256, 4096)
                },
                ScramCredentialUpsertion {
                    salted_password: vec![0; 65].into(),
                    ..upsertion("long", SHA_256, 4096)
                },
                ScramCredentialUpsertion {
                    salt: vec![0; SALT_BYTES_MAX + 1].into(),
                    ..upsertion("salty", SHA_256, 4096)
                },
                upsertion("good", SHA_256, 4096),
            ],
        );
        let (unacceptable, unknown) =
            (ErrorCode::UnacceptableCredential, ErrorCode::UnsupportedSaslMechanism);
        assert_eq!(
            errors(&told),
            [
                ("missing", ErrorCode::ResourceNotFound),
                ("", unacceptable),
                ("odd", unknown),
                ("few", unacceptable),
                ("many", unacceptable),
                ("unknown", unknown),
                ("bare", unacceptable),
                ("long", unacceptable),
                ("salty", unacceptable),
                ("good", ErrorCode::None),
            ]
        );
        assert_eq!(told[3].2, "Too few iterations");
        assert_eq!(world.image().scram_credentials.size(), 1);
    }

    #[test]
    fn a_user_who_is_named_twice_is_not_altered() {
        let mut world = World::new();
        alter(&mut world, vec![], vec![upsertion("there", SHA_256, 4096)]);
        let told = alter(
            &mut world,
            vec![deletion("there", SHA_256), deletion("missing", SHA_256)],
            vec![
                upsertion("twice", SHA_256, 4096),
                upsertion("there", SHA_512, 4096),
                upsertion("twice", SHA_512, 4096),
                upsertion("missing", SHA_256, 4096),
            ],
        );
        assert_eq!(
            errors(&told),
            [
                ("there", ErrorCode::DuplicateResource),
                ("missing", ErrorCode::ResourceNotFound),
                ("twice", ErrorCode::DuplicateResource),
            ]
        );
        assert_eq!(world.image().scram_credentials.size(), 1);
    }

    #[test]
    fn no_secret_is_in_the_text_of_a_request() {
        let upsertions = vec![derive(upsertion("user", SHA_256, 4096))];
        let request = ControllerRequest::AlterUserScramCredentials(ScramAlterations {
            deletions: vec![],
            upsertions,
        });
        let text = format!("{request:?}");
        assert!(text.contains("0 deletions, 1 upsertions"), "{text}");
        assert!(!text.contains("key"), "{text}");
    }
}
