"""What a command may ask of the kernel, and why the rest is denied.

Whatever is not named here does not exist for a command (ENOSYS), as on an older kernel: so a call that a newer
kernel adds stays closed until somebody has looked at it, and a C library that tries it falls back to what it did
before. A denied call fails with EPERM, as it does for whoever lacks the right.
"""

import errno
from collections.abc import Mapping
from dataclasses import dataclass, replace

WORD = 0xFFFF_FFFF


@dataclass(frozen=True)
class Denial:
    """Calls that are denied together, with the reason in a few words.

    `quiet` says that ordinary programs try them, too, and go on without: no sign of an attack.
    """

    reason: str
    calls: tuple[str, ...]
    errno: int = errno.EPERM
    quiet: bool = False


@dataclass(frozen=True)
class Argument:
    """What an argument (counted from 0) must be: its bits in `mask` are one of `values`.

    Only the lower 32 bits are looked at: each argument tested here is an `int` for the kernel.
    """

    number: int
    values: tuple[int, ...]
    mask: int = WORD


@dataclass(frozen=True)
class Condition:
    """A call that is allowed where all arguments of one of the `cases` hold, and else denied for the `reason`."""

    call: str
    reason: str
    cases: tuple[tuple[Argument, ...], ...]


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# linux/sched.h: CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET. (`clone` cannot make NEWTIME.)
_NEW_NAMESPACES = 0x0002_0000 | 0x0200_0000 | 0x0400_0000 | 0x0800_0000 | 0x1000_0000 | 0x2000_0000 | 0x4000_0000
# linux/stat.h: a plain file (with the type or without it), a named pipe, a socket.
_FILE_TYPE, _NO_DEVICE = 0o170000, (0, 0o010000, 0o100000, 0o140000)
# linux/socket.h and linux/net.h; the type's upper bits are flags (SOCK_CLOEXEC, SOCK_NONBLOCK).
_AF_UNIX, _AF_INET, _AF_INET6, _AF_NETLINK = 1, 2, 10, 16
_SOCKET_TYPE, _STREAM, _DGRAM = 0xF, 1, 2
_NETLINK_ROUTE = 0
# linux/in.h: the type's own, TCP and MPTCP (which Go listens with first); the type's own, ICMP, UDP, ICMPv6.
_STREAMS, _DATAGRAMS = (0, 6, 262), (0, 1, 17, 58)
# linux/personality.h: the ordinary one, that of a 32-bit machine (setarch), and the question which one it is.
_PERSONALITIES = (0, 8, WORD)

_INTERNET = Argument(0, (_AF_INET, _AF_INET6))

CONDITIONS = (
    Condition("clone", "makes namespaces", ((Argument(0, (0,), _NEW_NAMESPACES),),)),
    Condition("mknod", "makes devices", ((Argument(1, _NO_DEVICE, _FILE_TYPE),),)),
    Condition("mknodat", "makes devices", ((Argument(2, _NO_DEVICE, _FILE_TYPE),),)),
    Condition("personality", "weakens the layout of memory", ((Argument(0, _PERSONALITIES),),)),
    Condition(
        "socket",
        "reaches other parts of the kernel than TCP and UDP: ALG, VSOCK, PACKET, raw sockets",
        (
            (Argument(0, (_AF_UNIX,)),),
            (_INTERNET, Argument(1, (_STREAM,), _SOCKET_TYPE), Argument(2, _STREAMS)),
            (_INTERNET, Argument(1, (_DGRAM,), _SOCKET_TYPE), Argument(2, _DATAGRAMS)),
            (Argument(0, (_AF_NETLINK,)), Argument(2, (_NETLINK_ROUTE,))),
        ),
    ),
    Condition("socketpair", "reaches parts of the kernel beside the network", ((Argument(0, (_AF_UNIX,)),),)),
)

# The same where no namespace keeps the network away.
LOCAL_CONDITIONS = tuple(
    replace(condition, cases=condition.cases[:1]) if condition.call == "socket" else condition
    for condition in CONDITIONS
)

DENIED = (
    Denial("reads or steers another process", _names("ptrace process_vm_readv process_vm_writev pidfd_getfd")),
    Denial("tells of another process's memory", _names("kcmp process_madvise"), quiet=True),
    Denial("makes or joins namespaces", _names("unshare setns")),
    # Its flags lie in memory, where no filter can read them; the C library then takes `clone`.
    Denial("makes namespaces unseen", _names("clone3"), errno.ENOSYS, quiet=True),
    Denial(
        "changes what is mounted, or the root",
        _names(
            "mount umount2 pivot_root chroot open_tree open_tree_attr move_mount fsopen fsconfig fsmount fspick "
            "mount_setattr"
        ),
    ),
    Denial("tells what is mounted, and where else", _names("statmount listmount listns"), errno.ENOSYS, quiet=True),
    Denial("reaches keys that are not kept apart by namespaces", _names("add_key request_key keyctl")),
    Denial("runs programs inside the kernel, or measures it", _names("bpf perf_event_open")),
    Denial("stops the kernel while it copies, which makes its races easy to win", _names("userfaultfd")),
    Denial(
        "makes calls that no filter sees",
        _names("io_uring_setup io_uring_enter io_uring_register"),
        quiet=True,
    ),
    Denial("opens files past every mount", _names("open_by_handle_at")),
    Denial("names files past every mount", _names("name_to_handle_at"), quiet=True),
    Denial("watches the files of others", _names("fanotify_init fanotify_mark")),
    Denial(
        "loads code into the kernel", _names("init_module finit_module delete_module kexec_load kexec_file_load")
    ),
    Denial("stops the machine", _names("reboot")),
    Denial("reads or empties the kernel's log", _names("syslog")),
    Denial("sets the machine's clock", _names("settimeofday clock_settime")),
    Denial(
        "changes the machine's swap, quotas, accounting, name or terminal",
        _names("swapon swapoff quotactl quotactl_fd acct sethostname setdomainname vhangup"),
    ),
    Denial("reaches devices past their drivers", _names("iopl ioperm")),
    Denial("changes the processor's own tables", _names("modify_ldt")),
    Denial(
        "places the memory of others",
        _names("mbind get_mempolicy set_mempolicy set_mempolicy_home_node migrate_pages move_pages"),
        quiet=True,
    ),
    Denial("hides memory from the kernel", _names("memfd_secret"), errno.ENOSYS, quiet=True),
)

