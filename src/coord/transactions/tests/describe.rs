//! DescribeTransactions and ListTransactions.

use super::*;
use crate::limits;

#[test]
fn a_transaction_is_described() {
    let mut host = Host::new();
    let producer = host.start();
    host.advance(1_000);
    assert_eq!(host.add(producer, &[("a", 0), ("a", 2), ("b", 1)], NEW), ErrorCode::None);
    let state = host.describe(ID);
    assert_eq!(error(state.error_code), ErrorCode::None);
    assert_eq!(
        (state.transactional_id.as_str(), state.transaction_state.as_str()),
        (ID, "Ongoing")
    );
    assert_eq!((state.producer_id, state.producer_epoch), (producer.id, producer.epoch));
    assert_eq!(state.transaction_timeout_ms, TIMEOUT_MS);
    assert_eq!(state.transaction_start_time_ms, START_MS + 1_000);
    let topics: Vec<(&str, &[i32])> =
        state.topics.iter().map(|topic| (topic.topic.as_str(), &topic.partitions[..])).collect();
    assert_eq!(topics, [("a", &[0, 2][..]), ("b", &[1][..])]);
    host.init(fresh("u")).unwrap();
    assert_eq!(host.describe("u").transaction_start_time_ms, -1);
    assert_eq!(error(host.describe("v").error_code), ErrorCode::TransactionalIdNotFound);
    assert_eq!(error(host.describe("").error_code), ErrorCode::InvalidRequest);
}

/// Four ids: one of each kind.
fn listed() -> Host {
    let mut host = Host::new();
    host.init(fresh("empty")).unwrap();
    for id in ["done", "decided", "open"] {
        let producer = host.init(fresh(id)).unwrap();
        assert_eq!(host.add_in(adding(id, producer, &[("a", 0)]), NEW), [ErrorCode::None]);
        if id != "open" {
            let request = ending(id, producer, id == "done");
            host.call(Request::EndTxn { request, api_version: NEW });
        }
        if id == "done" {
            host.report(MarkerOutcome::Written);
        }
        host.advance(1_000);
    }
    host
}

fn names(page: &Page) -> Vec<&str> {
    assert_eq!((page.error, &page.next), (None, &None));
    page.transactions.iter().map(|state| state.transactional_id.as_str()).collect()
}

#[test]
fn transactions_are_listed_by_what_the_filter_lets_through() {
    let mut host = listed();
    let all = host.list(&Arc::default(), None);
    assert_eq!(names(&all), ["decided", "done", "empty", "open"]);
    let states: Vec<&str> =
        all.transactions.iter().map(|state| state.transaction_state.as_str()).collect();
    assert_eq!(states, ["PrepareAbort", "CompleteCommit", "Empty", "Ongoing"]);
    let mut filtered = |filter: Filter| host.list(&Arc::new(filter), None);
    let states = |names: &[&str]| {
        let mut filter = Filter::older_than(-1);
        let known: Vec<bool> = names.iter().map(|name| filter.add_state(name)).collect();
        (filter, known)
    };
    let (by_state, known) = states(&["Ongoing", "Empty", "Nonsense", "Dead", "ongoing"]);
    assert_eq!(known, [true, true, false, true, false]);
    assert_eq!(names(&filtered(by_state)), ["empty", "open"]);
    assert!(names(&filtered(states(&["Nonsense"]).0)).is_empty());
    let mut by_producer = Filter::older_than(-1);
    [1_000, 1_003, 77].into_iter().for_each(|id| by_producer.add_producer_id(id));
    assert_eq!(names(&filtered(by_producer)), ["empty", "open"]);
    for duration_ms in [1_500, 1_000] {
        let by_duration = filtered(Filter::older_than(duration_ms));
        assert_eq!(names(&by_duration), ["decided", "done", "empty"], "longer than that");
    }
}

/// All of a partition were looked at in one turn.
#[test]
fn a_page_looks_at_a_bounded_number_of_ids() {
    let count = 2 * limits::TRANSACTIONS_LISTED_AT_ONCE + 10;
    let mut host = Host::new();
    let long = "x".repeat(30_000);
    for number in 0..count {
        host.init(fresh(&format!("{number:05}"))).unwrap();
    }
    let walk = |host: &mut Host, filter: Filter| {
        let (filter, mut after, mut pages) = (Arc::new(filter), None, Vec::new());
        loop {
            let page = host.list(&filter, after);
            pages.push(page.transactions.len());
            after = page.next;
            if after.is_none() {
                return pages;
            }
        }
    };
    let most = limits::TRANSACTIONS_LISTED_AT_ONCE;
    assert_eq!(walk(&mut host, Filter::default()), [most, most, 10]);
    let mut none = Filter::default();
    none.add_producer_id(7);
    assert_eq!(walk(&mut host, none), [0, 0, 0], "those that do not pass count, too");
    for number in 0..5 {
        host.init(fresh(&format!("{long}{number}"))).unwrap();
    }
    assert_eq!(walk(&mut host, Filter::default()), [most, most, 13, 2], "their bytes count, too");
}
