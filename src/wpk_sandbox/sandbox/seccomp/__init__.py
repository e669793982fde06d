"""Which system calls a command may make: one table, and the two forms in which it is handed to the kernel.

`table` says what is allowed and what is denied, and why. `bpf` makes of it a filter for seccomp(2), `profile` the
profile that Docker takes.
"""
