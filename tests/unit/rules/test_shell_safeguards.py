"""Safeguards that are taken away: in clouds, in clusters, on machines, of connections, in written settings."""

import pytest
from checking import of_shell

SAFETY = "shell-safety-disabled"

IN_CLOUDS = [
    "aws --region eu-west-1 cloudtrail delete-trail --name main",
    "aws configservice stop-configuration-recorder --configuration-recorder-name default",
    "aws ec2 delete-flow-logs --flow-log-ids fl-1",
    "aws guardduty update-detector --detector-id abc --enable=false",
    "aws securityhub disable-security-hub",
    "aws dynamodb update-table --table-name orders --no-deletion-protection-enabled",
    "aws elbv2 modify-load-balancer-attributes --load-balancer-arn a --attributes Key=deletion_protection.enabled,Value=false",
    "aws ec2 modify-instance-attribute --instance-id i-1 --no-disable-api-termination",
    "aws cloudformation update-termination-protection --no-enable-termination-protection --stack-name db",
    "aws s3api delete-public-access-block --bucket acme",
    "aws s3api put-bucket-versioning --bucket acme --versioning-configuration Status=Suspended",
    "aws rds modify-db-cluster --db-cluster-identifier a --backup-retention-period 0",
    "aws ec2 authorize-security-group-ingress --group-id sg-1 --protocol tcp --port 22 --cidr 0.0.0.0/0",
    "aws organizations leave-organization",
    "gcloud logging sinks delete audit --quiet",
    "gcloud sql instances patch orders --no-deletion-protection",
    "gcloud compute instances update vm-1 --no-deletion-protection --zone z",
    "gcloud alpha resource-manager liens delete abc",
    "gcloud compute networks subnets update a --no-enable-flow-logs",
    "gsutil versioning set off gs://acme",
    "az lock delete --name keep --resource-group prod",
    "az group lock delete -n keep -g prod",
    "az monitor diagnostic-settings delete --name audit --resource r",
    "az keyvault update --name v --enable-purge-protection false",
    "az storage account update -n acme --allow-blob-public-access true",
    "az sql db tde set --status Disabled -d orders -s s -g g",
    "vault audit disable file/",
    "terraform apply -lock=false",
    "terragrunt run-all apply --lock false",
    "terraform force-unlock -force 1234",
    "gh api -X DELETE repos/acme/shop/branches/main/protection",
    "git config --global safe.directory '*'",
]
IN_CLOUDS_LEFT = [
    "aws cloudtrail start-logging --name main",
    "aws cloudtrail describe-trails --query 'trailList[].Name' --output text",
    "aws guardduty update-detector --detector-id abc --enable",
    "aws rds modify-db-instance --db-instance-identifier a --deletion-protection --apply-immediately",
    "aws s3api put-bucket-versioning --bucket acme --versioning-configuration Status=Enabled",
    "aws s3api put-public-access-block --bucket acme --public-access-block-configuration BlockPublicAcls=true",
    "aws rds modify-db-instance --db-instance-identifier a --backup-retention-period 14",
    "aws ec2 authorize-security-group-ingress --group-id sg-1 --protocol tcp --port 22 --cidr 10.0.0.0/8",
    "gcloud sql instances patch orders --deletion-protection",
    "az lock create --name keep --lock-type CanNotDelete --resource-group prod",
    "az lock list -g prod",
    "vault audit enable file file_path=/var/log/vault.log",
    "terraform apply -lock-timeout=5m plan.bin",
    "terraform plan -lock=true -out=plan.bin",
    "gh api repos/acme/shop/branches/main/protection",
    "git config --global --add safe.directory /srv/app",
    'git config --global --add safe.directory "$PWD"',
]

