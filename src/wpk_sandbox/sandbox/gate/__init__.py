"""The gate: what a shell finds in place of a network.

A shell's network namespace is connected to nothing. In it lies a TUN device that carries all routes, so each packet
comes to the gate, which records what was tried and refuses it at once. Names are answered by the gate alone. Only a
`sandbox.Route` answers: the gate leads the connection to the route's `serve`, in our own process.

`responder.py` is where to start reading: it takes packets and decides. It and what it needs (`packets`, `names`,
`directory`, `flows`, `recorder`, `attribution`, `netlink`, `mux`, `inside`) want nothing but the standard library,
because they also run in a container that holds a bare Python: `program.py` sends them there as text. `container.py`
and `local.py` are our side of it, for a shell in a container and for one on this host.
"""
