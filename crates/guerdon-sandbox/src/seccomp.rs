//! The system call filters: one that holds for the whole sandbox, stricter ones for each run.

use std::collections::BTreeMap;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen as Len, SeccompCmpOp as Op, SeccompCondition,
    SeccompFilter, SeccompRule, TargetArch, sock_filter,
};

use crate::error::{Error, Result};

/// Denied to everything in a sandbox, the zygote included: what reaches the kernel itself, other
/// processes or the clock.
const NOWHERE: &[i64] = &[
    libc::SYS_acct,
    libc::SYS_add_key,
    libc::SYS_adjtimex,
    libc::SYS_bpf,
    libc::SYS_clock_adjtime,
    libc::SYS_clock_settime,
    libc::SYS_delete_module,
    libc::SYS_fanotify_init,
    libc::SYS_finit_module,
    libc::SYS_init_module,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_io_uring_setup,
    libc::SYS_kcmp,
    libc::SYS_kexec_load,
    libc::SYS_keyctl,
    libc::SYS_lookup_dcookie,
    libc::SYS_migrate_pages,
    libc::SYS_move_pages,
    libc::SYS_name_to_handle_at,
    libc::SYS_nfsservctl,
    libc::SYS_open_by_handle_at,
    libc::SYS_perf_event_open,
    libc::SYS_personality,
    libc::SYS_pidfd_getfd,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_ptrace,
    libc::SYS_quotactl,
    libc::SYS_reboot,
    libc::SYS_request_key,
    libc::SYS_setdomainname,
    libc::SYS_sethostname,
    libc::SYS_settimeofday,
    libc::SYS_swapoff,
    libc::SYS_swapon,
    libc::SYS_syslog,
    libc::SYS_userfaultfd,
    libc::SYS_vhangup,
    libc::SYS_vmsplice,
];

/// Denied to runs besides: the zygote makes namespaces and mounts, a run never does. Without
/// System V and POSIX message objects, and without memory files, no memory escapes the limits and
/// nothing outlives a run.
const NOT_IN_RUNS: &[i64] = &[
    libc::SYS_chroot,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fsopen,
    libc::SYS_fspick,
    libc::SYS_memfd_create,
    libc::SYS_mount,
    libc::SYS_mount_setattr,
    libc::SYS_move_mount,
    libc::SYS_mq_open,
    libc::SYS_mq_unlink,
    libc::SYS_msgctl,
    libc::SYS_msgget,
    libc::SYS_msgrcv,
    libc::SYS_msgsnd,
    libc::SYS_open_tree,
    libc::SYS_pivot_root,
    libc::SYS_process_madvise,
    libc::SYS_semctl,
    libc::SYS_semget,
    libc::SYS_semop,
    libc::SYS_semtimedop,
    libc::SYS_setns,
    libc::SYS_shmat,
    libc::SYS_shmctl,
    libc::SYS_shmget,
    libc::SYS_umount2,
    libc::SYS_unshare,
];

#[cfg(target_arch = "x86_64")]
const OF_THE_PROCESSOR: &[i64] = &[
    libc::SYS_ioperm,
    libc::SYS_iopl,
    libc::SYS_kexec_file_load,
    libc::SYS_modify_ldt,
    libc::SYS_sysfs,
    libc::SYS_uselib,
    libc::SYS_ustat,
];
#[cfg(not(target_arch = "x86_64"))]
const OF_THE_PROCESSOR: &[i64] = &[];

const NAMESPACES: [libc::c_int; 7] = [
    libc::CLONE_NEWCGROUP,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWNET,
    libc::CLONE_NEWNS,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWUTS,
];

const TIOCSTI: u64 = 0x5412;
const TIOCLINUX: u64 = 0x541C;

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// The filter of the sandbox as a whole, as `bwrap --seccomp` reads it.
pub(crate) fn outer() -> Result<Vec<u8>> {
    Ok(bytes(&program(deny(&[NOWHERE, OF_THE_PROCESSOR]), libc::EPERM)?))
}

