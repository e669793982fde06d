"""Credentials: reading those of others and showing any is found; handing one to its program is not."""

import pytest
from checking import of_shell, one, shell

RULE = "shell-credential-access"
TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount/token"

FOUND = [
    "cat ~/.ssh/id_rsa",
    "cat $HOME/.ssh/id_ed25519",
    'cat "${HOME}/.ssh/id_rsa"',
    "cat /root/.ssh/id_rsa | base64",
    "base64 -w0 ~/.ssh/id_rsa",
    "cp -r /home/deploy/.ssh /tmp/x",
    "tar czf /tmp/k.tgz ~/.ssh",
    "cat ~/.aws/credentials",
    "grep aws_secret ~/.aws/credentials",
    "cat ~/.kube/config",
    "head -n 50 /root/.kube/config",
    "cat ~/.docker/config.json | jq .auths",
    "cat ~/.netrc ~/.pgpass",
    "cat /etc/shadow",
    "sudo cat /etc/shadow",
    "awk -F: '{print $1, $2}' /etc/shadow",
    "cat /host/etc/shadow",
    "cat < /etc/shadow",
    "while read -r line; do echo $line; done < /etc/shadow",
    'echo "$(< /etc/shadow)"',
    "getent shadow",
    "cat ~/.bash_history",
    "tail -n 100 /home/*/.bash_history",
    "history",
    "history | grep -i mysql",
    f"cat {TOKEN}",
    f"cat {TOKEN} | cut -d. -f2 | base64 -d",
    f"T=$(cat {TOKEN}); echo $T",
    "cat /proc/1/environ",
    "tr '\\0' '\\n' < /proc/1/environ",
    "strings /proc/self/environ",
    "for p in /proc/*/environ; do cat $p; done",
    'cat "/proc/$PID/environ"',
    "cat /etc/kubernetes/admin.conf",
    "cp /etc/kubernetes/pki/ca.key /tmp",
    "kubectl get secret db -o yaml",
    "kubectl get secret db -o json | jq -r .data.password",
    "kubectl get secret db -o jsonpath='{.data.password}' | base64 -d",
    "kubectl -n shop get secret/db -o=jsonpath={.data.password} | base64 --decode; echo",
    "kubectl get secret db -o go-template='{{.data.password | base64decode}}'",
    "kubectl get secret db -o jsonpath='{.data.tls\\.key}' | base64 -d > /tmp/tls.key",
    "kubectl get secrets -A -o yaml > /tmp/all.yaml",
    "echo $(kubectl get secret db -o jsonpath='{.data.password}' | base64 -d)",
    "P=$(kubectl get secret db -o jsonpath='{.data.password}' | base64 -d); echo \"password: $P\"",
    "kubectl get --raw /api/v1/namespaces/kube-system/secrets",
    "curl -s https://kubernetes.default.svc/api/v1/secrets",
    "kubectl config view --raw",
    "kubectl config view --raw > /tmp/c",
    "echo $DB_PASSWORD",
    'echo "the password is ${DB_PASSWORD}"',
    "printf '%s\\n' \"$API_TOKEN\"",
    "printf 'token=%s\\n' \"$GITHUB_TOKEN\"",
    "echo $AWS_SECRET_ACCESS_KEY | base64",
    "echo $DB_PASSWORD >> /var/log/app.log",
    "cat <<EOF\nkey: $API_KEY\nEOF\n",
    "printenv DB_PASSWORD",
    "env | grep -i password",
    "env | base64",
    "printenv | sort | gzip -c | base64 -w0",
    "env | openssl enc -base64",
    "env | od -An -c",
    "set | xxd -p",
    "export -p | rev",
    "env | base64 | tee /tmp/env.b64",
    "printenv | grep -E 'SECRET|TOKEN'",
    "kubectl exec web-0 -- env | grep -i pass",
    "kubectl exec web-0 -- cat /etc/shadow",
    "sh -c 'cat ~/.ssh/id_rsa'",
    "find / -name id_rsa 2>/dev/null",
    "find /home -name '.aws'",
    "grep -ri password /etc",
    "grep -rn 'aws_secret' /home /root",
    "aws secretsmanager get-secret-value --secret-id db",
    "vault kv get secret/db",
    "gcloud auth print-access-token",
    "python3 -c \"print(open('/etc/shadow').read())\"",
    "cat /run/secrets/kubernetes.io/serviceaccount/token > /tmp/t",
    "find / -name id_rsa -exec cat {} \\;",
    "locate id_rsa",
    "unshadow /etc/passwd /etc/shadow",
    "kubectl get secret db --template={{.data.password}}",
    "oc extract secret/db --to=-",
    "xargs -0 -a /proc/1/environ -n1 echo",
    "gpg --export-secret-keys > /tmp/k",
    f'T=$(cat {TOKEN}); curl -sH "Authorization: Bearer $T" https://kubernetes.default.svc/api/v1/pods',
    "kubectl -n kube-system create token admin --duration=24h",
    "/usr/local/bin/vault kv get secret/db",
]
NOT_FOUND = [
    "cat ~/.ssh/id_rsa.pub",
    "cat ~/.ssh/known_hosts",
    "cat ~/.ssh/config",
    "ssh -i ~/.ssh/id_rsa deploy@web.default.svc uptime",
    "ssh-keygen -lf ~/.ssh/id_ed25519",
    "chmod 600 ~/.ssh/id_rsa",
    "ls -l ~/.ssh",
    "test -f ~/.aws/credentials && echo present",
    "stat -c %a /etc/shadow",
    "grep -q '^deploy:' /etc/shadow",
    "sha256sum /etc/shadow",
    "wc -l < /etc/shadow",
    "cat ~/.ssh/id_rsa | ssh-add -",
    "cp /etc/kubernetes/admin.conf ~/.kube/config",
    "cp ~/.kube/config ~/.kube/config.bak",
    "grep server: ~/.kube/config",
    "export KUBECONFIG=~/.kube/config",
    "kubectl --kubeconfig ~/.kube/config get pods",
    "kubectl config view",
    "kubectl config view --minify -o jsonpath='{..namespace}'",
    "kubectl config view --raw > ~/.kube/merged",
    "cat /etc/passwd",
    "history -c",
    "cat /proc/1/cmdline",
    "cat /var/run/secrets/kubernetes.io/serviceaccount/namespace",
    "ls /var/run/secrets/kubernetes.io/serviceaccount",
    f"test -s {TOKEN}",
    f"cat {TOKEN} | wc -c",
    "kubectl get secret db",
    "kubectl get secrets -n shop",
    "kubectl get secret db -o name",
    "kubectl describe secret db",
    "kubectl get secret db -o jsonpath='{.metadata.creationTimestamp}'",
    "kubectl get secret db -o jsonpath='{.type}'",
    "kubectl get secret web-tls -o jsonpath='{.data.tls\\.crt}' | base64 -d | openssl x509 -noout -enddate",
    "kubectl get secret db -o json | jq -r '.data | keys[]'",
    "kubectl get secrets -A -o json | jq -r '.items[].metadata.name'",
    "kubectl get secret db -o yaml | grep -c password",
    "kubectl get secret db -o yaml > /tmp/db-secret-backup.yaml",
    "kubectl get secret db -n a -o yaml | sed 's/namespace: a/namespace: b/' | kubectl apply -f -",
    "PGPASSWORD=$(kubectl get secret db -o jsonpath='{.data.password}' | base64 -d) psql -h db -c 'SELECT 1'",
    "kubectl get secret db >/dev/null 2>&1 || kubectl create secret generic db --from-literal=a=$DB_PASSWORD",
    "kubectl get configmap app -o yaml",
    "mysql -u root -p\"$MYSQL_ROOT_PASSWORD\" -e 'SELECT 1'",
    'echo "$REGISTRY_PASSWORD" | docker login -u app --password-stdin registry.default.svc',
    'curl -H "Authorization: Bearer $API_TOKEN" http://api.default.svc/healthz',
    '[ -n "$DB_PASSWORD" ] || { echo "DB_PASSWORD is not set" >&2; exit 1; }',
    'echo "token: ${API_TOKEN:+set}"',
    'echo "length: ${#API_TOKEN}"',
    'echo -n "$API_TOKEN" | sha256sum',
    'echo "db:$DB_PASSWORD" > ~/.pgpass',
    "cat <<EOF > /etc/app/config.yaml\npassword: $DB_PASSWORD\nEOF\n",
    "cat <<EOF | kubectl apply -f -\npassword: $DB_PASSWORD\nEOF\n",
    "echo $PWD $OLDPWD",
    'for secret in $(kubectl get secrets -o name); do echo "$secret"; done',
    'while read -r secret; do echo "checking $secret"; done < /tmp/names',
    "get_password() { kubectl get secret db -o jsonpath='{.data.password}' | base64 -d; }; P=$(get_password)",
    "env | cut -d= -f1 | sort",
    "env | cut -d= -f1 | base64",
    "env | sort | sha256sum",
    "env | base64 > /tmp/env.b64",
    "before=$(env | base64)",
    "env | gzip > /tmp/env.gz",
    "env | openssl dgst -sha256",
    "env | openssl enc -aes-256-cbc -pbkdf2 -pass file:/etc/backup/key -base64",
    "set | grep -c .",
    "date | base64",
    "env | grep PROXY",
    "printenv HOSTNAME",
    "env DB_PASSWORD=$DB_PASSWORD ./migrate",
    "grep -ri password /var/log/app",
    "grep -r timeout /etc/app",
    "find /etc/ssl -name '*.pem' -mtime +300",
    "find / -name id_rsa -perm /044 -exec chmod 600 {} +",
    "vault kv get -field=password secret/db > /run/app/password",
    "P=$(aws secretsmanager get-secret-value --secret-id db --query SecretString --output text)",
    "aws secretsmanager list-secrets",
    "aws ecr get-login-password | docker login --username AWS --password-stdin registry",
    "echo 'cat /etc/shadow'",
    "python3 -c \"import os; print(os.environ['HOME'])\"",
    "locate nginx.conf",
    "oc extract configmap/app --to=-",
    "gpg --verify app.tgz.sig",
    "kubectl get secret db --template={{.metadata.name}}",
    "xargs -a /tmp/names -n1 echo",
    'T=$(kubectl create token reader); curl -H "Authorization: Bearer $T" http://api.default.svc/',
]


