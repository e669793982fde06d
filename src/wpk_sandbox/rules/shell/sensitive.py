"""Which files and variables hold credentials, by where they are and what they are called."""

import posixpath
import re

from wpk_sandbox.pattern import Pattern
from wpk_sandbox.rules.shell.options import names
from wpk_sandbox.rules.shell.words import Piece, Word

_HOST_MOUNT = Pattern(r"^/(?:host|hostfs|rootfs|host-root|node|mnt/host)(?=/)")
# Files in home folders, wherever those are.
_AT_HOME = Pattern(
    r"(?:^|/)(?:"
    r"\.ssh(?:/(?:\*|\.|id_[^/]*|[^/]*(?:_rsa|_dsa|_ecdsa|_ed25519|key|\.pem)))?"
    r"|\.aws(?:/(?:credentials|\*))?|\.kube(?:/(?:config|\*))?|\.docker/config\.json|\.gnupg(?:/.*)?"
    r"|\.netrc|\.pgpass|\.git-credentials|\.my\.cnf|\.vault-token|\.npmrc|\.pypirc|\.config/gh/hosts\.yml"
    r"|\.config/gcloud(?:/(?:credentials\.db|access_tokens\.db|application_default_credentials\.json|\*))?"
    r"|\.azure(?:/(?:accessTokens\.json|msal_token_cache\.\w+|\*))?|\.terraform\.d/credentials\.tfrc\.json"
    r"|\.(?:bash|zsh|sh|ash|ksh|mysql|psql|python|rediscli|node_repl|fish)?_?history"
    r"|id_(?:rsa|dsa|ecdsa|ed25519)"
    r"|\.(?:s3cfg|boto|passwd-s3fs|smbcredentials|databrickscfg|erlang\.cookie|vault_pass\S*|terraformrc|kdbx|htpasswd)"
    r"|\.config/(?:rclone/rclone\.conf|doctl/config\.yaml|hub|glab-cli/config\.yml|op/config|sops/age/keys\.txt)"
    r"|\.cargo/credentials(?:\.toml)?|\.gem/credentials|\.composer/auth\.json|\.m2/settings(?:-security)?\.xml"
    r"|\.oci/(?:config|\S+\.pem)|\.pulumi/credentials\.json|\.kaggle/kaggle\.json|\.(?:cache/)?huggingface/token"
    r"|\.local/share/keyrings(?:/\S*)?|\.password-store(?:/.*)?|\.mozilla/firefox/\S*(?:logins\.json|key[34]\.db|cookies\.sqlite)"
    r"|(?:google-chrome|chromium|Chrome|BraveSoftware|microsoft-edge)/.*(?:Login Data|Cookies|Web Data)"
    r"|Library/Keychains(?:/.*)?|\.bitcoin/wallet\.dat|\.ethereum/keystore(?:/.*)?|terraform\.tfstate(?:\.backup)?|\S+\.tfstate"
    r"|secrets/(?:initialAdminPassword|master\.key|hudson\.util\.Secret)|jenkins_home/credentials\.xml"
    r")$"
)
_OF_SYSTEM = Pattern(
    r"^/(?:etc/g?shadow-?|etc/(?:ssl|pki/tls)/private(?:/.*)?|etc/ssh/ssh_host_\w+_key|etc/krb5\.keytab|etc/.*\.key"
    r"|etc/kubernetes/(?:super-)?(?:admin|controller-manager|scheduler|kubelet|bootstrap-kubelet)\.conf"
    r"|etc/kubernetes/pki(?:/\*)?|var/lib/kubelet/(?:pki(?:/.*)?|kubeconfig|config\.json)|etc/rancher/k3s/k3s\.yaml"
    r"|etc/rancher/rke2/rke2\.yaml|var/lib/kubelet/pods/.*/token|proc/[^/]+/environ|proc/[^/]+/mem|proc/kcore"
    r"|dev/k?mem|var/lib/kubelet/pods/.*/kubernetes\.io~(?:secret|projected)(?:/.*)?|var/backups/g?shadow(?:\.bak)?"
    r"|etc/security/opasswd|etc/letsencrypt/(?:live|archive)/.*privkey\S*|etc/wireguard/\S+\.conf|etc/ipsec\.secrets"
    r"|etc/ppp/(?:chap|pap)-secrets|etc/NetworkManager/system-connections/.*|etc/openvpn/\S*(?:\.key|auth\S*)"
    r"|etc/mysql/debian\.cnf|etc/ceph/\S+\.keyring|etc/sssd/\S+\.keytab|var/lib/sss/secrets(?:/.*)?|etc/pve/priv(?:/.*)?"
    r"|etc/(?:puppetlabs/puppet|puppet)/ssl/private_keys(?:/.*)?|etc/salt/pki/\S+\.pem|etc/chef/client\.pem"
    r"|var/lib/samba/private(?:/.*)?|var/lib/rancher/\S+/server/(?:node-token|token|cred(?:/.*)?)|etc/wpa_supplicant\S*"
    r"|etc/kubernetes/(?:enc|encryption\S*|encryption-config)\.ya?ml|var/lib/jenkins/(?:credentials\.xml|secrets(?:/.*)?)"
    r"|var/lib/cloud/instances?/\S*user-data\S*|var/lib/docker/swarm/certificates(?:/.*)?|etc/fernet-keys(?:/.*)?"
    r"|run/secrets/(?!kubernetes\.io).*\.key|root/\.ssh|var/spool/cron/\S+\.netrc)$"
)
_TOKEN = Pattern(r"(?:^|/)run/secrets/(?:kubernetes\.io|eks\.amazonaws\.com)/serviceaccount(?:/(?:token|\*)?)?$")
# What is worth stealing although it is no credential: who is on the machine, and all of a machine's settings.
_PERSONAL = Pattern(
    r"^/(?:etc/(?:passwd|group|sudoers|hosts)|etc|etc/kubernetes|root|home|home/[^/]+|var/lib/(?:etcd|kubelet)|\*?)(?:/\*)?$"
    r"|^~(?:/\*)?$"
)
_TEMPORARY = Pattern(r"^/(?:tmp|var/tmp|dev/shm|dev|proc|workspace|build)(?:/|$)")