/// The filters of a run, to be installed one after the other.
pub(crate) fn inner() -> Result<Vec<Vec<u8>>> {
    let mut rules = deny(&[NOWHERE, OF_THE_PROCESSOR, NOT_IN_RUNS]);
    rules.insert(libc::SYS_clone, namespace_flags()?);
    rules.insert(libc::SYS_ioctl, vec![equal(1, TIOCSTI)?, equal(1, TIOCLINUX)?]);
    for call in [libc::SYS_socket, libc::SYS_socketpair] {
        rules.insert(call, vec![rule(0, Op::Ne, unsigned(libc::AF_UNIX))?]);
    }
    // The flags of clone3 lie in memory, where no filter can read them; without it libc uses clone.
    let clone3 = Rules::from([(libc::SYS_clone3, Vec::new())]);
    Ok(vec![
        bytes(&foreign_numbers()),
        bytes(&program(clone3, libc::ENOSYS)?),
        bytes(&program(rules, libc::EPERM)?),
    ])
}

fn deny(lists: &[&[i64]]) -> Rules {
    lists.iter().flat_map(|list| list.iter()).map(|&call| (call, Vec::new())).collect()
}

fn namespace_flags() -> Result<Vec<SeccompRule>> {
    NAMESPACES.iter().map(|&flag| rule(0, Op::MaskedEq(unsigned(flag)), unsigned(flag))).collect()
}

fn unsigned(flag: libc::c_int) -> u64 {
    u64::from(flag.cast_unsigned())
}

fn equal(argument: u8, value: u64) -> Result<SeccompRule> {
    rule(argument, Op::Eq, value)
}

fn rule(argument: u8, op: Op, value: u64) -> Result<SeccompRule> {
    SeccompCondition::new(argument, Len::Dword, op, value)
        .and_then(|condition| SeccompRule::new(vec![condition]))
        .map_err(failed)
}

fn failed(e: impl std::fmt::Display) -> Error {
    Error::machinery("building a system call filter", e)
}

fn program(rules: Rules, errno: libc::c_int) -> Result<BpfProgram> {
    let arch = TargetArch::try_from(std::env::consts::ARCH).map_err(failed)?;
    let denied = SeccompAction::Errno(errno.cast_unsigned());
    SeccompFilter::new(rules, SeccompAction::Allow, denied, arch)
        .and_then(BpfProgram::try_from)
        .map_err(failed)
}

/// Denies the numbers above 2^30, by which x86-64 reaches the same calls a second time (x32).
fn foreign_numbers() -> BpfProgram {
    const LOAD: u16 = 0x20;
    const JUMP_IF_AT_LEAST: u16 = 0x35;
    const RETURN: u16 = 0x06;
    let step = |code, jt, jf, k| sock_filter { code, jt, jf, k };
    let denied = 0x0005_0000 | libc::ENOSYS.cast_unsigned();
    vec![
        step(LOAD, 0, 0, 0),
        step(JUMP_IF_AT_LEAST, 0, 1, 0x4000_0000),
        step(RETURN, 0, 0, denied),
        step(RETURN, 0, 0, 0x7fff_0000),
    ]
}

fn bytes(program: &[sock_filter]) -> Vec<u8> {
    program
        .iter()
        .flat_map(|f| {
            let [c0, c1] = f.code.to_ne_bytes();
            let [k0, k1, k2, k3] = f.k.to_ne_bytes();
            [c0, c1, f.jt, f.jf, k0, k1, k2, k3]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_compile_to_whole_instructions() {
        let filters = inner().expect("the rules are constant");
        assert_eq!(filters.len(), 3);
        for filter in filters.iter().chain([&outer().expect("the rules are constant")]) {
            assert!(!filter.is_empty() && filter.len().is_multiple_of(8));
            assert!(filter.len() / 8 <= 4096, "the kernel takes at most 4096 instructions");
        }
    }
}
