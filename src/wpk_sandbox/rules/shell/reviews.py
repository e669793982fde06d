"""Safeguards of tools that shape infrastructure and keep code: locks, hooks, signatures, branches."""

from wpk_sandbox.rules.shell.command import Command
from wpk_sandbox.rules.shell.phrases import meaning, table

# Tools that shape infrastructure, and hosts of code: https://developer.hashicorp.com/terraform/cli/commands
_KNOWN = table(
    (
        "passes the lock of the state by, which keeps two changes apart",
        """
        terraform|tofu|terragrunt|tofu * --lock=false|0
        terraform|tofu|terragrunt force-unlock
        terraform|tofu|terragrunt state push --force
        pulumi cancel
        """,
    ),
    (
        "takes the protection against deletion away",
        """
        pulumi state unprotect
        """,
    ),
    (
        "passes a check by that others must pass",
        """
        cdk deploy --require-approval=never
        gh pr merge --admin
        gh ruleset delete
        pre-commit uninstall
        husky uninstall
        git push|commit|merge|rebase|am --no-verify
        git config core.hooksPath|core.hookspath /dev/null
        git config safe.directory [*]
        git config *commit.gpgsign|*tag.gpgsign|*gpg.* false
        git config receive.denyNonFastForwards|receive.denyDeletes|transfer.fsckObjects|receive.fsckObjects false
        cosign verify* --insecure-ignore-tlog|--insecure-ignore-sct|--allow-insecure-registry
        cosign verify* --certificate-identity-regexp=.*
        docker|podman|nerdctl * --disable-content-trust
        skopeo * --insecure-policy
        brew * --no-quarantine
        spctl --master-disable|--global-disable
        csrutil disable
        conftest|checkov|trivy|tfsec|semgrep * --skip-all
        """,
    ),
    (
        "stops the record of who did what",
        """
        vault|bao audit disable
        """,
    ),
    (
        "removes what guards a branch",
        """
        gh|glab api --method|-X=DELETE */protection*
        gh|glab api --method|-X=DELETE */protected_branches*
        gh|glab api --method|-X=DELETE */rulesets/*
        gh|glab api */protection/* --method|-X=DELETE
        gh|glab api */protection* *enforce_admins=false
        """,
    ),
)


def passed_by(command: Command) -> str:
    """Which safeguard of a tool a command passes by, as the end of a sentence; empty if none."""
    return meaning(command, _KNOWN)
