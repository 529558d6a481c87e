//! Which quota a client is under: of eight levels the first that is set.
//!
//! Owns: nothing. Lives on: any core. Never: keeps quotas; it is shown them.

/// What a quota limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Bytes of produce requests, per second.
    Produce,
    /// Bytes of fetch responses, per second.
    Fetch,
    /// Time of a core that requests take, in percent.
    Request,
    /// Partitions made or deleted, per second.
    Mutation,
}

impl Kind {
    pub const ALL: [Kind; 4] = [Kind::Produce, Kind::Fetch, Kind::Request, Kind::Mutation];

    /// Its name in the metadata.
    pub fn config(self) -> &'static str {
        match self {
            Kind::Produce => "producer_byte_rate",
            Kind::Fetch => "consumer_byte_rate",
            Kind::Request => "request_percentage",
            Kind::Mutation => "controller_mutation_rate",
        }
    }
}

/// The types of entities that have quotas.
pub const USER: &str = "user";
pub const CLIENT_ID: &str = "client-id";
pub const IP: &str = "ip";

/// New connections per second, the one quota of an IP address.
pub const CONNECTION_RATE: &str = "connection_creation_rate";

/// A user or a client id, as a quota names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name<'a> {
    Exact(&'a str),
    /// Each that has no quota of its own.
    Default,
}

/// Whose account it is. Clients of one level share it: an empty name stands for all.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    pub user: Box<str>,
    pub client_id: Box<str>,
}

/// The account that a client is under, and what it may use.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    pub key: Key,
    pub limit: f64,
}

/// The account of a client (`DefaultQuotaCallback`). `quota` shows the quota of an entity; `None`
/// for a user or client id that the entity does not name.
pub fn find<'a>(
    user: &'a str,
    client_id: &'a str,
    quota: impl Fn(Option<Name<'a>>, Option<Name<'a>>) -> Option<f64>,
) -> Option<Found> {
    let (exact_user, exact_id) = (Some(Name::Exact(user)), Some(Name::Exact(client_id)));
    let default = Some(Name::Default);
    let levels = [
        (exact_user, exact_id),
        (exact_user, default),
        (exact_user, None),
        (default, exact_id),
        (default, default),
        (default, None),
        (None, exact_id),
        (None, default),
    ];
    let set = |(user, client_id): (Option<Name<'a>>, Option<Name<'a>>)| {
        Some((user, client_id, quota(user, client_id)?))
    };
    let (of_user, of_id, limit) = levels.into_iter().find_map(set)?;
    // An empty client id has no account of its own: it is its user's, or none.
    let limit = match of_id {
        Some(_) if client_id.is_empty() => {
            of_user.and_then(|_| quota(exact_user, None).or_else(|| quota(default, None)))?
        }
        _ => limit,
    };
    let part = |is_named: bool, name: &str| if is_named { name.into() } else { Box::default() };
    let key =
        Key { user: part(of_user.is_some(), user), client_id: part(of_id.is_some(), client_id) };
    Some(Found { key, limit })
}

#[cfg(test)]
mod tests {
    use super::*;

    type Entity = (Option<Name<'static>>, Option<Name<'static>>);

    const ANY: Option<Name<'static>> = Some(Name::Default);

    fn exact(name: &'static str) -> Option<Name<'static>> {
        Some(Name::Exact(name))
    }

    /// The quotas are 1, 2, … in their order.
    fn found(quotas: &[Entity], user: &'static str, id: &'static str) -> Option<(String, f64)> {
        let quota = |user, id| Some(1.0 + quotas.iter().position(|one| *one == (user, id))? as f64);
        let Found { key, limit } = find(user, id, quota)?;
        Some((format!("{}/{}", key.user, key.client_id), limit))
    }

    /// Kafka's eight levels, from the last to the first: each that is added goes before those that
    /// were there.
    #[test]
    fn the_most_specific_quota_counts() {
        let levels: [(Entity, &str); 8] = [
            ((None, ANY), "/c"),
            ((None, exact("c")), "/c"),
            ((ANY, None), "u/"),
            ((ANY, ANY), "u/c"),
            ((ANY, exact("c")), "u/c"),
            ((exact("u"), None), "u/"),
            ((exact("u"), ANY), "u/c"),
            ((exact("u"), exact("c")), "u/c"),
        ];
        let entities = levels.map(|(entity, _)| entity);
        assert_eq!(found(&[], "u", "c"), None);
        for (place, (_, account)) in levels.iter().enumerate() {
            let set = &entities[..=place];
            assert_eq!(found(set, "u", "c"), Some(((*account).to_owned(), 1.0 + place as f64)));
        }
        assert_eq!(found(&entities[5..], "other", "c"), None, "all of them name the user");
        assert_eq!(found(&entities, "other", "other"), Some(("other/other".to_owned(), 4.0)));
    }

    #[test]
    fn clients_of_a_default_have_an_account_each_and_those_of_a_user_share_it() {
        let of_ids = |id| found(&[(None, ANY)], "u", id);
        assert_eq!(of_ids("a"), Some(("/a".to_owned(), 1.0)));
        assert_eq!(of_ids("b"), Some(("/b".to_owned(), 1.0)));
        let of_users = |id| found(&[(ANY, None)], "u", id);
        assert_eq!(of_users("a"), of_users("b"));
    }

    #[test]
    fn an_empty_client_id_is_its_users_or_has_no_account() {
        assert_eq!(found(&[(None, ANY)], "u", ""), None);
        assert_eq!(found(&[(exact("u"), ANY)], "u", ""), None);
        let both = [(exact("u"), ANY), (ANY, None)];
        assert_eq!(found(&both, "u", ""), Some(("u/".to_owned(), 2.0)));
    }
}
