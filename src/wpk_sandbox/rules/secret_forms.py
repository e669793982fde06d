"""How secrets look: the forms of their issuers, the names before them, and what only looks like one."""

import re

from wpk_sandbox.pattern import Pattern

# Forms that the issuers themselves describe, so that a match is a secret whatever stands around it.
ISSUED: tuple[tuple[str, Pattern], ...] = tuple(
    (what, Pattern(pattern))
    for what, pattern in (
        ("an AWS access key", r"\b((?:AKIA|ASIA)[0-9A-Z]{16})\b"),
        ("a GitHub token", r"\b(gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{22,})\b"),
        ("a GitLab token", r"\b(gl(?:pat|dt|rt|cbt|ptt)-[A-Za-z0-9_-]{20,})"),
        ("a Slack token", r"\b((?:xox[abeoprs]|xapp)-[A-Za-z0-9-]{10,})"),
        ("a Slack webhook", r"hooks\.slack\.com/services/(T[A-Za-z0-9]+/B[A-Za-z0-9]+/[A-Za-z0-9]{16,})"),
        ("a Google API key", r"\b(AIza[0-9A-Za-z_-]{35})"),
        ("a Stripe key", r"\b([sr]k_live_[0-9A-Za-z]{20,})"),
        ("an npm token", r"\b(npm_[A-Za-z0-9]{36})\b"),
        ("a PyPI token", r"\b(pypi-[A-Za-z0-9_-]{40,})"),
        ("a RubyGems key", r"\b(rubygems_[a-f0-9]{48})\b"),
        ("a Docker Hub token", r"\b(dckr_pat_[A-Za-z0-9_-]{20,})"),
        ("a Hugging Face token", r"\b(hf_[A-Za-z0-9]{30,})\b"),
        ("an OpenAI key", r"\b(sk-(?:proj-|ant-[a-z0-9]+-|svcacct-)?[A-Za-z0-9_-]{32,})"),
        ("a SendGrid key", r"\b(SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{32,})"),
        ("a Telegram bot's token", r"(?<!\d)(\d{8,10}:AA[A-Za-z0-9_-]{32,33})(?![A-Za-z0-9_-])"),
        ("a Discord webhook", r"discord(?:app)?\.com/api/webhooks/\d+/([A-Za-z0-9_-]{40,})"),
        ("a Teams webhook", r"webhook\.office\.com/webhookb2/([0-9a-f-]{36}@[\w@/-]{40,})"),
        ("a Google Chat webhook", r"chat\.googleapis\.com/v1/spaces/[^\s?]+\?key=[^\s&]+&token=([\w%-]{16,})"),
        ("a Google OAuth secret", r"\b(GOCSPX-[A-Za-z0-9_-]{20,}|ya29\.[A-Za-z0-9_-]{20,})"),
        ("a DigitalOcean token", r"\b(do[oprt]_v1_[a-f0-9]{64})\b"),
        ("a Vault token", r"\b(hv[sbr]\.[A-Za-z0-9_-]{24,})"),
        ("a Terraform Cloud token", r"\b([A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_-]{60,})"),
        ("a Grafana token", r"\b(gl(?:sa|c)_[A-Za-z0-9+/=_]{32,})"),
        ("a New Relic key", r"\b(NRAK-[A-Z0-9]{27})\b"),
        ("a Sentry token", r"\b(sntr[ys]{1,2}_[A-Za-z0-9+/=_-]{40,})"),
        ("a Databricks token", r"\b(dapi[a-f0-9]{32})\b"),
        ("a Shopify token", r"\b(shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32})\b"),
        ("a Mailgun key", r"\b(key-[0-9a-f]{32})\b"),
        ("an Atlassian token", r"\b(ATATT3[A-Za-z0-9_=-]{40,})"),
        ("a Doppler token", r"\b(dp\.(?:pt|st|ct|sa|scim|audit)\.[A-Za-z0-9]{40,})"),
        ("a Pulumi token", r"\b(pul-[a-f0-9]{40})\b"),
        ("an age key", r"\b(AGE-SECRET-KEY-1[A-Z0-9]{40,})\b"),
        ("a private key", r"(-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----[\s\S]*?(?:-----END [A-Z ]*-----|\Z))"),
        ("a JSON web token", r"(?<![A-Za-z0-9_-])(eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,})"),
    )
)
# What all of them, and the forms below, have in common, in lower case: one cheap look passes over ordinary text.
HINT = Pattern(
    r"akia|asia|gh[pousr]_|github_pat|gl(?:pat|dt|rt|cbt|ptt)-|xox|xapp-|hooks\.slack|aiza|_live_|npm_|eyj|pypi-"
    r"|rubygems_|dckr_|hf_|sk-|sg\.|:aa|/webhook|googleapis|gocspx|ya29|_v1_|hv[sbr]\.|atlasv1|gls?[ac]_|nrak|sntr"
    r"|dapi|shp[acs]|key|atatt3|dp\.|pul-|://[^/\s]*@|pass|pwd|secret|token|credential|bearer|basic |mysql|mariadb"
    r"|curl|auth|redis-cli|sshpass|login|[?&](?:sig|code)="
)
_WORDS = (
    r"(?:password|passwd|passphrase|pwd|(?<![a-z])pass|secret|token|credentials?"
    r"|(?:api|access|account|private|secret|routing|integration|signing|encryption|master|auth|shared|preshared|session"
    r"|cookie|deploy|license)[_-]?key)"
)
NAME = Pattern(rf"(?:^|[_.-]|(?<=[a-z])(?=[A-Z])){_WORDS}$", re.IGNORECASE)
# The words between a program and its option: of the same command, and not many, so that a long text costs no more
# than its length.
_WORD = r"(?:[^\s|;&'\"\\]++|'[^']{0,400}'|\"[^\"]{0,400}\"|\\\S)++"
_THEN = rf"(?:[ \t]++(?:\\\n\s*+)?{_WORD}){{0,30}}?[ \t]++(?:\\\n\s*+)?"
# The value of an option, without the quotes around it.
_VALUE = r"['\"]?((?<=')[^'\n]{3,}|(?<=\")[^\"\n]{3,}|[^\s'\"|;&]{3,})"
_LOGIN = (
    r"\b(?:docker|podman|nerdctl|buildah|skopeo|oras|crane|helm|oc|az|cf)"
    r"(?:[ \t]++(?!login\b)[^\s|;&]++){0,4}[ \t]++login"
)
_MYSQL = r"(?<![\w./-])(?:/usr/(?:local/)?bin/)?(?:mysql|mariadb)[a-z-]*+"
# By convention an option that begins so switches something, and takes no value.
_SWITCH = r"(?!(?:no|without|with|ask|prompt|show|skip|disabled?|generate)-)"
BASIC = "a basic authorization"
_LOGIN_PAIR = "a login in base64"
_SETTING = "a secret in a setting"
_QUERY = "a key in a URL"
_DEFAULT = "a secret as a default"
IN_TEXT: tuple[tuple[str, Pattern], ...] = tuple(
    (what, Pattern(pattern, re.IGNORECASE | re.MULTILINE))
    for what, pattern in (
        ("a password in a URL", r"(?<=[a-z0-9])://[^/\s:@'\"]*:([^/\s@'\"]{3,})@"),
        ("a bearer token", r"\bbearer\s+([A-Za-z0-9._~+/=-]{12,})"),
        (BASIC, r"\bbasic\s+([A-Za-z0-9+/]{8,}={0,2})"),
        (
            "a password of `-u`",
            rf"\bcurl{_THEN}(?:-[a-z]{{0,9}}u|--(?:proxy-)?user)[\s=]*['\"]?(?:\$\w+|\$\{{[^}}\s]*\}}|[^\s:'\"$]+):([^\s'\"]{{3,}})",
        ),
        ("a password of a database client", rf"{_MYSQL}{_THEN}(?-i:-p)(?!rint0?\b){_VALUE}"),
        ("a password of a database client", rf"\bredis-cli{_THEN}(?:(?-i:-a)\s|--pass[\s=])\s*{_VALUE}"),
        ("a password of a login", rf"\bsshpass\s+(?:-[veh]+\s+|(?-i:-[Pd])\s*\S+\s+){{0,4}}(?-i:-p)\s*{_VALUE}"),
        ("a password of a login", rf"{_LOGIN}{_THEN}(?-i:-p)[\s=]+{_VALUE}"),
        ("an assigned secret", rf"(?<![a-z0-9_$])[a-z0-9_]*{_WORDS}=[\"']?([^\s\"'&|;]+)"),
        (
            "a secret in an option",
            rf"\s--?(?!-){_SWITCH}[a-z0-9-]*{_WORDS}\s+[\"']?([^\s\"'&|;<>-][^\s\"'&|;]+)",
        ),
        ("a secret in JSON", rf"\"[a-z0-9_-]*{_WORDS}\"\s*:\s*\"([^\"]+)\""),
        (_LOGIN_PAIR, r"[\"']?\bauth[\"']?\s*:\s*[\"']?([A-Za-z0-9+/]{8,}={0,2})"),
        (_SETTING, rf"^[ \t]*(?:-[ \t]+)?[\"']?[\w.-]*{_WORDS}[\"']?[ \t]*[:=][ \t]+[\"']?([^\s\"'#,;]+)"),
        (_DEFAULT, rf"\$\{{[a-z0-9_]*{_WORDS}:?[-=][\"']?([^\s\"'}}]+)"),
        (_QUERY, r"[?&](?:key|sig|code)=([\w%.~-]{16,})"),
    )
)
# Forms that only the name before the value tells from ordinary text, so that the value must look random too.
BY_NAME = frozenset({"an assigned secret", "a secret in an option", "a secret in JSON", _SETTING, _QUERY, _DEFAULT})
# The base64 of a user and a password.
PAIRS = frozenset({BASIC, _LOGIN_PAIR})
PLACEHOLDER = Pattern(
    r"^\$|\$[{(]|\{\{|^`|^[A-Z]+\[|^<.*>$|^\[.*\]$|^\*+$|^x{3,}$|change-?_?me|example|placeholder|redacted|dummy|replace"
    r"|your[-_]|insert|todo|\.\.\.|\*{4}|^<\w|^\[[$^]|^--[a-z]|^os\.(?:environ|getenv)|^process\.env|^pass:$|^getent\b"
    r"|^(?:none|null|true|false|yes|no|original|previous|unset|undefined|empty|string|secret|password|token)$",
    re.IGNORECASE,
)
# A variable within a text; `$Rz7` in a random password is none.
VARIABLE = Pattern(r"\$(?:[A-Z_][A-Z0-9_]+|[a-z_][a-z0-9_]+)\b")
_WORD_OR_NUMBER = r"(?:[a-z]+\d{0,3}|\d{1,3})"
# The name of what holds a secret, or of what an earlier handler produced: `new_credentials`, `db-token-2`.
PLAIN_NAME = Pattern(rf"[a-z]+\d{{0,3}}(?:[-_.]{_WORD_OR_NUMBER})*")
# A word of a form: `login.password=Password`.
LABEL = Pattern(r"[A-Z][a-zà-ÿ]+")
# Where a secret is, and no secret: a path, an address, a reference to a store of secrets.
PATH = Pattern(
    r"(?:~|\.{0,2})/[\w./-]+|@\S+|[a-z][a-z0-9+.-]*://\S*|arn:\S+|projects/\S+/secrets/\S+"
    r"|(?:vault|op|ssm|sops|secretref|keyvault|akv|asm|gsm|gcpsm|awssm|file|env|k8s|doppler|ref\+\w+):\S+"
    rf"|{_WORD_OR_NUMBER}(?:[-_.]{_WORD_OR_NUMBER})*(?:/{_WORD_OR_NUMBER}(?:[-_.]{_WORD_OR_NUMBER})*)+(?:#[\w.-]+)?",
    re.IGNORECASE,
)
# Names that hold a password even when it is an ordinary word.
SURELY = Pattern(r"passw|pwd|passphrase", re.IGNORECASE)
RANDOM_BITS = 3.0
# What stands in a Secret beside the secrets.
PUBLIC = Pattern(
    r"(?:.*[._-])?(?:user(?:name)?|login|host(?:name)?|port|database|db(?:name)?|ca\.crt|tls\.crt|crt|cert(?:ificate)?|pub"
    r"|public[._-]?key|url|uri|endpoint|region|bucket|namespace|e?mail|realm|issuer|client[._-]?id|known_hosts|type|name)",
    re.IGNORECASE,
)
