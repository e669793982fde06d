"""What guards a machine and is stopped, removed or loosened, and traces that are wiped."""

from wpk_sandbox.pattern import Pattern
from wpk_sandbox.rules.shell.command import Command
from wpk_sandbox.rules.shell.options import names, parse
from wpk_sandbox.rules.shell.phrases import meaning, table
from wpk_sandbox.rules.shell.settings import written_text
from wpk_sandbox.rules.shell.written import written_paths

_STOPPED = "stops what guards or watches the machine"
_FIREWALL = "opens the firewall"
_ENFORCING = "stops the kernel from enforcing rules"
_HISTORY = "keeps no history of the shell"
_TRACES = "clears logs that tell who did what"
_LOGIN = "lets somebody in without a password"

_GUARDS = names(
    "auditd rsyslog syslog syslog-ng systemd-journald firewalld ufw apparmor fail2ban falco falco-modern-bpf"
    " sysmon crowdsec ossec wazuh-agent clamav-daemon clamd clamav-freshclam iptables ip6tables nftables"
    " osqueryd falcon-sensor mdatp sentinelone sentinelagent cbdaemon cbagentd ds_agent qualys-cloud-agent"
    " nessusagent elastic-agent auditbeat filebeat tetragon sysdig tripwire aide aidecheck.timer rkhunter"
    " sshguard snort suricata zeek crowdstrike auoms azsecd microsoft-defender amazon-cloudwatch-agent google-"
    " cloud-ops-agent fluent-bit fluentd td-agent promtail vector datadog-agent newrelic-infra node_exporter"
    " tracee polkit setroubleshootd usbguard fapolicyd kauditd laurel"
)
_AGENTS = "|".join(sorted(_GUARDS - names("iptables ip6tables nftables vector syslog polkit")))
_LOG_FILES = "|".join(
    (
        "/var/log/auth.log*",
        "/var/log/secure*",
        "/var/log/audit/*",
        "/var/log/syslog*",
        "/var/log/messages*",
        "/var/log/wtmp",
        "/var/log/btmp",
        "/var/log/lastlog",
        "/var/log/faillog",
    )
)

