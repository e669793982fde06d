"""Clients that print a secret when they are asked: of clouds, vaults, clusters, databases and desktops."""

import re

from wpk_sandbox.pattern import Pattern
from wpk_sandbox.rules.shell import sensitive
from wpk_sandbox.rules.shell.command import Command
from wpk_sandbox.rules.shell.options import parse
from wpk_sandbox.rules.shell.phrases import meaning, table
from wpk_sandbox.rules.shell.secret import Kind, Secret

_KEYS = "keys of the cloud"
_PASSWORD = "a password"
_TOKEN = "a token"
_KUBECONFIG = "the kubeconfig with its keys"
_VALUE = "a secret"
_CLUSTER = "Secrets of the cluster"

# https://docs.aws.amazon.com/cli/latest/reference/, https://learn.microsoft.com/cli/azure/reference-index,
# https://cloud.google.com/sdk/gcloud/reference, https://attack.mitre.org/techniques/T1555/, …/T1552/
_KNOWN = table(
    (
        _KEYS,
        """
        aws iam create-access-key|create-service-specific-credential
        aws sts get-federation-token|assume-role-with-web-identity|assume-role-with-saml
        aws sso get-role-credentials
        aws cognito-identity get-credentials-for-identity
        aws ec2 create-key-pair !--query
        aws ec2 create-key-pair --query=*KeyMaterial*
        aws lightsail download-default-key-pair|get-instance-access-details
        aws iot create-keys-and-certificate
        aws cloudfront create-key-group
        gcloud iam service-accounts keys create -|/dev/stdout
        gcloud config config-helper
        gsutil hmac create
        gcloud storage hmac create
        az storage account keys list
        az cosmosdb keys list
        az redis|batch list-keys
        az batch|maps|cognitiveservices account keys list
        az servicebus|eventhubs|relay * authorization-rule keys list
        az functionapp|search|signalr|acr|appconfig keys|key|admin-key|query-key|credential list|show
        az storage account show-connection-string
        az * connection-string|connection-strings show|list
        az ad sp create-for-rbac|credential
        az ad app credential reset
        az monitor log-analytics workspace get-shared-keys
        aliyun ram CreateAccessKey
        ibmcloud iam oauth-tokens|api-key-create
        oci iam customer-secret-key|auth-token create
        doctl auth list
        doctl registry docker-config
        """,
    ),
    (
        _PASSWORD,
        """
        aws ec2 get-password-data
        aws redshift get-cluster-credentials|get-cluster-credentials-with-iam
        aws secretsmanager batch-get-secret-value|get-random-password
        aws ssm get-parameters-by-path|get-parameters|get-parameter|get-parameter-history --with-decryption
        aws kms decrypt
        gcloud compute reset-windows-password
        gcloud kms decrypt --plaintext-file=-|/dev/stdout
        az keyvault secret download --file|-f=/dev/stdout
        az webapp|functionapp deployment list-publishing-credentials|list-publishing-profiles
        az webapp|functionapp config appsettings list
        bw get password|item|notes|totp
        bw list items
        rbw|gopass|lpass|passage|pass get|show
        op item get --reveal|--fields
        op document get
        keepassxc-cli show|clip --show-protected|-s
        secret-tool lookup|search
        security find-generic-password|find-internet-password -w
        security dump-keychain
        chamber read|export|env
        infisical secrets|export
        doppler secrets download|get
        sops --decrypt|-d !--in-place|-i|--output
        sops decrypt|exec-env
        ansible-vault view
        ansible-vault decrypt --output=-|/dev/stdout
        age|rage --decrypt|-d !-o|--output
        argocd admin initial-password
        heroku config
        heroku config:get *PASS*|*SECRET*|*TOKEN*|*KEY*|DATABASE_URL
        nmcli --show-secrets|-s
        wg showconf|genkey
        wg show private-key|preshared-keys
        samba-tool user getpassword
        cmdkey|vaultcmd /list*
        credstash get|getall
        consul kv get --recurse
        nomad var get
        """,
    ),
    (
        _TOKEN,
        """
        aws codeartifact|ecr get-authorization-token
        aws rds generate-db-auth-token
        aws eks get-token
        vault|bao token create
        vault|bao print token
        vault|bao operator init|generate-root|rekey
        vault|bao login !--no-print|--token-only|--field
        consul acl bootstrap
        consul acl token create|read|list
        nomad acl bootstrap
        nomad acl token create|self|info
        glab auth status --show-token|-t
        gh auth status --show-token|-t
        heroku auth:token
        fly|flyctl auth token
        fly|flyctl tokens create
        npm token create
        npm config get *_authToken*|*_password*
        oc whoami --show-token|-t
        oc serviceaccounts|sa get-token|new-token|create-kubeconfig
        argocd account generate-token
        kubeadm token list|create|generate
        kubeadm init phase upload-certs
        kubeadm certs certificate-key
        k3s token create|list
        docker swarm join-token
        docker swarm unlock-key
        git credential fill
        git config --get-all|--get *extraheader*|*token*|*password*
        git-credential-store|git-credential-cache|git-credential-manager|git-credential-libsecret get
        docker-credential-ecr-login|docker-credential-gcr|docker-credential-pass get|list
        docker-credential-desktop|docker-credential-osxkeychain|docker-credential-secretservice get|list
        klist --keys|-K
        """,
    ),
    (
        _KUBECONFIG,
        """
        kind|k3d|minikube get|kubeconfig kubeconfig|get
        doctl kubernetes cluster kubeconfig show
        az aks get-credentials --file|-f=-|/dev/stdout
        linode-cli lke kubeconfig-view
        talosctl kubeconfig -|/dev/stdout
        scw k8s kubeconfig get
        """,
    ),
    (
        _VALUE,
        """
        terraform|tofu|terragrunt show --json
        terraform|tofu|terragrunt state pull
        pulumi config|stack|up --show-secrets
        """,
    ),
    (
        _CLUSTER,
        """
        etcdctl get /registry/secrets* !--keys-only|--count-only
        etcdctl get /|/registry|/registry/ --prefix !--keys-only|--count-only
        etcdctl get --from-key !--keys-only|--count-only
        etcdctl get /kubernetes.io/secrets* !--keys-only|--count-only
        auger extract|decode
        """,
    ),
)
# Options and properties that show nothing of a secret.
_HARMLESS_QUERY = Pattern(r"^(?:\[?\]?\.?\w*(?:Arn|Name|Id|Version|Date|Time|Status|KeyFingerprint|Tags))+$")
_SECRET_OUTPUT = Pattern(r"^(?!.*(?:_arn|_name|_id|_version|_path|_user(?:name)?)$)", re.IGNORECASE)


def asked(command: Command) -> Secret | None:
    """The secret that a client is told to print."""
    if command.name in ("terraform", "tofu", "terragrunt", "pulumi") and (found := _output(command)):
        return found
    what = meaning(command, _KNOWN)
    if not what:
        return None
    query = parse(command.arguments, frozenset({"query"})).value("query")
    if query is not None and _HARMLESS_QUERY.match(query.when_empty):
        return None
    return Secret(Kind.VALUE, what)


def _output(command: Command) -> Secret | None:
    """`terraform output -raw db_password`, `pulumi stack output password --show-secrets`, all of it as JSON."""
    values = [word.when_empty for word in command.arguments]
    if "output" not in values:
        return None
    words = [value for value in values if not value.startswith("-")]
    names = words[words.index("output") + 1 :]
    shows = any(value.lstrip("-") in ("raw", "json", "show-secrets") for value in values)
    secret = any(sensitive.is_secret_name(name) and _SECRET_OUTPUT.match(name) for name in names)
    if not shows or (names and not secret):
        return None
    return Secret(Kind.VALUE, f"the output {names[0]}" if names else "all outputs, the sensitive ones too")