IN_CLUSTERS = [
    "kubectl label namespace web pod-security.kubernetes.io/enforce=privileged --overwrite",
    "kubectl label ns web pod-security.kubernetes.io/enforce-",
    """kubectl patch ns web -p '{"metadata":{"labels":{"pod-security.kubernetes.io/enforce":"privileged"}}}'""",
    "kubectl label ns web admission.gatekeeper.sh/ignore=no-self-managing",
    "kubectl delete validatingwebhookconfiguration kyverno-resource-validating-webhook-cfg",
    "kubectl delete validatingwebhookconfigurations --all",
    """kubectl patch mutatingwebhookconfiguration x --type=json -p '[{"op":"replace","path":"/webhooks/0/failurePolicy","value":"Ignore"}]'""",
    "kubectl -n web delete networkpolicy default-deny",
    "kubectl -n web delete netpol --all",
    "kubectl delete pdb api -n web",
    "kubectl -n web delete resourcequota/limits",
    "kubectl scale deploy -n kyverno kyverno-admission-controller --replicas=0",
    "helm uninstall falco -n falco",
    "kubectl apply --validate=false -f x.yaml",
    "kubectl create --validate ignore -f x.yaml",
    "helm upgrade --install web ./web --no-hooks",
    "oc adm policy add-scc-to-user privileged -z default -n web",
    "kubeadm join 10.0.0.1:6443 --token a.b --discovery-token-unsafe-skip-ca-verification",
    "kubectl get csr -o name | xargs kubectl certificate approve",
    """kubectl patch ns gone -p '{"metadata":{"finalizers":[]}}' --type=merge""",
]
IN_CLUSTERS_LEFT = [
    "kubectl label ns web pod-security.kubernetes.io/enforce=restricted --overwrite",
    "kubectl label ns web pod-security.kubernetes.io/warn=privileged",
    "kubectl get validatingwebhookconfigurations",
    "kubectl -n web get pdb,netpol,resourcequota",
    "kubectl apply --validate=strict -f x.yaml",
    "kubectl apply --dry-run=server --validate=false -f x.yaml",
    "kubectl scale deploy/web --replicas=0",
    "helm uninstall demo",
    """kubectl patch deploy web -p '{"spec":{"replicas":2}}'""",
    "kubectl certificate approve node-7-csr",
    "oc adm policy add-scc-to-user restricted -z default -n web",
]

ON_MACHINES = [
    "echo 0 > /sys/fs/selinux/enforce",
    "echo 0 | sudo tee /selinux/enforce",
    "sed -i 's/^SELINUX=.*/SELINUX=permissive/' /etc/selinux/config",
    "semanage permissive -a httpd_t",
    "apparmor_parser -R /etc/apparmor.d/usr.sbin.mysqld",
    "ln -s /etc/apparmor.d/usr.sbin.mysqld /etc/apparmor.d/disable/",
    "grubby --update-kernel=ALL --args='selinux=0'",
    'sed -i \'s/GRUB_CMDLINE_LINUX=""/GRUB_CMDLINE_LINUX="apparmor=0 mitigations=off"/\' /etc/default/grub',
    "auditctl -e 0",
    "pkill -9 auditd",
    "systemctl disable --now falco.service",
    "/etc/init.d/auditd stop; service rsyslog stop",
    "apt-get purge -y apparmor fail2ban",
    "chkconfig auditd off",
    "iptables -P INPUT ACCEPT",
    "iptables -I INPUT -j ACCEPT",
    "nft flush ruleset",
    "firewall-cmd --set-default-zone=trusted",
    "set +o history",
    "export HISTFILE=",
    "HISTFILE=/dev/null bash -i",
    "dmesg -C",
    "sed -i '/203.0.113.7/d' /var/log/auth.log",
    "chattr -i /etc/shadow",
    "passwd -d root",
    "docker run --security-opt seccomp=unconfined alpine:3.20 sh",
]
ON_MACHINES_LEFT = [
    "systemctl restart auditd",
    "systemctl kill -s HUP rsyslog.service",
    "pkill -HUP rsyslogd; pkill -USR1 filebeat",
    "systemctl status falco",
    "cat /sys/fs/selinux/enforce",
    "iptables -I INPUT -p tcp --dport 443 -j ACCEPT",
    "iptables -P INPUT DROP",
    "sed -n '/sshd/p' /var/log/auth.log",
    "echo 1 > /sys/fs/selinux/enforce",
    "passwd -l guest",
    "dmesg --level=err",
    "docker run --security-opt no-new-privileges alpine:3.20 id",
    "apt-get install -y fail2ban=1.0.2-2",
]

