//! Where io_uring cannot be had: forbidden by a filter, as container engines have it by default,
//! switched off by the host, or short of memory that may be locked. Then auto takes epoll, and says
//! why and what would change it.

use crate::support::{
    Broker, Client, Setup,
    broker::{free_port, scratch_folder},
};
use rustix::process::{Resource, Rlimit, setrlimit};
use std::{
    ffi::CString,
    fs, io,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::Command,
};

/// A filter that answers `errno` to io_uring_setup, io_uring_enter and io_uring_register (425 to
/// 427 everywhere), and allows all else; installed in the child before it becomes the broker.
fn forbid_io_uring(command: &mut Command, errno: i32) {
    let statement =
        |code: u32, jt: u8, jf: u8, k: u32| libc::sock_filter { code: code as u16, jt, jf, k };
    let (load, jump) = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, libc::BPF_JMP | libc::BPF_K);
    let refuse = libc::SECCOMP_RET_ERRNO | errno as u32;
    let filter = [
        // The system call's number is the first field of struct seccomp_data.
        statement(load, 0, 0, 0),
        statement(jump | libc::BPF_JGE, 0, 2, libc::SYS_io_uring_setup as u32),
        statement(jump | libc::BPF_JGT, 1, 0, libc::SYS_io_uring_register as u32),
        statement(libc::BPF_RET, 0, 0, refuse),
        statement(libc::BPF_RET, 0, 0, libc::SECCOMP_RET_ALLOW),
    ];
    let install = move || {
        let program =
            libc::sock_fprog { len: filter.len() as u16, filter: filter.as_ptr().cast_mut() };
        #[expect(unsafe_code, reason = "the test plays the part of a container engine")]
        // SAFETY: both calls read their arguments only while they run; `program` and `filter`
        // outlive them.
        let installed = unsafe {
            libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
                && libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program)
                    == 0
        };
        if installed { Ok(()) } else { Err(io::Error::last_os_error()) }
    };
    #[expect(unsafe_code, reason = "only a child can be put behind a filter")]
    // SAFETY: the closure makes two system calls and touches no memory but its own copy of the
    // filter: no locks, no allocation, which is what may run between fork and exec.
    unsafe {
        command.pre_exec(install);
    }
}

/// Shows the child a host with `kernel.io_uring_disabled=2`, in a mount namespace of its own; this
/// host stays as it is.
fn show_io_uring_disabled(command: &mut Command, folder: &Path) {
    let shown = folder.join("io_uring_disabled");
    fs::write(&shown, b"2\n").expect("the sysctl's file as it is to be seen");
    let path = |path: &Path| {
        CString::new(path.as_os_str().as_encoded_bytes()).expect("a path without NUL")
    };
    let (shown, sysctl, root) =
        (path(&shown), path(Path::new(IO_URING_DISABLED)), path(Path::new("/")));
    let mount = move || {
        let none = std::ptr::null();
        #[expect(unsafe_code, reason = "a namespace has to be set up in the child")]
        // SAFETY: the paths live in the closure, and the calls read them only while they run.
        let mounted = unsafe {
            libc::unshare(libc::CLONE_NEWNS) == 0
                && libc::mount(
                    none,
                    root.as_ptr(),
                    none,
                    libc::MS_REC | libc::MS_PRIVATE,
                    none.cast(),
                ) == 0
                && libc::mount(shown.as_ptr(), sysctl.as_ptr(), none, libc::MS_BIND, none.cast())
                    == 0
        };
        if mounted { Ok(()) } else { Err(io::Error::last_os_error()) }
    };
    #[expect(unsafe_code, reason = "the namespace is to be the child's alone")]
    // SAFETY: the closure makes three system calls with memory of its own: no locks, no allocation.
    unsafe {
        command.pre_exec(mount);
    }
}

const IO_URING_DISABLED: &str = "/proc/sys/kernel/io_uring_disabled";

#[test]
fn auto_takes_epoll_where_a_filter_forbids_io_uring() {
    takes_epoll_and_says("seccomp", |command, _| forbid_io_uring(command, libc::EPERM));
}

#[test]
fn auto_takes_epoll_where_the_kernel_wants_more_memory_than_may_be_locked() {
    takes_epoll_and_says("LimitMEMLOCK", |command, _| forbid_io_uring(command, libc::ENOMEM));
}