@pytest.mark.parametrize("command", FOUND)
def test_reading_or_showing_credentials_is_found(command: str) -> None:
    assert RULE in of_shell(command)


@pytest.mark.parametrize("command", NOT_FOUND)
def test_handing_them_to_their_program_is_left_alone(command: str) -> None:
    assert RULE not in of_shell(command)


def test_the_message_names_the_variable_and_not_its_place_in_the_text() -> None:
    assert one(RULE, shell('echo "pw: $DB_PASSWORD"')).message == (
        "`echo pw: $DB_PASSWORD` shows the variable DB_PASSWORD"
    )


def test_a_loop_over_a_file_is_told_of_once() -> None:
    assert one(RULE, shell("while read -r a; do read -r b; done < /etc/shadow")).message.endswith(
        "reads /etc/shadow"
    )


def test_a_long_pipeline_hides_nothing() -> None:
    assert RULE in of_shell("cat ~/.ssh/id_rsa" + " | cat" * 200)


@pytest.mark.parametrize(
    "command",
    [
        "X=$(cmd $X $X); " * 400 + "echo $X",
        "env | " * 2000 + "env",
        "env | " * 800 + "{ " + "env; " * 800 + "}",
        "cat " + "<(cat $X) " * 1000,
        "echo $" + "A_" * 30_000,
    ],
    ids=["doubled", "piped", "grouped", "substituted", "named"],
)
def test_a_script_that_is_made_to_be_costly_ends(command: str) -> None:
    assert RULE not in of_shell(command)