# Nobody calls a variable by more; a script may be made of one such name.
_LONGEST_NAME = 128
_SECRET_NAME = Pattern(
    r"(?:^|_)(?:\w*PASSWORD|PASSWD|PASSPHRASE|PASS|PWD|SECRETS?|TOKEN|API_?KEY|APIKEY|SECRET_?KEY|ACCESS_?KEY"
    r"|PRIVATE_?KEY|ENCRYPTION_?KEY|CREDENTIALS?)$",
    re.IGNORECASE,
)
# Names that look so and hold something else: a page of a listing, a folder, a thing in a loop.
_HARMLESS_NAME = Pattern(
    r"^(?:old)?pwd$|^(?:secrets?|credentials?|pass)$|(?:^|_)(?:next|continue|page|start|cancel|csrf)_?token$",
    re.IGNORECASE,
)
_ONLY_PROPERTY = Pattern(r"^\$\{#|^\$\{\w+(?::?\+|:\s*-?\d|%%|##)")
SECRET_WORDS = Pattern(
    r"pass(?!ed|ive|thr)|secret|token|api.?key|credential|private.?key|access.?key|aws_", re.IGNORECASE
)
# Names that a search for credentials asks for.
_SEARCHED = names(
    "id_rsa id_rsa* id_dsa id_ecdsa id_ed25519 *id_rsa* id_* *.kdbx .pgpass .netrc .git-credentials .aws .ssh .kube"
    " shadow kubeconfig *.kubeconfig .bash_history *_history credentials credentials.json *.keytab .vault-token"
)
# Names of files that often hold one.
_HOLDS = Pattern(
    r"\.(?:key|p12|pfx|jks|keystore|kdbx?|ovpn|ppk|tfstate|tfvars|env|htpasswd|gpg|asc)\*?$|\.env(?:\.\*|\*)?$"
    r"|passw|secret|credential|wp-config|logins\.json|settings\.py|\.pem$|token",
    re.IGNORECASE,
)


def path_of(word: Word) -> str:
    """The path that a word names, with `*` for what is unknown and without a mount of the node's root."""
    text = word.template("*")
    if not text:
        return ""
    path = posixpath.normpath(re.sub(r"^/+", "/", text))
    return _HOST_MOUNT.sub("", path) or "/"


def is_token(path: str) -> bool:
    """True for the token of the pod's service account, or the folder that it is in."""
    return _TOKEN.search(path) is not None


def is_credential(path: str) -> bool:
    """True for keys, tokens, password files and histories; what is public about a key (`.pub`) is none."""
    if path.endswith(".pub"):
        return False
    return _AT_HOME.search(path) is not None or _OF_SYSTEM.match(path) is not None


def is_personal(path: str) -> bool:
    """True for what no one sends away although it is no credential: `/etc/passwd`, a home folder, all of `/etc`."""
    return path not in ("", "*") and _PERSONAL.match(path) is not None


def is_system_file(path: str) -> bool:
    """True for an absolute path that is no scratch file: something of the machine or of its applications."""
    return path.startswith(("/", "~")) and not _TEMPORARY.match(path)


def is_secret_name(name: str) -> bool:
    """True for a variable that is called like a secret: `DB_PASSWORD`, `GITHUB_TOKEN`."""
    if len(name) > _LONGEST_NAME:
        return False
    return _SECRET_NAME.search(name) is not None and not _HARMLESS_NAME.search(name)


def is_searched_name(name: str) -> bool:
    """True for the name of a file that only a search for credentials asks for."""
    return name in _SEARCHED


def may_hold_secrets(name: str) -> bool:
    """True for the name of a file that often holds a key or a password: `*.pem`, `.env`, `*secret*`."""
    return _HOLDS.search(name) is not None


def secret_variable(word: Word) -> Piece | None:
    """The first variable in a word that is called like a secret and stands in full: no length, no first part."""
    for piece in word.unknown:
        if piece.name and is_secret_name(piece.name) and not _ONLY_PROPERTY.match(piece.source):
            return piece
    return None