/// The limit itself: kernels differ in what of a ring they count.
#[test]
fn a_limit_of_no_locked_memory_is_no_obstacle() {
    let (broker, folder) = start_auto(|command, _| lock_no_memory(command));
    if broker.ready_line().contains("io_uring") {
        eprintln!("this kernel does not count a ring's memory");
        drop(broker);
    } else {
        serves_on_epoll_and_said("LimitMEMLOCK", broker, &folder);
    }
    fs::remove_dir_all(folder).unwrap();
}

/// RLIMIT_MEMLOCK=0 for the child, without the privilege that lifts it.
fn lock_no_memory(command: &mut Command) {
    const CAP_IPC_LOCK: libc::c_ulong = 14;
    let limit = || {
        #[expect(unsafe_code, reason = "a privilege has to go in the child")]
        // SAFETY: a plain call with numbers. Who may not make it has not got the privilege either.
        let _ = unsafe { libc::prctl(libc::PR_CAPBSET_DROP, CAP_IPC_LOCK, 0, 0, 0) };
        setrlimit(Resource::Memlock, Rlimit { current: Some(0), maximum: Some(0) })
            .map_err(io::Error::from)
    };
    #[expect(unsafe_code, reason = "the limit is to be the child's alone")]
    // SAFETY: the closure makes two system calls: no locks, no allocation.
    unsafe {
        command.pre_exec(limit);
    }
}

#[test]
fn auto_takes_epoll_where_the_host_has_switched_io_uring_off() {
    let may_mount = Command::new("unshare")
        .args(["--mount", "true"])
        .output()
        .is_ok_and(|run| run.status.success());
    if !may_mount || !Path::new(IO_URING_DISABLED).exists() {
        eprintln!(
            "skipped: no mount namespace may be made here, or the kernel has no such sysctl \
             (before Linux 6.6)"
        );
        return;
    }
    takes_epoll_and_says("kernel.io_uring_disabled=0", |command, folder| {
        show_io_uring_disabled(command, folder);
        forbid_io_uring(command, libc::EPERM);
    });
}

/// A broker whose process is prepared like this makes do with epoll; the line that says so has this
/// hint.
fn takes_epoll_and_says(hint: &str, prepare: impl Fn(&mut Command, &Path)) {
    let (broker, folder) = start_auto(prepare);
    serves_on_epoll_and_said(hint, broker, &folder);
    fs::remove_dir_all(folder).unwrap();
}

/// A broker that chooses for itself in a process that is prepared like this, and the folder that it
/// works in.
fn start_auto(prepare: impl Fn(&mut Command, &Path)) -> (Broker, PathBuf) {
    let (folder, port) = (scratch_folder(), free_port());
    let data = folder.join("data");
    let setup = Setup::new("auto", 1);
    let mut command = setup.command(&data, port);
    prepare(&mut command, &folder);
    (
        Broker::launch(&setup, command, &data, port)
            .expect("a broker that makes do with what there is"),
        folder,
    )
}

fn serves_on_epoll_and_said(hint: &str, mut broker: Broker, folder: &Path) {
    assert!(broker.ready_line().contains("epoll"), "{}", broker.ready_line());
    let mut client = Client::connect(broker.address);
    client.create_topic("served", 1, &[]);
    client.produce_value("served", 0, b"value");
    assert_eq!(client.read_all_values("served", 0), [b"value"]);
    assert!(broker.stop().success());
    let log = fs::read_to_string(folder.join("data.stderr")).unwrap();
    let line = log
        .lines()
        .find(|line| line.contains("epoll"))
        .unwrap_or_else(|| panic!("no word of epoll: {log}"));
    assert!(line.contains("io_uring") && line.contains(hint), "{line}");
}

#[test]
fn asking_for_io_uring_where_it_is_forbidden_is_an_error_with_the_reason() {
    let (folder, port) = (scratch_folder(), free_port());
    let data = folder.join("data");
    let setup = Setup::new("io_uring", 1);
    let mut command = setup.command(&data, port);
    forbid_io_uring(&mut command, libc::EPERM);
    let Err(refusal) = Broker::launch(&setup, command, &data, port) else {
        panic!("the broker started")
    };
    assert_eq!(refusal.status.code(), Some(1));
    assert!(
        refusal.stderr.contains("io_uring") && refusal.stderr.contains("seccomp"),
        "{}",
        refusal.stderr
    );
    fs::remove_dir_all(folder).unwrap();
}
