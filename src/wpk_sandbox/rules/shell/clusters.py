"""Safeguards of Kubernetes: admission, pod security, borders between pods, disruption budgets, audit."""

from wpk_sandbox.pattern import Pattern
from wpk_sandbox.rules.shell.command import Command
from wpk_sandbox.rules.shell.phrases import meaning, table

_ADMISSION = "takes away what refuses dangerous objects"
_LEVEL = "lets dangerous pods into a namespace"
_BORDERS = "takes away what keeps pods apart, or within their bounds"

# https://kubernetes.io/docs/concepts/security/pod-security-admission/, …/reference/access-authn-authz/
_KNOWN = table(
    (
        _LEVEL,
        """
        kubectl|oc label|annotate pod-security.kubernetes.io/enforce=privileged
        kubectl|oc label|annotate pod-security.kubernetes.io/enforce-
        kubectl|oc label|annotate admission.gatekeeper.sh/ignore=*|*.kyverno.io/ignore=*|control-plane=ignore
        kubectl|oc label|annotate policy.sigstore.dev/include=false|policy.sigstore.dev/include-
        kubectl|oc label|annotate istio-injection=disabled|linkerd.io/inject=disabled
        kubectl|oc annotate container.apparmor.security.beta.kubernetes.io/*=unconfined
        kubectl|oc patch --patch|-p=*pod-security.kubernetes.io/enforce*privileged*
        kubectl|oc create namespace|ns --labels=*pod-security.kubernetes.io/enforce=privileged*
        oc adm policy add-scc-to-* privileged|anyuid|hostaccess|hostmount-anyuid|hostnetwork|node-exporter
        """,
    ),
    (
        _ADMISSION,
        """
        kubectl|oc delete *validatingwebhookconfiguration*|*mutatingwebhookconfiguration*
        kubectl|oc delete *validatingadmissionpolic*|*mutatingadmissionpolic*|podsecuritypolic*|psp|scc
        kubectl|oc delete clusterpolicy*|cpol|constrainttemplate*|constraint|constraints|clusterimagepolicy*
        kubectl|oc delete policyexception*|imagepolicywebhook*|*.constraints.gatekeeper.sh*|*.kyverno.io*
        kubectl|oc patch *webhookconfiguration*|*admissionpolicybinding* --patch|-p=*Ignore*|*Audit*
        kubectl|oc patch *webhookconfiguration* --patch|-p=*remove*|*"webhooks":[[][]]*|*null*
        kubectl|oc patch clusterpolicy*|cpol*|constraint*|k8s* --patch|-p=*Audit*|*audit*|*dryrun*|*warn*
        kubectl|oc scale *kyverno*|*gatekeeper*|*opa*|*falco*|*admission*|*policy-controller* --replicas=0
        kubectl|oc delete ds|daemonset|deploy|deployment|ns|namespace|sts|statefulset \
            *falco*|*tetragon*|*kyverno*|*gatekeeper*
        kubectl|oc delete \
            daemonset*/*falco*|ds/*falco*|deploy*/*kyverno*|deploy*/*gatekeeper*|ns/kyverno|ns/gatekeeper*
        helm uninstall|delete *kyverno*|*gatekeeper*|*falco*|*tetragon*|*kubewarden*|*trivy*|*policy-controller*
        """,
    ),
    (
        _BORDERS,
        """
        kubectl|oc delete networkpolic*|netpol|netpol/*|*networkpolicies.networking.k8s.io*|globalnetworkpolic*
        kubectl|oc delete ciliumnetworkpolic*|cnp|ccnp|ciliumclusterwide*|adminnetworkpolic*|egressfirewall*
        kubectl|oc delete authorizationpolic*|peerauthentication*|serverauthorization*|requestauthentication*
        kubectl|oc delete resourcequota*|quota|quota/*|limitrange*|limits|limits/*
        kubectl|oc patch peerauthentication* --patch|-p=*PERMISSIVE*|*DISABLE*
        calicoctl delete *policy*|*Policy*
        cilium config set *policy* never
        """,
    ),
    (
        "takes the bound away of how many pods may be gone at once",
        """
        kubectl|oc delete poddisruptionbudget*|pdb|pdb/*
        kubectl|oc patch poddisruptionbudget*|pdb|pdb/* \
            --patch|-p=*minAvailable*:?0*|*minAvailable*:0*|*maxUnavailable*100%*
        kubectl|oc drain --disable-eviction
        """,
    ),
    (
        "sends what the API server would refuse",
        """
        kubectl|oc apply|create|replace|patch|edit|run|set --validate=false|ignore
        helm install|upgrade|template --disable-openapi-validation|--skip-schema-validation
        """,
    ),
    (
        "passes by what runs before and after a change",
        """
        helm install|upgrade|rollback|uninstall|delete --no-hooks
        """,
    ),
    (
        "takes off what has to be cleaned up before an object may go",
        """
        kubectl|oc patch --patch|-p=*finalizers*null*|*finalizers*[[][]]*|*remove*finalizers*
        kubectl|oc replace --raw=*/finalize
        """,
    ),
    (
        "deletes the objects before new ones take their place, while their processes may still run",
        """
        kubectl|oc replace --force --grace-period=0
        """,
    ),
    (
        "lets in whoever asks",
        """
        kubectl|oc certificate approve --all
        kubeadm join --discovery-token-unsafe-skip-ca-verification
        kubeadm init|upgrade|join --ignore-preflight-errors=all|All
        kubectl|oc create clusterrolebinding|rolebinding --user=system:anonymous
        kubectl|oc create clusterrolebinding|rolebinding \
            --group=system:unauthenticated|system:authenticated|system:anonymous
        kube-apiserver --anonymous-auth=true
        kube-apiserver|kubelet --authorization-mode=*AlwaysAllow*
        kubelet --anonymous-auth=true
        kube-apiserver --disable-admission-plugins=*PodSecurity*|*NodeRestriction*
        dockerd|containerd --insecure-registry
        """,
    ),
)
# A flow of names into `xargs kubectl certificate approve` lets in every node that asked.
_NAMES_OF_REQUESTS = Pattern(r"\b(?:csr|certificatesigningrequests?)\b")


def switched_off(command: Command) -> str:
    """Which safeguard of a cluster a command takes away, as the end of a sentence; empty if none."""
    return meaning(command, _KNOWN) or _approves_all(command)


def _approves_all(command: Command) -> str:
    """`kubectl get csr -o name | xargs kubectl certificate approve`."""
    if command.name not in ("kubectl", "oc") or "xargs" not in command.via:
        return ""
    values = [word.when_empty for word in command.arguments]
    if "approve" not in values:
        return ""
    picks = any(stage.name in ("grep", "awk", "jq", "head") for stage in command.upstream)
    lists = any(
        _NAMES_OF_REQUESTS.search(word.when_empty) for stage in command.upstream for word in stage.arguments
    )
    return "lets in whoever asks" if lists and not picks else ""
