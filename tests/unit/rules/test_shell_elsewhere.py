"""Commands that are handed on: to other machines, other terminals, little languages, crontabs and files run later."""

import pytest
from checking import of_shell, one, shell

SYSTEM = "shell-destroy-system"
DATA = "shell-destroy-data"

# Each with the command that does harm in it; its twin, which only looks, is made of the same line.
HANDED_ON = [
    # to other machines
    "ctr -n k8s.io task exec --exec-id x abc rm -rf /etc",
    "machinectl shell root@web /bin/rm -rf /etc",
    "systemd-nspawn -D /srv/root rm -rf /etc",
    "aws ssm send-command --instance-ids i-1 --parameters commands='rm -rf /etc'",
    """aws ssm send-command --instance-ids i-1 --parameters '{"commands":["rm -rf /etc"]}'""",
    'aws ecs execute-command --cluster c --task t --interactive --command "rm -rf /etc"',
    "gcloud compute ssh vm-1 --zone z --command 'rm -rf /etc'",
    "gcloud compute ssh vm-1 --zone z -- rm -rf /etc",
    "pssh -h hosts.txt 'rm -rf /etc'",
    "pdsh -w web[1-9] rm -rf /etc",
    "clush -a rm -rf /etc",
    "mosh host -- rm -rf /etc",
    "knife ssh 'role:web' 'rm -rf /etc'",
    'fly ssh console -C "rm -rf /etc"',
    'heroku run "rm -rf /etc" -a app',
    "ssh host <<< 'rm -rf /etc'",
    "ssh host 'sudo sh -s' <<< 'rm -rf /etc'",
    # to other terminals
    "tmux new-session -d 'rm -rf /etc'",
    "tmux send-keys -t main 'rm -rf /etc' Enter",
    "screen -dmS job sh -c 'rm -rf /etc'",
    # in options and little languages
    "tar cf /dev/null x --checkpoint=1 --checkpoint-action=exec='rm -rf /etc'",
    "tar xf x.tar --to-command='rm -rf /etc'",
    "git -c alias.x='!rm -rf /etc' x",
    "git -c core.pager='rm -rf /etc' log",
    "git submodule foreach 'rm -rf /etc'",
    "git rebase --exec 'rm -rf /etc' main",
    "git bisect run rm -rf /etc",
    "ssh -o ProxyCommand='rm -rf /etc' host",
    "scp -o 'ProxyCommand rm -rf /etc' a host:",
    "rsync -e 'sh -c \"rm -rf /etc\"' a host:",
    r"psql -c '\! rm -rf /etc'",
    r"mysql -e '\! rm -rf /etc'",
    "sqlite3 app.db '.shell rm -rf /etc'",
    "sed -n '1e rm -rf /etc' file",
    "vim -c ':!rm -rf /etc' -c ':q'",
    "expect -c 'spawn rm -rf /etc'",
    "socat TCP-LISTEN:1 EXEC:'rm -rf /etc'",
    "make -f - <<'EOF'\nall:\n\trm -rf /etc\nEOF",
    # later
    "crontab - <<< '0 3 * * * rm -rf /etc'",
    "echo '0 3 * * * root rm -rf /etc' > /etc/cron.d/x",
    "(crontab -l; echo '@daily rm -rf /etc') | crontab -",
    "cat > /etc/cron.daily/clean <<'EOF'\n#!/bin/sh\nrm -rf /etc\nEOF",
    "cat > /etc/systemd/system/x.service <<'EOF'\n[Service]\nExecStart=-/bin/sh -c 'rm -rf /etc'\nEOF",
    "printf '[Service]\\nExecStop=rm -rf /etc\\n' | tee /etc/systemd/system/x.service",
    # by what a program is known to print
    "bash < <(echo 'rm -rf /etc')",
    "mapfile -t L < <(printf '%s\\n' /etc); rm -rf \"${L[@]}\"",
    'D=/etc/x; rm -rf "$(dirname $D)"',
    'D=$(realpath /usr/../etc); rm -rf "$D"',
]


@pytest.mark.parametrize("script", HANDED_ON)
def test_a_command_is_found_where_it_is_handed_on(script: str) -> None:
    assert SYSTEM in of_shell(script)


@pytest.mark.parametrize("script", HANDED_ON)
def test_the_same_with_a_command_that_looks_is_left_alone(script: str) -> None:
    assert not {SYSTEM, DATA} & set(of_shell(script.replace("rm -rf", "ls -la")))


