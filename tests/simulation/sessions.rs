//! Fetch sessions of readers (KIP-227): what a response leaves out must be as it was said before,
//! and what it has is held against the model as any fetch is.
//!
//! A session lasts as long as its connection, or longer where the next connection finds it; after
//! that it is begun anew. A reader has one with each node that leads partitions which it reads.

use crate::{
    client::{Client, Lost},
    model::{Expected, Invariant, PartitionKey},
    reader::{self, Cursor},
    run::Run,
};
use protocol::{
    ErrorCode,
    generated::rpc::fetch_request::ForgottenTopic,
    messages::{FetchRequest, FetchResponse},
};
use std::{collections::BTreeMap, net::SocketAddr, ops::Range};

const NEW: i32 = 0;
const FINAL: i32 = -1;

/// A partition of a session.
#[derive(Clone, Copy)]
struct Known {
    /// Where the broker was told to read next.
    offset: i64,
    /// As the session has said it last.
    high_watermark: i64,
}

/// Those of one reader, by node.
#[derive(Default)]
pub struct Sessions(BTreeMap<SocketAddr, Session>);

impl Sessions {
    /// One fetch from each of the leaders of `chosen`, in the session with it.
    pub async fn fetch(
        &mut self,
        client: &mut Client,
        cursors: &mut [Cursor],
        chosen: Range<usize>,
    ) -> Result<(), Lost> {
        let keys: Vec<PartitionKey> =
            cursors[chosen.clone()].iter().map(|cursor| cursor.key).collect();
        for (leader, places) in client.by_leader(&keys).await? {
            let places: Vec<usize> = places.into_iter().map(|place| chosen.start + place).collect();
            self.0.entry(leader).or_default().fetch(client, leader, cursors, &places).await?;
        }
        Ok(())
    }
}

#[derive(Default)]
struct Session {
    id: i32,
    epoch: i32,
    /// The connection of the last answer: there the session must be found.
    connection: Option<u64>,
    known: BTreeMap<PartitionKey, Known>,
}

/// What one request says of the session.
struct Step {
    epoch: i32,
    /// Places of the cursors that are named.
    named: Vec<usize>,
    forgotten: Vec<PartitionKey>,
    /// The partitions of the session, by the places of their cursors, and what must be found of
    /// each.
    members: Vec<(usize, Expected)>,
}

impl Session {
    /// One fetch: of the session, with the partitions at the places in `chosen` brought in and some
    /// others dropped.
    async fn fetch(
        &mut self,
        client: &mut Client,
        leader: SocketAddr,
        cursors: &mut [Cursor],
        chosen: &[usize],
    ) -> Result<(), Lost> {
        let run = client.run.clone();
        // A session goes by names or by ids all its life, and only names that stay can be used.
        let is_base = |cursor: &Cursor| {
            run.model.borrow().topic(cursor.key.topic).is_some_and(|topic| topic.is_base)
        };
        if !run.plan.by_id && !chosen.iter().all(|place| is_base(&cursors[*place])) {
            return reader::fetch_from(client, leader, cursors, chosen).await;
        }
        let step = self.plan(client, leader, cursors, chosen);
        let request = FetchRequest {
            replica_id: -1,
            max_wait_ms: client.below(300) as i32,
            min_bytes: client.below(3) as i32,
            max_bytes: 1 << (8 + client.below(14)),
            session_id: self.id,
            session_epoch: step.epoch,
            topics: reader::topics(client, step.named.iter().map(|place| &cursors[*place])),
            forgotten_topics_data: forgotten(&run, &step.forgotten),
            ..Default::default()
        };
        let before = client.connection(leader);
        let version = if run.plan.by_id { reader::IDS_VERSION } else { reader::NAMES_VERSION };
        let Ok(response) = client.call_at(leader, version, &request).await else {
            // Carried out or not: the same again will be refused or not, and a new session ends
            // this one. What the session has said was forgotten with a request that was to end it.
            if client.one_in(2) || step.epoch == FINAL {
                (self.epoch, self.connection) = (NEW, None);
            }
            return Err(Lost);
        };
        let same_connection =
            before.is_some() && before == client.connection(leader) && before == self.connection;
        if response.error_code != 0 {
            self.refused(client, response.error_code, same_connection);
            return Ok(());
        }
        self.connection = client.connection(leader);
        self.go_on(client, &step, &response, cursors);
        self.take(client, cursors, &step, &response).await
    }

