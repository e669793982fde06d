"""The nftables rules that close a node, for IPv4 and IPv6 at once.

A table of our own: what kube-proxy and Docker accept in theirs does not pass ours, and no order of rules matters.
It comes after their address translation (priority 10 against -100), so it sees where a packet really goes: to the
endpoint behind a service, or to Docker's resolver behind a gateway's address. Refused is answered at once, with a
reset or an ICMP error, so that nothing waits for a timeout. An address of the cluster's range is no pod's by that
alone: what none has leads to the outside, where a company may use the same range. So nothing that is begun here
leaves by the interface to the outside. https://wiki.nftables.org/wiki-nftables/index.php/Netfilter_hooks
"""

import ipaddress

TABLE = "wpk_sandbox"

# Docker's resolver in each container, which asks the host's resolvers: a way out for whoever can ask it.
DOCKER_RESOLVER = "127.0.0.11"

# The node's one interface that leads out; the rules are refused where it has another name.
OUTSIDE = "eth0"

# kind's default for IPv4; https://kind.sigs.k8s.io/docs/user/configuration/#pod-subnet
POD_NETWORK = "10.244.0.0/16"

# What is refused is first written down: who, where to, and how often. The sets hold so many rows at most, for an
# hour; beyond that, only the counters count. A port is read where the protocol has one.
ROWS = 4096
_ROWS = f"flags dynamic,timeout; size {ROWS}; timeout 1h; counter;"
_RECORD = f"""
  counter nodes {{ }}
  counter pods {{ }}
  set asked4 {{ type ipv4_addr . ipv4_addr . inet_proto . inet_service; {_ROWS} }}
  set asked6 {{ type ipv6_addr . ipv6_addr . inet_proto . inet_service; {_ROWS} }}
  set other4 {{ type ipv4_addr . ipv4_addr . inet_proto; {_ROWS} }}
  set other6 {{ type ipv6_addr . ipv6_addr . inet_proto; {_ROWS} }}
  chain stop {{
    meta l4proto {{ tcp, udp }} update @asked4 {{ ip saddr . ip daddr . meta l4proto . th dport }}
    meta l4proto {{ tcp, udp }} update @asked6 {{ ip6 saddr . ip6 daddr . meta l4proto . th dport }}
    meta l4proto != {{ tcp, udp }} update @other4 {{ ip saddr . ip daddr . meta l4proto }}
    meta l4proto != {{ tcp, udp }} update @other6 {{ ip6 saddr . ip6 daddr . meta l4proto }}
    meta l4proto tcp reject with tcp reset
    reject with icmpx type admin-prohibited
  }}"""


def node_rules(address: str) -> str:
    """Rules for a node: whatever it or its pods begin must stay in the cluster; what comes in is answered.

    Raises ValueError when `address` is none.
    """
    inside = f"{{ {POD_NETWORK}, {ipaddress.IPv4Address(address)} }}"
    return f"""table inet {TABLE} {{{_RECORD}
  chain node {{ counter name nodes; jump stop; }}
  chain pod {{ counter name pods; jump stop; }}
  chain output {{
    type filter hook output priority 10;
    ip daddr {DOCKER_RESOLVER} jump node
    oifname "lo" accept
    ct state established,related accept
    oif != "{OUTSIDE}" ip daddr {inside} accept
    # Behind a service; the interface is still that of before.
    ct status dnat ip daddr {inside} accept
    jump node
  }}
  chain forward {{
    type filter hook forward priority 10;
    ip daddr {DOCKER_RESOLVER} jump pod
    ct state established,related accept
    oif != "{OUTSIDE}" ip daddr {inside} accept
    jump pod
  }}
  chain leave {{ type filter hook postrouting priority 10; oif "{OUTSIDE}" ct state new counter name nodes drop; }}
  chain input {{ type filter hook input priority 10; ip daddr {DOCKER_RESOLVER} jump stop; }}
}}
"""


def shaping(bandwidth: int, interface: str = OUTSIDE) -> str:
    """A shell command that bounds what leaves by the interface, in bits a second.

    20 ms of traffic may go at once, which the kernel's clock needs to reach the rate (tc-tbf(8)).
    """
    burst = max(16 * 1024, bandwidth // 8 // 50)
    return f"tc qdisc replace dev {interface} root tbf rate {bandwidth}bit burst {burst} latency 100ms"