@pytest.mark.parametrize(
    "script",
    [
        "git -c user.name='rm -rf /etc' commit -m x",
        "git commit -m 'rm -rf /etc'",
        "ssh -o ConnectTimeout=5 host uptime",
        "sed -e 's/a/e rm -rf/' file",
        "psql -c \"SELECT 'system rm -rf /etc'\"",
        "echo 'rm -rf /etc' > /etc/cron.d/README.md",
        "echo '0 3 * * * root rm -rf /etc' > /tmp/not-a-table",
        "tmux kill-session -t 'rm -rf /etc'",
        "rsync -a --exclude 'rm -rf /etc' a b",
        'D=/etc/x/y; ls "$(dirname $D)"',
        "readlink /etc/localtime",
        "crontab -l",
    ],
)
def test_text_that_nothing_runs_is_left_alone(script: str) -> None:
    assert not {SYSTEM, DATA} & set(of_shell(script))


@pytest.mark.parametrize(
    "script",
    [
        "consul kv delete -recurse prod/",
        "vault secrets disable secret/",
        "vault kv metadata delete secret/prod",
        "zkCli.sh -server zk:2181 deleteall /prod",
        "nomad job stop -purge db",
        "ceph osd pool delete p p --yes-i-really-really-mean-it",
        "rbd rm pool/img",
        "gluster volume delete v",
        "influx delete --bucket b --start 1970-01-01T00:00:00Z --stop 2026-01-01T00:00:00Z",
        "rabbitmqadmin delete queue name=orders",
        "kubeadm reset -f",
        "k3s-uninstall.sh",
        "kubectl get ns -o name | xargs kubectl delete",
        "kubectl get pvc -n prod -o name | xargs -r kubectl delete -n prod",
        "curl -XDELETE 'localhost:9200/logs-*'",
    ],
)
def test_clients_of_stores_delete_data(script: str) -> None:
    assert DATA in of_shell(script)


@pytest.mark.parametrize(
    "script",
    [
        "consul kv delete locks/deploy",
        "consul kv get -recurse prod/",
        "vault secrets list",
        "vault kv get secret/prod",
        "zkCli.sh -server zk:2181 ls /prod",
        "nomad job stop web",
        "ceph osd pool ls",
        "rbd ls pool",
        "gluster volume info v",
        "rabbitmqadmin list queues",
        "kubeadm token list",
        "kubectl get pods -o name | xargs kubectl delete",
        "curl -XDELETE localhost:9200/logs-2026.01.01",
        "curl -X DELETE http://localhost:8080/sessions/42",
    ],
)
def test_daily_work_with_stores_is_left_alone(script: str) -> None:
    assert DATA not in of_shell(script)


def test_a_finding_in_a_crontab_points_at_its_command() -> None:
    found = one(SYSTEM, shell("echo '0 3 * * * root rm -rf /etc' > /etc/cron.d/x"))
    assert found.location.column > 1
    assert found.message == "`rm -rf /etc` deletes the system folder /etc"


RUN_LATER = [
    "cat > /tmp/x.sh <<'EOF'\nrm -rf /etc\nEOF\nbash /tmp/x.sh",
    "cat > /tmp/x.sh <<'EOF'\nrm -rf /etc\nEOF\nchmod +x /tmp/x.sh\n/tmp/x.sh",
    "echo 'rm -rf /etc' > x.sh; sh x.sh",
    "echo 'rm -rf /etc' > x.sh; . ./x.sh",
    "printf 'rm -rf /etc\\n' | tee x.sh; sh ./x.sh",
    "D=/tmp; echo 'rm -rf /etc' > $D/x; sudo bash -x $D/x",
    "cd /tmp; echo 'rm -rf /etc' > x; source /tmp/x",
    "echo 'set -e' > x; echo 'rm -rf /etc' >> x; sh x",
    "echo 'rm -rf \"$1\"' > x; sh x /etc",
    "cat > x.py <<'EOF'\nimport os\nos.system('rm -rf /etc')\nEOF\npython3 x.py",
    "echo 'rm -rf /etc' > /usr/local/bin/tidy; chmod +x /usr/local/bin/tidy; tidy",
    "echo 'rm -rf /etc' > x; scp x host:; sh < x",
    "echo 'rm -rf /etc' > x; cat x | ssh host sh",
]


@pytest.mark.parametrize("script", RUN_LATER)
def test_a_script_that_is_written_and_then_run_is_read(script: str) -> None:
    assert SYSTEM in of_shell(script)


@pytest.mark.parametrize("script", RUN_LATER)
def test_the_same_script_that_only_looks_is_left_alone(script: str) -> None:
    assert not {SYSTEM, DATA} & set(of_shell(script.replace("rm -rf", "ls -la")))


@pytest.mark.parametrize(
    "script",
    [
        "cat > /tmp/x.sh <<'EOF'\nrm -rf /etc\nEOF\ncat /tmp/x.sh",
        "echo 'rm -rf /etc' > x.sh; echo true > x.sh; sh x.sh",
        "echo 'rm -rf /etc' > x.sh; sh y.sh",
        "echo 'rm -rf /etc' > x.txt; grep rm x.txt",
        "echo 'sh x' > x; sh x",
    ],
)
def test_a_script_that_is_never_run_is_text(script: str) -> None:
    assert not {SYSTEM, DATA} & set(of_shell(script))
