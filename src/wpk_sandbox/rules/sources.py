"""Where more is said of a rule, besides its weakness at https://cwe.mitre.org: by those who know best."""

from collections.abc import Mapping

_KUBERNETES = "https://kubernetes.io/docs"
_ATTACK = "https://attack.mitre.org/techniques"
_POD_SECURITY = f"{_KUBERNETES}/concepts/security/pod-security-standards/"
_RBAC = f"{_KUBERNETES}/concepts/security/rbac-good-practices/"
_RESOURCES = f"{_KUBERNETES}/concepts/configuration/manage-resources-containers/"
_DEPRECATION = f"{_KUBERNETES}/reference/using-api/deprecation-guide/"
_EXPANSION = "https://www.gnu.org/software/bash/manual/html_node/Shell-Parameter-Expansion.html"
_SERVICE = f"{_KUBERNETES}/concepts/services-networking/service/"
_YAML = "https://yaml.org/spec/1.2.2/"

SOURCES: Mapping[str, tuple[str, ...]] = {
    "admission-webhook": (f"{_KUBERNETES}/reference/access-authn-authz/extensible-admission-controllers/",),
    "api-deprecated": (_DEPRECATION,),
    "api-removed": (_DEPRECATION,),
    "cluster-rights": (_RBAC,),
    "dangerous-capability": (_POD_SECURITY, "https://man7.org/linux/man-pages/man7/capabilities.7.html"),
    "external-name": (f"{_SERVICE}#externalname",),
    "hard-coded-secret": ("https://cheatsheetseries.owasp.org/cheatsheets/Secrets_Management_Cheat_Sheet.html",),
    "host-namespace": (_POD_SECURITY,),
    "host-path": (f"{_KUBERNETES}/concepts/storage/volumes/#hostpath", _POD_SECURITY),
    "host-port": (_POD_SECURITY,),
    "image-unpinned": (f"{_KUBERNETES}/concepts/containers/images/",),
    "metadata-call": (f"{_ATTACK}/T1552/005/",),
    "node-port": (f"{_SERVICE}#type-nodeport",),
    "pod-security-restricted": (_POD_SECURITY,),
    "privilege-escalation": (_POD_SECURITY,),
    "privileged-container": (_POD_SECURITY,),
    "resources-too-large": (_RESOURCES,),
    "resources-unlimited": (_RESOURCES,),
    "role-escalation": (_RBAC,),
    "runtime-socket": ("https://docs.docker.com/engine/security/#docker-daemon-attack-surface",),
    "shell-container-escape": (f"{_ATTACK}/T1611/",),
    "shell-credential-access": (f"{_ATTACK}/T1552/",),
    "shell-destroy-data": (f"{_ATTACK}/T1485/", _EXPANSION),
    "shell-destroy-system": (f"{_ATTACK}/T1485/",),
    "shell-exfiltration": (f"{_ATTACK}/T1048/",),
    "shell-exhaustion": (f"{_ATTACK}/T1499/",),
    "shell-fetch-and-run": (f"{_ATTACK}/T1105/",),
    "shell-fork-bomb": (f"{_ATTACK}/T1499/",),
    "shell-hidden-code": (f"{_ATTACK}/T1027/",),
    "shell-kernel-change": (f"{_ATTACK}/T1547/006/",),
    "shell-raw-disk-write": (f"{_ATTACK}/T1561/",),
    "shell-reverse-shell": (f"{_ATTACK}/T1059/004/",),
    "shell-unsafe-expansion": (_EXPANSION,),
    "shell-world-writable": (f"{_ATTACK}/T1222/002/",),
    "token-mounted": (f"{_KUBERNETES}/tasks/configure-pod-container/configure-service-account/",),
    "trigger-invalid": (f"{_KUBERNETES}/concepts/workloads/controllers/cron-jobs/#schedule-syntax",),
    "unsafe-sysctl": (f"{_KUBERNETES}/tasks/administer-cluster/sysctl-cluster/",),
    "yaml-alias-bomb": (f"{_YAML}#71-alias-nodes",),
    "yaml-bidi": ("https://trojansource.codes/",),
    "yaml-duplicate-key": (f"{_YAML}#3213-node-comparison",),
    "yaml-merge-key": ("https://yaml.org/type/merge.html",),
    "yaml-syntax": (_YAML,),
}
