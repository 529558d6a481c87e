use super::metrics::render_with_limit;
use super::system::SystemSnapshot;
use super::*;
use crate::config::listeners::Address;
use crate::stats::{
    CoreMetric, GroupOffsetSnapshot, GroupSnapshot, Histogram, PartitionSnapshot, RequestSnapshot,
    ShardSnapshot, TopicTraffic,
};
use protocol::api::ApiKey;
use protocol::error::ErrorCode;
use std::sync::atomic::Ordering;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

fn two_shards() -> Snapshot {
    let mut produce = Histogram::default();
    produce.record_ns(1_000_000);
    produce.record_ns(3_000_000);
    let shard = |core: usize| ShardSnapshot {
        core,
        cpu: core + 2,
        backend: "io_uring",
        metrics: vec![
            CoreMetric::gauge("millstream_connections", "Open connections", 3.0 + core as f64),
            CoreMetric::counter("millstream_loop_busy_seconds", "Time", 1.5),
        ],
        requests: vec![RequestSnapshot { api: ApiKey::Produce, latency: produce.clone() }],
        errors: vec![(ErrorCode::NotLeaderOrFollower, 4)],
        traffic: ["a", "b", "c"]
            .map(|topic| TopicTraffic {
                topic: topic.to_owned(),
                produce_bytes: 10,
                produce_records: 1,
                fetch_bytes: 20,
            })
            .to_vec(),
        loop_stalls: vec![ring::Stalls {
            cause: ring::Cause { task: "commit write", operation: Some("write_now") },
            count: 3,
            longest: std::time::Duration::from_millis(250),
        }],
        partitions: vec![PartitionSnapshot {
            topic: "a".to_owned(),
            partition: core as i32,
            log_end_offset: 120,
            high_watermark: 100,
            ..PartitionSnapshot::default()
        }],
        ..ShardSnapshot::default()
    };
    let mut shards = vec![shard(0), shard(1)];
    let offset = |partition, committed_offset| GroupOffsetSnapshot {
        topic: "a".to_owned(),
        partition,
        committed_offset,
    };
    shards[0].groups = vec![GroupSnapshot {
        group: "odd \"name\"\n".to_owned(),
        state: "Stable",
        members: 2,
        offsets: vec![offset(0, 100), offset(1, 60), offset(9, 5)],
    }];
    Snapshot { shards }
}

fn has_line(text: &str, line: &str) -> bool {
    text.lines().any(|other| other == line)
}

#[test]
fn every_number_has_its_series() {
    let text =
        render_with_limit(two_shards(), Default::default(), SystemSnapshot::default(), true, 100);
    for line in [
        "# TYPE millstream_produce_bytes counter",
        "millstream_produce_bytes_total{topic=\"a\",core=\"1\"} 10.0",
        "millstream_fetch_bytes_total{topic=\"c\",core=\"0\"} 20.0",
        "millstream_core_info{core=\"1\",cpu=\"3\",backend=\"io_uring\"} 1.0",
        "# TYPE millstream_connections gauge",
        "millstream_connections{core=\"0\"} 3.0",
        "millstream_connections{core=\"1\"} 4.0",
        "# TYPE millstream_loop_busy_seconds counter",
        "millstream_requests_total{api=\"Produce\",core=\"0\"} 2.0",
        "millstream_request_duration_seconds_count{api=\"Produce\"} 4",
        "millstream_request_duration_seconds_sum{api=\"Produce\"} 0.008",
        "millstream_request_duration_seconds_bucket{le=\"0.001048576\",api=\"Produce\"} 2",
        "millstream_request_duration_seconds_bucket{le=\"+Inf\",api=\"Produce\"} 4",
        "millstream_request_errors_total{error=\"NOT_LEADER_OR_FOLLOWER\",core=\"0\"} 4.0",
        "millstream_loop_busy_seconds_total{core=\"0\"} 1.5",
        "millstream_loop_stalls_total{core=\"0\",task=\"commit write\",operation=\"write_now\"} \
         3.0",
        "millstream_loop_longest_stall_seconds{core=\"0\",task=\"commit \
         write\",operation=\"write_now\"} 0.25",
        "millstream_partition_log_end_offset{topic=\"a\",partition=\"0\"} 120.0",
        "millstream_ready 1.0",
        "millstream_metrics_left_out{kind=\"partitions\"} 0.0",
        "# EOF",
    ] {
        assert!(has_line(&text, line), "{line}\n\n{text}");
    }
}

