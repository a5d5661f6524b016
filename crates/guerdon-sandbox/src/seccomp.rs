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
    let denied = [NOWHERE, OF_THE_PROCESSOR].concat();
    Ok(bytes(&[refuse(&denied, libc::EPERM), program(Rules::new())?].concat()))
}

/// The filter of a run. The kernel tries a new filter on every system call to learn which it
/// always allows, so a short one is quick to install.
pub(crate) fn inner() -> Result<Vec<u8>> {
    let denied = [NOWHERE, OF_THE_PROCESSOR, NOT_IN_RUNS].concat();
    let mut rules = Rules::new();
    rules.insert(libc::SYS_clone, namespace_flags()?);
    rules.insert(libc::SYS_ioctl, vec![equal(1, TIOCSTI)?, equal(1, TIOCLINUX)?]);
    for call in [libc::SYS_socket, libc::SYS_socketpair] {
        rules.insert(call, vec![rule(0, Op::Ne, unsigned(libc::AF_UNIX))?]);
    }
    let parts = [
        refuse_foreign_numbers(),
        // The flags of clone3 lie in memory, where no filter can read them; without it libc uses
        // clone.
        refuse(&[libc::SYS_clone3], libc::ENOSYS),
        refuse(&denied, libc::EPERM),
        program(rules)?,
    ];
    Ok(bytes(&parts.concat()))
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

/// Denies what the rules match and allows everything else; kills on another architecture.
fn program(rules: Rules) -> Result<BpfProgram> {
    let arch = TargetArch::try_from(std::env::consts::ARCH).map_err(failed)?;
    SeccompFilter::new(rules, SeccompAction::Allow, SeccompAction::Errno(EPERM), arch)
        .and_then(BpfProgram::try_from)
        .map_err(failed)
}

const EPERM: u32 = libc::EPERM.cast_unsigned();

const LOAD: u16 = 0x20;
const JUMP_IF_EQUAL: u16 = 0x15;
const JUMP_IF_AT_LEAST: u16 = 0x35;
const RETURN: u16 = 0x06;

/// A jump reaches at most 255 instructions.
const REACH: usize = 255;

fn step(code: u16, jt: u8, jf: u8, k: u32) -> sock_filter {
    sock_filter { code, jt, jf, k }
}

fn answer(errno: libc::c_int) -> sock_filter {
    step(RETURN, 0, 0, libc::SECCOMP_RET_ERRNO | errno.cast_unsigned())
}

/// Denies these calls with `errno`, one instruction for each, and goes on after its end with every
/// other.
fn refuse(calls: &[i64], errno: libc::c_int) -> BpfProgram {
    calls.chunks(REACH - 1).flat_map(|chunk| refuse_some(chunk, errno)).collect()
}

/// `calls` are fewer than [`REACH`].
fn refuse_some(calls: &[i64], errno: libc::c_int) -> BpfProgram {
    let mut program = vec![step(LOAD, 0, 0, 0)];
    for (i, &call) in calls.iter().enumerate() {
        let left = u8::try_from(calls.len() - 1 - i).unwrap_or(u8::MAX);
        let number = u32::try_from(call).unwrap_or(u32::MAX);
        program.push(if left == 0 {
            step(JUMP_IF_EQUAL, 0, 1, number)
        } else {
            step(JUMP_IF_EQUAL, left, 0, number)
        });
    }
    program.push(answer(errno));
    program
}

/// Denies the numbers above 2^30, by which x86-64 reaches the same calls a second time (x32).
fn refuse_foreign_numbers() -> BpfProgram {
    vec![step(LOAD, 0, 0, 0), step(JUMP_IF_AT_LEAST, 0, 1, 0x4000_0000), answer(libc::ENOSYS)]
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

    /// What a filter answers to a call with this number and first arguments.
    fn run(filter: &[u8], call: i64, arguments: [u64; 2]) -> u32 {
        const LOAD_AND: u16 = 0x54;
        const JUMP: u16 = 0x05;
        const JUMP_IF_GREATER: u16 = 0x25;
        let arch = if cfg!(target_arch = "x86_64") { 0xC000_003E_u32 } else { 0xC000_00B7 };
        let mut data = [0; 64];
        data[..4].copy_from_slice(&u32::try_from(call).expect("a call").to_ne_bytes());
        data[4..8].copy_from_slice(&arch.to_ne_bytes());
        for (i, argument) in arguments.iter().enumerate() {
            data[16 + 8 * i..24 + 8 * i].copy_from_slice(&argument.to_ne_bytes());
        }
        let (mut at, mut held) = (0, 0_u32);
        loop {
            let s = &filter[8 * at..8 * at + 8];
            let code = u16::from_ne_bytes([s[0], s[1]]);
            let k = u32::from_ne_bytes([s[4], s[5], s[6], s[7]]);
            let offset = k as usize;
            at += 1;
            let mut jump = |holds: bool| at += usize::from(if holds { s[2] } else { s[3] });
            match code {
                LOAD => {
                    held = u32::from_ne_bytes(data[offset..offset + 4].try_into().expect("four"));
                }
                LOAD_AND => held &= k,
                JUMP => at += offset,
                JUMP_IF_EQUAL => jump(held == k),
                JUMP_IF_AT_LEAST => jump(held >= k),
                JUMP_IF_GREATER => jump(held > k),
                RETURN => return k,
                other => panic!("an instruction that no filter needs: {other:#x}"),
            }
        }
    }

    const ALLOWED: u32 = libc::SECCOMP_RET_ALLOW;

    fn denied(errno: libc::c_int) -> u32 {
        libc::SECCOMP_RET_ERRNO | errno.cast_unsigned()
    }

    #[test]
    fn exactly_the_listed_calls_are_denied() {
        let (inner, outer) = (inner().expect("constant"), outer().expect("constant"));
        let everywhere = [NOWHERE, OF_THE_PROCESSOR].concat();
        let with_arguments = [libc::SYS_ioctl, libc::SYS_clone];
        let sockets = [libc::SYS_socket, libc::SYS_socketpair];
        for call in 0..600 {
            let refused = if everywhere.contains(&call) { denied(libc::EPERM) } else { ALLOWED };
            assert_eq!(run(&outer, call, [0, 0]), refused, "{call}");
            let expected = match call {
                libc::SYS_clone3 => denied(libc::ENOSYS),
                _ if NOT_IN_RUNS.contains(&call) => denied(libc::EPERM),
                // The family 0 is not that of local sockets.
                _ if sockets.contains(&call) => denied(libc::EPERM),
                _ if with_arguments.contains(&call) => ALLOWED,
                _ => refused,
            };
            assert_eq!(run(&inner, call, [0, 0]), expected, "{call}");
        }
    }

    #[test]
    fn arguments_decide_where_they_must() {
        let inner = inner().expect("constant");
        let eperm = denied(libc::EPERM);
        for flag in NAMESPACES {
            assert_eq!(run(&inner, libc::SYS_clone, [unsigned(flag | libc::SIGCHLD), 0]), eperm);
        }
        let fork = unsigned(libc::CLONE_VM | libc::SIGCHLD);
        assert_eq!(run(&inner, libc::SYS_clone, [fork, 0]), ALLOWED);
        assert_eq!(run(&inner, libc::SYS_ioctl, [0, TIOCSTI]), eperm);
        assert_eq!(run(&inner, libc::SYS_ioctl, [0, TIOCLINUX]), eperm);
        assert_eq!(run(&inner, libc::SYS_socket, [unsigned(libc::AF_INET), 0]), eperm);
        assert_eq!(run(&inner, libc::SYS_socket, [unsigned(libc::AF_UNIX), 0]), ALLOWED);
        for call in [0, 39, libc::SYS_ptrace] {
            assert_eq!(run(&inner, 0x4000_0000 + call, [0, 0]), denied(libc::ENOSYS));
        }
    }

    #[test]
    fn long_lists_are_refused_to_their_end() {
        let calls: Vec<i64> = (1000..1600).collect();
        let filter =
            bytes(&[refuse(&calls, libc::EPERM), vec![step(RETURN, 0, 0, ALLOWED)]].concat());
        for call in 990..1610 {
            let expected = if calls.contains(&call) { denied(libc::EPERM) } else { ALLOWED };
            assert_eq!(run(&filter, call, [0, 0]), expected, "{call}");
        }
    }

    #[test]
    fn filters_are_whole_instructions_and_short() {
        for filter in [inner().expect("constant"), outer().expect("constant")] {
            assert!(!filter.is_empty() && filter.len().is_multiple_of(8));
            assert!(filter.len() / 8 <= 256, "{}", filter.len() / 8);
        }
    }
}
