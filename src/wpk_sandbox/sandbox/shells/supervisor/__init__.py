"""The first process of a sandbox that has no daemon: it closes the sandbox further, then runs commands on request.

It stands alone: handed to the sandbox as files and run there by the bare interpreter (`python -I -S`), its modules
may import nothing but the standard library and one another. Being process 1 of its process namespace, no command
can signal it, and with its end the kernel ends everything else.

Requests come over a socket of packets with their file descriptors, answers go back as JSON:

- At the start it says by itself that it is ready: `made` names the descriptors that it made before it gave up its
  rights, and hands out; `calls` is what becomes of denied system calls (`recorded`, `plain`: denied only, `none`);
  `groups` is false when commands cannot enter the control groups that were made for them.
- `run` with a file of JSON (`command`, `environment`), and the ends of two pipes to write to. Answered when
  the command ends, with `exit_code`, or with `ended` and `detail` when a limit ended it; `overflowing` when its
  files have to go before there can be another.
- `kill` ends every process but this one. Answered by `{}` when they are gone; a command that was running
  is not answered any more.
- `usage` is answered with the most that was used so far; `observed` also with the samples and the denied system
  calls since it was last asked.
- `made` is answered with how many processes were made since the last command began.

The end of the socket ends the sandbox.
"""