#[test]
fn lag_is_reckoned_across_shards_and_names_are_escaped() {
    let text =
        render_with_limit(two_shards(), Default::default(), SystemSnapshot::default(), true, 100);
    let lag = |partition: i32| {
        format!(
            "millstream_consumer_group_lag{{group=\"odd \
             \\\"name\\\"\\n\",topic=\"a\",partition=\"{partition}\"}}"
        )
    };
    assert!(has_line(&text, &format!("{} 0.0", lag(0))), "{text}");
    assert!(has_line(&text, &format!("{} 40.0", lag(1))), "{text}");
    assert!(!text.contains(&lag(9)), "no shard here leads that partition");
}

#[test]
fn the_number_of_series_is_bounded() {
    let text =
        render_with_limit(two_shards(), Default::default(), SystemSnapshot::default(), true, 1);
    assert!(
        has_line(&text, "millstream_produce_bytes_total{topic=\"a\",core=\"0\"} 10.0"),
        "{text}"
    );
    assert!(
        has_line(&text, "millstream_produce_bytes_total{topic=\"(other)\",core=\"0\"} 20.0"),
        "{text}"
    );
    assert!(
        has_line(&text, "millstream_produce_bytes_total{topic=\"(other)\",core=\"1\"} 30.0"),
        "{text}"
    );
    assert!(has_line(&text, "millstream_metrics_left_out{kind=\"partitions\"} 1.0"), "{text}");
    assert!(has_line(&text, "millstream_metrics_left_out{kind=\"group_offsets\"} 2.0"), "{text}");
}

fn source(ready: &Arc<AtomicBool>) -> Source {
    Source {
        collect: Box::new(|| Box::pin(async { two_shards() })),
        health: Box::new(|| Box::pin(async { Vec::new() })),
        ready: ready.clone(),
        client_metrics: Arc::default(),
        log_dirs: vec![std::env::temp_dir()],
    }
}

/// The status line and the whole answer.
async fn get(address: std::net::SocketAddr, path: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    (answer.lines().next().unwrap_or_default().to_owned(), answer)
}

#[tokio::test]
async fn pages_are_served_until_shutdown() {
    let ready = Arc::new(AtomicBool::new(false));
    let bound = bind(&Address { host: "127.0.0.1".to_owned(), port: 0 }).await.unwrap();
    let address = bound.local_address();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let server = tokio::spawn(bound.serve(source(&ready), async { stopped.await.unwrap() }));

    assert_eq!(get(address, "/health").await.0, "HTTP/1.1 200 OK");
    assert_eq!(get(address, "/ready").await.0, "HTTP/1.1 503 Service Unavailable");
    ready.store(true, Ordering::Relaxed);
    assert_eq!(get(address, "/ready").await.0, "HTTP/1.1 200 OK");
    assert_eq!(get(address, "/nothing").await.0, "HTTP/1.1 404 Not Found");
    let (status, answer) = get(address, "/metrics").await;
    assert_eq!(status, "HTTP/1.1 200 OK");
    assert!(
        answer.contains("content-type: application/openmetrics-text; version=1.0.0"),
        "{answer}"
    );
    for part in [
        "millstream_consumer_group_lag{",
        "process_cpu_seconds_total ",
        "millstream_disk_free_bytes{log_dir=",
        "# EOF\n",
    ] {
        assert!(answer.contains(part), "{part}\n{answer}");
    }

    stop.send(()).unwrap();
    server.await.unwrap().unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_port_in_use_is_said() {
    let first = bind(&Address { host: "127.0.0.1".to_owned(), port: 0 }).await.unwrap();
    let taken = Address { host: "127.0.0.1".to_owned(), port: first.local_address().port() };
    let error = bind(&taken).await.err().unwrap().to_string();
    assert!(error.contains(&format!("admin.listener={taken}: cannot listen there")), "{error}");
    assert!(error.contains("in use"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn shards_that_do_not_answer_make_a_scrape_fail() {
    let ready = Arc::new(AtomicBool::new(true));
    let silent =
        Source { collect: Box::new(|| Box::pin(std::future::pending())), ..source(&ready) };
    let bound = bind(&Address { host: "127.0.0.1".to_owned(), port: 0 }).await.unwrap();
    let address = bound.local_address();
    let server = tokio::spawn(bound.serve(silent, std::future::pending()));
    assert_eq!(get(address, "/metrics").await.0, "HTTP/1.1 503 Service Unavailable");
    server.abort();
}