# In groups of one purpose. What the kernel itself ties to a capability or to a namespace of one's own needs no
# denial here, where ordinary programs ask for it: `setuid`, `capset`, `sched_setscheduler`, `adjtimex` to read.
_FILES = """
access chdir chmod chown close close_range copy_file_range creat dup dup2 dup3 faccessat faccessat2 fadvise64
fallocate fchdir fchmod fchmodat fchmodat2 fchown fchownat fcntl fdatasync fgetxattr file_getattr file_setattr
flistxattr flock fremovexattr fsetxattr fstat fstatfs fsync ftruncate futimesat getcwd getdents getdents64 getxattr
getxattrat ioctl lchown lgetxattr link linkat listxattr listxattrat llistxattr lremovexattr lseek lsetxattr lstat
mkdir mkdirat newfstatat open openat openat2 pread64 preadv preadv2 pwrite64 pwritev pwritev2 read readahead
readlink readlinkat readv removexattr removexattrat rename renameat renameat2 rmdir sendfile setxattr setxattrat
splice stat statfs statx symlink symlinkat sync sync_file_range syncfs tee truncate umask unlink unlinkat utime
utimensat utimes vmsplice write writev
"""
_WAITING = """
epoll_create epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 epoll_wait eventfd eventfd2 futex futex_requeue
futex_wait futex_waitv futex_wake get_robust_list inotify_add_watch inotify_init inotify_init1 inotify_rm_watch
io_cancel io_destroy io_getevents io_pgetevents io_setup io_submit pause pipe pipe2 poll ppoll pselect6 select
set_robust_list
"""
_MEMORY = """
brk cachestat madvise map_shadow_stack membarrier memfd_create mincore mlock mlock2 mlockall mmap mprotect mremap
mseal msync munlock munlockall munmap pkey_alloc pkey_free pkey_mprotect
"""
_PROCESSES = """
arch_prctl capget capset execve execveat exit exit_group fork getcpu getegid geteuid getgid getgroups getpgid
getpgrp getpid getppid getpriority getresgid getresuid getrlimit getrusage getsid gettid getuid ioprio_get
ioprio_set landlock_add_rule landlock_create_ruleset landlock_restrict_self pidfd_open pidfd_send_signal prctl
prlimit64 process_mrelease restart_syscall rseq sched_get_priority_max sched_get_priority_min sched_getaffinity
sched_getattr sched_getparam sched_getscheduler sched_rr_get_interval sched_setaffinity sched_setattr
sched_setparam sched_setscheduler sched_yield seccomp set_tid_address setfsgid setfsuid setgid setgroups setpgid
setpriority setregid setresgid setresuid setreuid setrlimit setsid setuid uprobe uretprobe vfork wait4 waitid
"""
_SIGNALS = """
kill rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait
rt_tgsigqueueinfo sigaltstack signalfd signalfd4 tgkill tkill
"""
_TALKING = """
accept accept4 bind connect getpeername getsockname getsockopt listen mq_getsetattr mq_notify mq_open
mq_timedreceive mq_timedsend mq_unlink msgctl msgget msgrcv msgsnd recvfrom recvmmsg recvmsg semctl semget semop
semtimedop sendmmsg sendmsg sendto setsockopt shmat shmctl shmdt shmget shutdown
"""
_TIME_AND_MACHINE = """
adjtimex alarm clock_adjtime clock_getres clock_gettime clock_nanosleep getitimer getrandom gettimeofday nanosleep
setitimer sysinfo time timer_create timer_delete timer_getoverrun timer_gettime timer_settime timerfd_create
timerfd_gettime timerfd_settime times uname
"""

ALLOWED = _names(_FILES + _WAITING + _MEMORY + _PROCESSES + _SIGNALS + _TALKING + _TIME_AND_MACHINE)

# Older than any program that still runs, or for the 32-bit calls alone.
OBSOLETE = _names(
    """
    _sysctl afs_syscall create_module epoll_ctl_old epoll_wait_old get_kernel_syms get_thread_area getpmsg
    lookup_dcookie lsm_get_self_attr lsm_list_modules lsm_set_self_attr nfsservctl putpmsg query_module
    remap_file_pages security set_thread_area sysfs tuxcall uselib ustat vserver
    """
)


def reasons() -> Mapping[str, str]:
    """Why each call is denied, wholly or for some arguments; by the call's name."""
    return {
        **{condition.call: condition.reason for condition in CONDITIONS},
        **{call: denial.reason for denial in DENIED for call in denial.calls},
    }