UNCHECKED = [
    "LDAPTLS_REQCERT=never ldapsearch -H ldaps://ldap.corp.example.com",
    "export PGSSLMODE=disable",
    "psql 'host=db.example.com sslmode=disable dbname=app'",
    "mysql --ssl-mode=DISABLED -h db.example.com",
    "mysqldump --skip-ssl -h db.example.com app > /srv/app.sql",
    "mongosh --tls --tlsAllowInvalidCertificates mongodb://db.example.com",
    "redis-cli --tls --insecure -h cache.example.com ping",
    "CONSUL_HTTP_SSL_VERIFY=false consul members",
    "NOMAD_SKIP_VERIFY=true nomad status",
    "GOVC_INSECURE=1 govc ls",
    "cf login --skip-ssl-validation -a https://api.example.com",
    "restic --insecure-tls -r rest:https://backup.example.com snapshots",
    "rclone --no-check-certificate ls remote:",
    "mc --insecure ls store",
    "etcdctl --insecure-skip-tls-verify get /a",
    "grpcurl -insecure api.example.com:443 list",
    "svn checkout --trust-server-cert --non-interactive https://svn.example.com/a",
    "yarn config set enableStrictSsl false",
    "npm_config_strict_ssl=false npm ci",
    "composer config -g disable-tls true",
    "go env -w GOINSECURE='*.example.com'",
    "GOSUMDB=off go build ./...",
    "GIT_SSL_NO_VERIFY=true git fetch",
    "REQUESTS_CA_BUNDLE= python3 sync.py",
    "AZURE_CLI_DISABLE_CONNECTION_VERIFICATION=1 az group list",
    "HELM_KUBEINSECURE_SKIP_TLS_VERIFY=true helm list",
    "kubectl set env deploy/web NODE_TLS_REJECT_UNAUTHORIZED=0",
    "mvn -Dmaven.wagon.http.ssl.insecure=true deploy",
    "python3 -c 'import requests; requests.get(\"https://api.example.com\", verify=False)'",
    'node -e \'require("https").get({host: "api.example.com", rejectUnauthorized: false})\'',
    "echo insecure >> ~/.curlrc",
    "printf 'strict-ssl=false\\n' > ~/.npmrc",
    "echo 'check_certificate = off' >> ~/.wgetrc",
    "printf 'Host *\\n  StrictHostKeyChecking no\\n' >> ~/.ssh/config",
    "apt-get -o Acquire::AllowInsecureRepositories=true update",
    "echo 'deb [trusted=yes] https://repo.example.com/apt ./' > /etc/apt/sources.list.d/a.list",
    "printf '[a]\\nbaseurl=https://repo.example.com\\ngpgcheck=0\\n' > /etc/yum.repos.d/a.repo",
    "DOCKER_CONTENT_TRUST=0 docker pull registry.example.com/a:1.2.3",
    "sed -i 's/^#*PermitRootLogin.*/PermitRootLogin yes/' /etc/ssh/sshd_config",
    "echo 'host all all 0.0.0.0/0 trust' >> /etc/postgresql/16/main/pg_hba.conf",
]
CHECKED = [
    "LDAPTLS_REQCERT=demand ldapsearch -H ldaps://ldap.corp.example.com",
    "export PGSSLMODE=verify-full",
    "psql 'host=db.example.com sslmode=verify-full dbname=app'",
    "psql 'host=localhost sslmode=disable dbname=app'",
    "mysql --ssl-mode=VERIFY_IDENTITY -h db.example.com",
    "argocd login localhost:8080 --insecure",
    "CONSUL_HTTP_SSL_VERIFY=true consul members",
    "NOMAD_SKIP_VERIFY=false nomad status",
    "HELM_KUBEINSECURE_SKIP_TLS_VERIFY=false helm list",
    "REQUESTS_CA_BUNDLE=/etc/ssl/certs/ca.pem python3 sync.py",
    'REQUESTS_CA_BUNDLE="$BUNDLE" python3 sync.py',
    "GOPRIVATE=git.example.com go build ./...",
    "grep -rn -- --insecure scripts/",
    "echo 'never use --insecure-skip-tls-verify'",
    "kubectl set env deploy/web NODE_TLS_REJECT_UNAUTHORIZED=1",
    'python3 -c \'import requests; requests.get("https://api.example.com", verify="/etc/ssl/ca.pem")\'',
    "echo 'cacert = /etc/ssl/ca.pem' >> ~/.curlrc",
    "printf 'Host *\\n  StrictHostKeyChecking accept-new\\n' >> ~/.ssh/config",
    "printf '[a]\\nbaseurl=https://repo.example.com\\ngpgcheck=1\\n' > /etc/yum.repos.d/a.repo",
    "sed -i 's/^PermitRootLogin yes/PermitRootLogin no/' /etc/ssh/sshd_config",
    "grep -c 'PermitRootLogin yes' /etc/ssh/sshd_config",
    "echo 'host all all 10.0.0.0/8 scram-sha-256' >> /etc/postgresql/16/main/pg_hba.conf",
]

OFF = [*IN_CLOUDS, *IN_CLUSTERS, *ON_MACHINES, *UNCHECKED]
LEFT = [*IN_CLOUDS_LEFT, *IN_CLUSTERS_LEFT, *ON_MACHINES_LEFT, *CHECKED]


@pytest.mark.parametrize("script", OFF)
def test_a_safeguard_that_is_taken_away_is_found(script: str) -> None:
    assert SAFETY in of_shell(script)


@pytest.mark.parametrize("script", LEFT)
def test_a_safeguard_that_is_put_up_asked_for_or_left_is_no_finding(script: str) -> None:
    assert SAFETY not in of_shell(script)


def test_a_failure_whose_status_is_kept_is_not_ignored() -> None:
    probe = "set +e\nkubectl apply -f x.yaml\n{}\nset -e\n{}"
    assert SAFETY in of_shell(probe.format("", ""))
    assert SAFETY not in of_shell(probe.format("rc=$?", 'exit "$rc"'))
    assert SAFETY not in of_shell(probe.format("[ $? -eq 0 ] || exit 1", ""))
