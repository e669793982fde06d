"""The kinds of attempts, by their number: the catalogue that every sandbox is held to."""

from model import Number

_CATALOGUE = {
    "Container and kernel": (
        (1, "use a daemon's socket: Docker, containerd, Podman"),
        (2, "switch the kernel: core_pattern, sysrq-trigger, release_agent, control groups"),
        (3, "devices: make one, open disks, memory, kvm"),
        (4, "trace processes or read their memory"),
        (5, "further namespaces: unshare, clone, clone3, setns"),
        (6, "mount, fsopen, move_mount, pivot_root, chroot"),
        (7, "the kernel's keys"),
        (8, "bpf, perf, userfaultfd, io_uring, AF_ALG, AF_VSOCK, calls of other ABIs"),
        (9, "programs with more rights: set-user-ID, file capabilities, su"),
        (10, "capabilities, no_new_privs, the filter of system calls"),
        (11, "the runtime's own program and what it left open"),
        (12, "read the host: memory, keys, firmware, names, mounts, files, variables of others"),
        (13, "the kernel's log, clock, modules, reboot, ports, swap"),
    ),
    "Resources": (
        (14, "fork bomb"),
        (15, "memory bomb: heap, /dev/shm, memfd"),
        (16, "fill /tmp, write the root, use up inodes"),
        (17, "fill the working folder"),
        (18, "flood of output: lines, one endless line, binary, errors"),
        (19, "never end: spin, sleep, ignore signals, stop oneself"),
        (20, "processes that outlive their step and hold its output"),
        (21, "kill everything, kill process 1"),
        (22, "use up descriptors and sockets, dump core, raise limits"),
        (23, "giant and sparse files, endless folders"),
    ),
    "Network": (
        (24, "metadata services of clouds"),
        (25, "send data out by DNS: UDP, TCP, TLS, HTTPS, Docker's resolver"),
        (26, "raw sockets, packets, ICMP"),
        (27, "the host, its bridge, its loopback, other containers"),
        (28, "abstract sockets of the host"),
        (29, "IPv6, links, multicast, broadcast"),
        (30, "an image's name as a way out"),
    ),
    "Files and git": (
        (31, "a package that is a link, a pipe, a device or a submodule"),
        (32, "hostile file names"),
        (33, "archives that leave their folder or explode"),
        (34, "reports through links to other files"),
    ),
    "Output and report": (
        (35, "workflow commands in output"),
        (36, "terminal sequences, in output and by escapes of YAML"),
        (37, "Markdown and HTML in names and output"),
        (38, "characters that XML, SARIF or JSON cannot hold"),
        (39, "pages that run or fetch something"),
        (40, "secrets in output, as they are or transformed"),
    ),
    "YAML": (
        (41, "bombs of aliases and merge keys, cycles"),
        (42, "endless depth"),
        (43, "huge files, scalars, numbers, many keys and documents"),
        (44, "duplicate keys"),
        (45, "foreign tags"),
        (46, "encodings, NUL, byte order marks, line ends, tabs"),
        (47, "booleans, octal and sexagesimal numbers of YAML 1.1"),
    ),
    "Orchestrator and CI": (
        (48, "a change that edits its own policy, settings or workflow"),
        (49, "a file that changes between check and run"),
        (50, "a run that is killed, and runs beside it"),
        (51, "labels of ours on what is not ours"),
        (52, "a fork's token that may not write"),
        (53, "a comment planted with our marker"),
        (54, "a forged artifact"),
    ),
    "Kubernetes": ((55, "objects and calls that leave their namespace, their node or the cluster"),),
}

NUMBERS: dict[int, Number] = {
    number: Number(number, group, title) for group, rows in _CATALOGUE.items() for number, title in rows
}
