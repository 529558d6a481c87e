//! What surrounds the process: signals, the reader of its log, the ports of its neighbours, a
//! supervisor that restarts it at once.

use crate::support::{
    self, Broker, Client, Setup,
    broker::{free_port, scratch_folder},
};
use rustix::process::Signal;
use std::{
    fs,
    io::Read,
    net::{TcpListener, TcpStream},
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command, Stdio},
};

/// What tells that the last run has closed every log.
const CLEAN_SHUTDOWN: &str = ".kafka_cleanshutdown";

/// A broker on each back-end, started by `program`, for which a terminal closes; and its data.
fn hang_up(program: &[&str], then: impl Fn(&mut Broker, &Path)) {
    for setup in Setup::backends() {
        let (folder, port) = (scratch_folder(), free_port());
        let data = folder.join("data");
        let inner = setup.command(&data, port);
        let mut outer = Command::new(program[0]);
        outer.args(&program[1..]).arg(inner.get_program()).args(inner.get_args());
        let mut broker = Broker::launch(&setup, outer, &data, port).expect("a broker");
        broker.signal(Signal::HUP);
        then(&mut broker, &data);
        fs::remove_dir_all(folder).unwrap();
    }
}

/// Also where the tests themselves run under `nohup`.
#[test]
fn a_terminal_that_closes_stops_the_broker_in_order() {
    hang_up(&["env", "--default-signal=HUP"], |broker, data| {
        assert_eq!(broker.wait().code(), Some(0), "{}", broker.log());
        assert!(data.join(CLEAN_SHUTDOWN).exists());
    });
}

#[test]
fn under_nohup_a_terminal_that_closes_is_ignored() {
    hang_up(&["nohup"], |broker, _| {
        Client::connect(broker.address).create_topic("served", 1, &[]);
        broker.stop();
    });
}

#[test]
fn a_killed_broker_starts_again_at_once() {
    support::on_each_backend(|broker| {
        for round in 0..10 {
            // A client whose connection the kernel has to take apart, too.
            let mut client = Client::connect(broker.address);
            client.create_topic(&format!("kept-{round}"), 1, &[]);
            broker.kill();
            // Panics where the port is refused.
            broker.start_again(&broker.setup.clone());
        }
    });
}

/// A broker whose stdout and stderr go where a test wants them.
struct Detached(Child);

impl Detached {
    fn start(setup: &Setup, data: &Path, port: u16, stdout: Stdio, stderr: Stdio) -> Detached {
        let mut command = setup.command(data, port);
        Detached(
            command
                .stdin(Stdio::null())
                .stdout(stdout)
                .stderr(stderr)
                .process_group(0)
                .spawn()
                .expect("a broker"),
        )
    }

    /// Its log has something to say three times, and it serves on.
    fn serves_on(&mut self, port: u16, when: &str) {
        let address = ([127, 0, 0, 1], port).into();
        support::eventually("it listens", || TcpStream::connect(address).is_ok());
        for _ in 0..3 {
            let mut client = Client::connect(address);
            client.send_bytes(&i32::MAX.to_be_bytes()).unwrap();
            let closed = client.stream().read(&mut [0]);
            assert!(
                matches!(closed, Ok(0) | Err(_)),
                "a frame of 2 GiB ends its connection: {closed:?}"
            );
        }
        Client::connect(address).create_topic("served", 1, &[]);
        assert!(self.0.try_wait().unwrap().is_none(), "{when}: the broker has ended");
    }
}

impl Drop for Detached {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_log_that_cannot_be_written_does_not_end_the_broker() {
    let full = || Stdio::from(fs::OpenOptions::new().write(true).open("/dev/full").unwrap());
    for setup in Setup::backends() {
        for when in
            ["stderr's disk is full", "stdout's disk is full", "the reader of stderr is gone"]
        {
            let (folder, port) = (scratch_folder(), free_port());
            let (reader, writer) = std::io::pipe().unwrap();
            let (stdout, stderr) = match when {
                "stderr's disk is full" => (Stdio::null(), full()),
                "stdout's disk is full" => (full(), Stdio::null()),
                _ => (Stdio::null(), Stdio::from(writer)),
            };
            let mut broker = Detached::start(&setup, &folder.join("data"), port, stdout, stderr);
            drop(reader);
            broker.serves_on(port, when);
            drop(broker);
            fs::remove_dir_all(folder).unwrap();
        }
    }
}

#[test]
fn a_log_that_is_not_read_keeps_no_core_waiting() {
    for setup in Setup::backends() {
        let (folder, port) = (scratch_folder(), free_port());
        let (reader, writer) = std::io::pipe().unwrap();
        let mut command = setup.command(&folder.join("data"), port);
        command.env("RUST_LOG", "trace").stdin(Stdio::null()).stdout(Stdio::null()).stderr(writer);
        let mut broker = Detached(command.spawn().expect("a broker"));
        let address = ([127, 0, 0, 1], port).into();
        support::eventually("it listens", || TcpStream::connect(address).is_ok());
        // Far more lines than a pipe holds (64 KiB).
        for _ in 0..1_000 {
            let mut client = Client::connect(address);
            client.send_bytes(&i32::MAX.to_be_bytes()).unwrap();
            let _ = client.stream().read(&mut [0]);
        }
        broker.serves_on(port, "the reader of stderr sleeps");
        drop((broker, reader));
        fs::remove_dir_all(folder).unwrap();
    }
}

#[test]
fn an_admin_port_that_was_asked_for_and_is_taken_is_an_error() {
    for setup in Setup::backends() {
        let folder = scratch_folder();
        let other = TcpListener::bind("127.0.0.1:0").unwrap();
        let taken = other.local_addr().unwrap().to_string();
        let refusal = Broker::try_start(
            &setup.with("admin.listener", &taken),
            &folder.join("data"),
            free_port(),
        );
        let Err(refusal) = refusal else { panic!("the broker started") };
        assert!(refusal.stderr.contains(&format!("admin.listener={taken}")), "{}", refusal.stderr);
        fs::remove_dir_all(folder).unwrap();
    }
}

#[test]
fn brokers_beside_each_other_need_no_admin_port_of_their_own() {
    for setup in Setup::backends() {
        let brokers = [(); 2].map(|()| {
            let (folder, port) = (scratch_folder(), free_port());
            let data = folder.join("data");
            let given = setup.command(&data, port);
            let mut command = Command::new(given.get_program());
            let arguments: Vec<_> = given.get_args().collect();
            let is_admin = |pair: &&[&std::ffi::OsStr]| pair == &["--override", "admin.listener="];
            command.arg(arguments[0]);
            command.args(arguments[1..].chunks(2).filter(|pair| !is_admin(pair)).flatten());
            let broker = Broker::launch(&setup, command, &data, port);
            (
                broker.expect("the default port of the admin page is no reason to refuse"),
                folder,
                data,
            )
        });
        let said = |data: &Path| fs::read_to_string(data.with_extension("stderr")).unwrap();
        let second = said(&brokers[1].2);
        assert!(second.contains("the broker starts without metrics"), "{second}");
        for (mut broker, folder, _) in brokers {
            broker.stop();
            fs::remove_dir_all(folder).unwrap();
        }
    }
}
