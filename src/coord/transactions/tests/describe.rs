//! DescribeTransactions and ListTransactions.

use super::*;

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

fn names(response: &ListTransactionsResponse) -> Vec<&str> {
    assert_eq!(error(response.error_code), ErrorCode::None);
    response.transaction_states.iter().map(|state| state.transactional_id.as_str()).collect()
}

#[test]
fn transactions_are_listed_by_what_the_filter_lets_through() {
    let mut host = listed();
    let all = host.list(ListTransactionsRequest::default());
    assert_eq!(names(&all), ["decided", "done", "empty", "open"]);
    let states: Vec<&str> =
        all.transaction_states.iter().map(|state| state.transaction_state.as_str()).collect();
    assert_eq!(states, ["PrepareAbort", "CompleteCommit", "Empty", "Ongoing"]);
    let mut filtered = |change: fn(&mut ListTransactionsRequest)| {
        let mut request = ListTransactionsRequest::default();
        change(&mut request);
        host.list(request)
    };
    let by_state = filtered(|it| {
        it.state_filters = ["Ongoing", "Empty", "Nonsense", "Dead", "ongoing", "Nonsense"]
            .map(str::to_owned)
            .to_vec();
    });
    assert_eq!(names(&by_state), ["empty", "open"]);
    assert_eq!(by_state.unknown_state_filters, ["Nonsense", "ongoing"]);
    let unknown = filtered(|it| it.state_filters = vec!["Nonsense".into()]);
    assert!(names(&unknown).is_empty());
    let by_producer = filtered(|it| it.producer_id_filters = vec![1_000, 1_003, 77]);
    assert_eq!(names(&by_producer), ["empty", "open"]);
    let by_duration = filtered(|it| it.duration_filter = 1_500);
    assert_eq!(names(&by_duration), ["decided", "done", "empty"]);
    let exact = filtered(|it| it.duration_filter = 1_000);
    assert_eq!(names(&exact), ["decided", "done", "empty"], "longer than that");
    let by_pattern = filtered(|it| it.transactional_id_pattern = Some("d.*e(d)?".into()));
    assert_eq!(names(&by_pattern), ["decided", "done"]);
    let no_pattern = filtered(|it| it.transactional_id_pattern = Some(String::new()));
    assert_eq!(names(&no_pattern).len(), 4);
    let bad = filtered(|it| it.transactional_id_pattern = Some("(".into()));
    assert_eq!(error(bad.error_code), ErrorCode::InvalidRegularExpression);
    let both = filtered(|it| {
        it.state_filters = vec!["Ongoing".into()];
        it.transactional_id_pattern = Some("d.*".into());
    });
    assert!(names(&both).is_empty());
}