# https://attack.mitre.org/techniques/T1562/001/ to /012/, https://attack.mitre.org/techniques/T1070/
_KNOWN = table(
    (
        _STOPPED,
        f"""
        systemctl|service|rc-service|invoke-rc.d|initctl|launchctl|snap stop|disable|mask|unload|bootout|down \
            {_AGENTS}
        systemctl stop|disable|mask iptables|ip6tables|nftables|syslog
        systemctl kill !--signal|-s {_AGENTS}
        systemctl kill --signal|-s=9|KILL|SIGKILL|TERM|SIGTERM|STOP {_AGENTS}
        systemctl stop|disable|mask {".service|".join(sorted(_GUARDS))}.service
        service|rc-service|invoke-rc.d {"|".join(sorted(_GUARDS))} stop|teardown
        chkconfig {_AGENTS} off
        chkconfig --del {_AGENTS}
        update-rc.d {_AGENTS} disable|remove
        rc-update del|delete {_AGENTS}
        pkill|killall|killall5 !--signal|-s|-HUP|-1|-USR1|-USR2|-0|-CONT {_AGENTS}
        apt|apt-get|aptitude|yum|dnf|zypper|apk|snap remove|purge|autoremove|erase|del|rm {_AGENTS}
        dpkg --purge|-P|--remove|-r {_AGENTS}
        rpm --erase|-e {_AGENTS}
        sc stop|delete WinDefend|Sense|EventLog|MpsSvc
        wevtutil cl|clear-log
        falconctl|sentinelctl uninstall|unload|disable|unquarantine
        mdatp config real-time-protection disabled
        docker|podman stop|kill|rm falco|osquery|wazuh*|sysdig*|tetragon|tracee
        """,
    ),
    (
        _ENFORCING,
        """
        setenforce 0|Permissive|permissive
        semanage permissive --add|-a
        semodule --remove|-r|--disable|-d *
        aa-teardown|aa-disable|aa-complain
        apparmor_parser --remove|-R
        grubby --args=*selinux=0*|*apparmor=0*|*audit=0*|*mitigations=off*|*enforcing=0*
        auditctl -e=0
        auditctl -D
        auditctl -d
        auditctl -W
        docker|podman|nerdctl run|create \
            --security-opt=*unconfined|label=disable|label:disable|no-new-privileges=false !--cap-add|--privileged
        chattr -a /var/log/*
        chattr -*a*|-*i* /var/log/*|/etc/passwd|/etc/shadow|/etc/sudoers|/etc/group|/etc/ld.so.preload
        """,
    ),
    (
        _FIREWALL,
        """
        ufw disable|reset
        ufw default allow incoming|routed
        nft flush ruleset
        nft delete table
        iptables|ip6tables|iptables-legacy|iptables-nft -P=INPUT|FORWARD ACCEPT
        iptables|ip6tables|iptables-legacy|iptables-nft --policy=INPUT|FORWARD ACCEPT
        iptables-restore /dev/null
        firewall-cmd --set-default-zone=trusted
        firewall-cmd --panic-off
        pfctl -d
        pfctl -F=all
        """,
    ),
    (
        _HISTORY,
        """
        history -c
        history -cw
        set +o history
        shopt -uo history
        unset HISTFILE
        export|declare|set|typeset|readonly HISTFILE=|HISTFILE=/dev/null|HISTSIZE=0|HISTFILESIZE=0|HISTIGNORE=[*]
        """,
    ),
    (
        _TRACES,
        f"""
        journalctl --vacuum-time=1s|1|0|0s|1m
        journalctl --vacuum-size=1|1K|1k|0|1M
        dmesg --clear|-C
        sed -i|--in-place {_LOG_FILES}
        faillog --reset|-r --all|-a
        lastlog --clear|-C
        """,
    ),
    (
        _LOGIN,
        """
        mysqld|mysqld_safe|mariadbd|mariadbd-safe --skip-grant-tables
        mongod --noauth
        redis-server --protected-mode=no
        redis-cli|valkey-cli config|CONFIG set|SET protected-mode no
        passwd --delete|-d
        usermod --password|-p=
        """,
    ),
)
_OPEN_CHAIN = names("A I append insert")
_ENFORCE_FILE = Pattern(
    r"(?:^|/)selinux/enforce$|/sys/kernel/security/(?:apparmor|lockdown|tomoyo)/|/apparmor/\.remove$"
)
_DISABLED_PROFILE = Pattern(r"^/etc/apparmor\.d/disable/")


def weakened(command: Command) -> str:
    """What a command does to the guards of the machine, as the end of a sentence; empty if nothing."""
    return meaning(command, _KNOWN) or _lets_all_in(command) or _by_file(command) or _unhistoried(command)


def _lets_all_in(command: Command) -> str:
    """`iptables -I INPUT -j ACCEPT`, without any test of the packet."""
    if command.name not in ("iptables", "ip6tables"):
        return ""
    options = parse(command.arguments, names("A I append insert j jump P t table"))
    chain, jump = options.value("A", "I", "append", "insert"), options.value("j", "jump")
    tests = options.flags or len(options.operands) > 1
    every = (
        chain is not None and chain.value in ("INPUT", "FORWARD") and jump is not None and jump.value == "ACCEPT"
    )
    return _FIREWALL if every and not tests and _OPEN_CHAIN & set(options.values) else ""


def _by_file(command: Command) -> str:
    """Switches that are files: `echo 0 > /sys/fs/selinux/enforce`, a link among the disabled profiles."""
    paths = [word.template("*") for word in written_paths(command)]
    if any(_ENFORCE_FILE.search(path) for path in paths) and written_text(command).strip() != "1":
        return _ENFORCING
    links = command.name == "ln" and any(_DISABLED_PROFILE.match(word.template("*")) for word in command.arguments)
    return _ENFORCING if links else ""


def _unhistoried(command: Command) -> str:
    """`HISTFILE=/dev/null` before a command."""
    values = [word.value for word in command.assigns]
    return _HISTORY if {"HISTFILE=/dev/null", "HISTSIZE=0", "HISTFILE="} & set(values) else ""