    fn plan(
        &mut self,
        client: &Client,
        leader: SocketAddr,
        cursors: &[Cursor],
        chosen: &[usize],
    ) -> Step {
        let epoch = match self.epoch {
            current if current != NEW && client.one_in(25) => FINAL,
            current => current,
        };
        let is_full = epoch == NEW || epoch == FINAL;
        if is_full {
            self.known.clear();
        }
        let place_of = |key: &PartitionKey| cursors.iter().position(|cursor| cursor.key == *key);
        let drops = |key: &&PartitionKey| match place_of(key) {
            _ if client.leads_not(leader, **key) => true,
            Some(place) => !chosen.contains(&place) && client.one_in(3),
            None => true,
        };
        let forgotten: Vec<PartitionKey> = self.known.keys().filter(drops).copied().collect();
        let model = client.run.model.borrow();
        let mut step = Step { epoch, named: Vec::new(), forgotten, members: Vec::new() };
        for (place, cursor) in cursors.iter().enumerate() {
            let known =
                self.known.get(&cursor.key).filter(|_| !step.forgotten.contains(&cursor.key));
            if known.is_none() && !chosen.contains(&place) {
                continue;
            }
            step.members.push((place, model.expected(cursor.key)));
            // What is not named is read where it was last said.
            if known.is_none_or(|known| known.offset != cursor.next) {
                step.named.push(place);
            }
        }
        step
    }

    fn refused(&mut self, client: &Client, error_code: i16, same_connection: bool) {
        let error = ErrorCode::from_code(error_code);
        client.note(|| format!("session {} epoch {}: {error:?}", self.id, self.epoch));
        match error {
            Some(ErrorCode::FetchSessionIdNotFound | ErrorCode::InvalidFetchSessionEpoch)
                if !same_connection => {}
            error => {
                let detail =
                    format!("fetch in session {} epoch {}: {error:?}", self.id, self.epoch);
                client.run.violate(Invariant::AnswersExplained, detail);
            }
        }
        *self = Session::default();
    }

    /// Takes in that the request was carried out.
    fn go_on(
        &mut self,
        client: &Client,
        step: &Step,
        response: &FetchResponse,
        cursors: &[Cursor],
    ) {
        match step.epoch {
            NEW => (self.id, self.epoch) = (response.session_id, 1),
            FINAL => *self = Session::default(),
            _ => {
                if response.session_id != self.id {
                    let detail =
                        format!("session {} is answered as {}", self.id, response.session_id);
                    client.run.violate(Invariant::AnswersExplained, detail);
                }
                self.epoch += 1;
            }
        }
        if self.id == NEW {
            // The broker has no room for a session, or it was ended.
            return *self = Session::default();
        }
        self.known.retain(|key, _| !step.forgotten.contains(key));
        for place in &step.named {
            let known = self
                .known
                .entry(cursors[*place].key)
                .or_insert(Known { offset: 0, high_watermark: -1 });
            known.offset = cursors[*place].next;
        }
    }

    async fn take(
        &mut self,
        client: &mut Client,
        cursors: &mut [Cursor],
        step: &Step,
        response: &FetchResponse,
    ) -> Result<(), Lost> {
        let run = client.run.clone();
        let is_full = step.epoch == NEW || step.epoch == FINAL;
        let mut lost = Vec::new();
        for (place, expected) in &step.members {
            let cursor = &mut cursors[*place];
            let said = self.known.get(&cursor.key).map_or(-1, |known| known.high_watermark);
            match reader::answer_for(&run, response, cursor.key) {
                None if is_full => reader::missing(&run, cursor.key),
                None if said < expected.acked_end
                    && !run.model.borrow().may_be_gone(cursor.key.topic) =>
                {
                    let say = run.model.borrow().say(cursor.key);
                    let detail = format!(
                        "{say}: the session has said {said}, nothing is new, and {} were \
                         acknowledged",
                        expected.acked_end
                    );
                    run.violate(Invariant::AcknowledgedIsReadable, detail);
                }
                None => {}
                Some(answer) => {
                    if let Some(known) = self.known.get_mut(&cursor.key) {
                        known.high_watermark = answer.high_watermark;
                    }
                    if reader::take(client, cursor, *expected, answer) {
                        lost.push(*place);
                    }
                }
            }
        }
        for place in lost {
            reader::find_start(client, &mut cursors[place]).await?;
        }
        Ok(())
    }
}

fn forgotten(run: &Run, keys: &[PartitionKey]) -> Vec<ForgottenTopic> {
    let model = run.model.borrow();
    let topic = |key: &PartitionKey| ForgottenTopic {
        topic: model.name(key.topic),
        topic_id: key.topic.id,
        partitions: vec![key.index],
    };
    keys.iter().map(topic).collect()
}
