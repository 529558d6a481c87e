//! Where io_uring is forbidden, as container engines have it by default: auto takes epoll and says why.

use crate::support::{
    Broker, Client, Setup,
    broker::{free_port, scratch_folder},
};
use std::{fs, io, os::unix::process::CommandExt, process::Command};

/// A filter that answers EPERM to io_uring_setup, io_uring_enter and io_uring_register (425 to 427 everywhere), and
/// allows all else; installed in the child before it becomes the broker.
fn forbid_io_uring(command: &mut Command) {
    let statement = |code: u32, jt: u8, jf: u8, k: u32| libc::sock_filter { code: code as u16, jt, jf, k };
    let (load, jump) = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, libc::BPF_JMP | libc::BPF_K);
    let refuse = libc::SECCOMP_RET_ERRNO | libc::EPERM as u32;
    let filter = [
        // The system call's number is the first field of struct seccomp_data.
        statement(load, 0, 0, 0),
        statement(jump | libc::BPF_JGE, 0, 2, libc::SYS_io_uring_setup as u32),
        statement(jump | libc::BPF_JGT, 1, 0, libc::SYS_io_uring_register as u32),
        statement(libc::BPF_RET, 0, 0, refuse),
        statement(libc::BPF_RET, 0, 0, libc::SECCOMP_RET_ALLOW),
    ];
    let install = move || {
        let program = libc::sock_fprog { len: filter.len() as u16, filter: filter.as_ptr().cast_mut() };
        #[expect(unsafe_code, reason = "the test plays the part of a container engine")]
        // SAFETY: both calls read their arguments only while they run; `program` and `filter` outlive them.
        let installed = unsafe {
            libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
                && libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program) == 0
        };
        if installed { Ok(()) } else { Err(io::Error::last_os_error()) }
    };
    #[expect(unsafe_code, reason = "only a child can be put behind a filter")]
    // SAFETY: the closure makes two system calls and touches no memory but its own copy of the filter: no locks, no
    // allocation, which is what may run between fork and exec.
    unsafe {
        command.pre_exec(install);
    }
}

#[test]
fn auto_takes_epoll_where_io_uring_is_forbidden_and_says_why() {
    let (folder, port) = (scratch_folder(), free_port());
    let data = folder.join("data");
    let setup = Setup::new("auto", 1);
    let mut command = setup.command(&data, port);
    forbid_io_uring(&mut command);
    let mut broker = Broker::launch(&setup, command, &data, port).expect("a broker that makes do with epoll");
    assert!(broker.ready_line().contains("epoll"), "{}", broker.ready_line());
    let mut client = Client::connect(broker.address);
    client.create_topic("served", 1, &[]);
    client.produce_value("served", 0, b"value");
    assert_eq!(client.read_all_values("served", 0), [b"value"]);
    assert!(broker.stop().success());
    let log = fs::read_to_string(data.with_extension("stderr")).unwrap();
    let line = log.lines().find(|line| line.contains("epoll")).unwrap_or_else(|| panic!("no word of epoll: {log}"));
    assert!(line.contains("io_uring") && line.contains("seccomp"), "{line}");
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn asking_for_io_uring_where_it_is_forbidden_is_an_error_with_the_reason() {
    let (folder, port) = (scratch_folder(), free_port());
    let data = folder.join("data");
    let setup = Setup::new("io_uring", 1);
    let mut command = setup.command(&data, port);
    forbid_io_uring(&mut command);
    let Err(refusal) = Broker::launch(&setup, command, &data, port) else { panic!("the broker started") };
    assert_eq!(refusal.status.code(), Some(1));
    assert!(refusal.stderr.contains("io_uring") && refusal.stderr.contains("seccomp"), "{}", refusal.stderr);
    fs::remove_dir_all(folder).unwrap();
}
