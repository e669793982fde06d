"""Certificates that nobody checks: by options and variables of any program, and by programs in other languages."""

import re

from wpk_sandbox.pattern import Pattern
from wpk_sandbox.rules.shell import programs
from wpk_sandbox.rules.shell.command import Command
from wpk_sandbox.rules.shell.options import names
from wpk_sandbox.rules.shell.phrases import meaning, table

CERTIFICATES = "takes any certificate"
SIGNATURES = "takes packages that nobody signed"
LONGEST_SETTING = 512

# Programs that only show or search words.
_SHOWS = names("echo printf grep egrep fgrep rg sed awk cat test [ [[ man : true git-grep jq yq")
_LOCAL = Pattern(r"(?:^|[@/=:])(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])(?=[:/?\s]|$)")
# Options by which programs leave the check of certificates out, whatever they are called.
_OPTION = Pattern(
    r"--?(?:"
    r"(?:kube-)?insecure(?:-skip)?(?:-tls)?(?:-verify)?|(?:ssl-|tls-)insecure|insecure-(?:tls|ssl|transport|skip-\S*verify)"
    r"|(?:tls-)?skip-(?:tls|ssl|cert(?:ificate)?)-?(?:verify|verification|validation|check)?|tls-skip(?:-verify)?"
    r"|skip-verify-\S*|no-(?:check|verify)-(?:certificates?|ssl|tls|cert|peer)|no-(?:ssl|tls|cert(?:ificate)?)-(?:verify|check|validation)"
    r"|(?:ssl|tls)-no-verify|disable-(?:ssl|tls|cert(?:ificate)?)-(?:verification|validation|verify|check)"
    r"|ignore-(?:ssl|tls|cert(?:ificate)?s?)(?:-(?:errors?|verification|check))?|ssl-ignore|ignore-certificate-errors"
    r"|(?:tls|ssl)Allow(?:InvalidCertificates|InvalidHostnames)|trust-server-cert\S*|skip-ssl(?:-verify-server-cert)?"
    r"|(?:(?:src|dest)-)?(?:ssl|tls|cert|verify)-?verify=(?:false|0|no|none)|verify(?:-ssl|-tls|-cert)?=(?:false|0|no)"
    r"|(?:check-certificate|strict-ssl|ssl-verify-server-cert|tlsverify|https-verify)=(?:false|0|no)"
    r"|ssl-mode=(?:disabled|preferred)|sslmode=(?:disable|allow)|ssl=0|discovery-token-unsafe-skip-ca-verification"
    r")(?:=(?:true|1|yes))?",
    re.IGNORECASE,
)
# What stands for a yes and a no of a variable.
_YES = r"['\"]?(?:1|true|yes|on)['\"]?"
_NO = r"['\"]?(?:0|false|no|off|none|never|disabled?)['\"]?"
_VARIABLE = Pattern(
    rf"(?:\w*_)?(?:SKIP|NO|IGNORE|DISABLE)_?(?:\w*_)?(?:TLS|SSL|CERT\w*|HTTPS?|VERIFY|VERIFICATION)_?(?:\w*VERIFY|VERIFICATION|CHECK\w*"
    rf"|VALIDATION|ERRORS?)={_YES}|(?:\w*_)?(?:SKIP|NO|DISABLE)_(?:\w*_)?VERIF(?:Y|ICATION)={_YES}|(?:\w*_)?(?:SSL|TLS)_NO_VERIFY={_YES}"
    rf"|\w*INSECURE(?:_\w+)?={_YES}"
    rf"|(?!\w*(?:SKIP|INSECURE|NO_|DISABLE|IGNORE))(?:\w*_)?(?:SSL|TLS|HTTPS|CERT\w*)_?(?:\w*_)?(?:VERIFY\w*|REJECT_UNAUTHORIZED|VALIDATION|CHECK\w*)={_NO}"
    rf"|(?:\w*_)?(?:STRICT_SSL|VERIFY_(?:SSL|TLS|CERT\w*|PEER)|HOST_KEY_CHECKING|(?:SSL_)?VERIFY_MODE)={_NO}"
    rf"|PYTHONHTTPSVERIFY={_NO}|PERL_LWP_SSL_VERIFY_HOSTNAME={_NO}|NODE_TLS_REJECT_UNAUTHORIZED={_NO}"
    r"|LDAPTLS_REQCERT=(?:never|allow|try)|PGSSLMODE=(?:disable|allow)|MYSQL_SSL_MODE=DISABLED"
    r"|(?:PIP_TRUSTED_HOST|UV_INSECURE_HOST|GOINSECURE)=\S.*|(?:CURL|REQUESTS|AWS)_CA_BUNDLE="
    r"|GOFLAGS=.*-insecure.*|CURL_HOME=/dev/null|DOCKER_TLS_VERIFY=|SSL_CERT_FILE=/dev/null"
    r"|(?:JAVA_(?:TOOL_)?OPTIONS|MAVEN_OPTS|ANSIBLE_SSH_ARGS)=.*(?:ssl\.insecure=true|ssl\.allowall=true|disableEndpointIdentification=true"
    r"|StrictHostKeyChecking[= ]no).*",
    re.IGNORECASE,
)
_SIGNATURE_VARIABLE = Pattern(
    rf"GOSUMDB=off|GONOSUMCHECK={_YES}|(?:GONOSUMDB|GONOSUMCHECK|GONOPROXY)=\*|GOFLAGS=.*-insecure.*|DOCKER_CONTENT_TRUST={_NO}"
    rf"|COSIGN_\w*(?:INSECURE|IGNORE)\w*={_YES}|(?:HUSKY|LEFTHOOK)={_NO}|HUSKY_SKIP_HOOKS={_YES}|HOMEBREW_NO_VERIFY\w*={_YES}",
)
_IN_TEXT = Pattern(
    r"insecure[-_]?skip[-_]?(?:tls[-_]?)?verify['\"]?\s*[=:]\s*['\"]?true|sslmode=(?:disable|allow)\b"
    r"|ssl\.(?:insecure|allowall)=true|ssl:verify-certificate (?:no|false|off)"
    r"|enable\.ssl\.certificate\.verification=false"
    r"|ssl\.endpoint\.identification\.algorithm=(?:none)?$|(?<![\w-])(?:ssl|tls)[-_.]?verif(?:y|ication)[=:](?:false|0|no|none)$",
    re.IGNORECASE,
)
# How languages leave the check out.
_IN_PROGRAM = Pattern(
    r"\bverify\s*=\s*False|_create_unverified_context|CERT_NONE|check_hostname\s*=\s*False|rejectUnauthorized['\"]?\s*:\s*false"
    r"|VERIFY_NONE|CURLOPT_SSL_VERIFY(?:PEER|HOST)\s*(?:=>|,)\s*(?:0|false)|verify_peer(?:_name)?['\"]?\s*=>\s*(?:0|false)"
    r"|InsecureSkipVerify:\s*true|SSL_verify_mode\s*=>\s*(?:0|SSL_VERIFY_NONE)|verify_hostname\s*=>\s*0"
    r"|NODE_TLS_REJECT_UNAUTHORIZED['\"]?\]?\s*=\s*['\"]?0|SkipCertificateCheck"
    r"|ServerCertificateValidationCallback|AutoAddPolicy|\bssl\s*=\s*False"
)
_TOOLS = table(
    (
        CERTIFICATES,
        """
        npm|yarn|pnpm config set strict-ssl=false|enableStrictSsl=false
        npm|yarn|pnpm config set strict-ssl|enableStrictSsl false
        conda|mamba config ssl_verify false|no|False
        bundle|bundler config ssl_verify_mode 0
        composer config disable-tls true
        composer config secure-http false
        gcloud config set auth/disable_ssl_validation true|True
        svn * --trust-server-cert
        knife * --ssl-verify-mode|--node-ssl-verify-mode=none
        ansible-galaxy * --ignore-certs|-c
        go env -w GOINSECURE=*|GOFLAGS=-insecure|GOSUMDB=off|GONOSUMDB=*|GONOSUMCHECK=*
        mysql|mariadb|mysqldump|mysqladmin --skip-ssl
        ldapsearch|ldapmodify|ldapadd -o=*reqcert=never*
        """,
    ),
    (
        SIGNATURES,
        """
        apt|apt-get * -o=*AllowUnauthenticated*=*true|*AllowInsecureRepositories*=*true|*Verify-Peer*=*alse
        apt|apt-get * --allow-insecure-repositories|--allow-downgrades-unauthenticated
        dpkg --force-bad-verify|--force-all
        rpm * --nosignature|--nodigest|--nogpgcheck
        dnf|yum|microdnf|tdnf * --nogpgcheck|--no-gpgchecks
        dnf|yum * --setopt=*gpgcheck=0|*gpgcheck=false|*sslverify=0|*sslverify=false
        zypper * --no-gpg-checks|--gpg-auto-import-keys-unsafe
        pacman * --siglevel=Never
        flatpak * --no-gpg-verify
        helm install|upgrade|pull --verify=false
        """,
    ),
)


def unchecked(command: Command) -> str:
    """What is taken without a check of its certificate or signature, for the message; empty if nothing."""
    if command.name in _SHOWS:
        return ""
    texts = [word.when_empty for word in command.arguments]
    if any(_LOCAL.search(text) for text in texts):
        return ""
    if any(_OPTION.fullmatch(text) for text in _before_end(texts)):
        return CERTIFICATES
    words = [word for word in (*command.assigns, *command.arguments) if "=" in word.when_empty]
    settings = [text for word in words if (text := word.value) and len(text) <= LONGEST_SETTING]
    if any(_VARIABLE.fullmatch(text) or _IN_TEXT.search(text) for text in settings):
        return CERTIFICATES
    if any(_SIGNATURE_VARIABLE.fullmatch(text) for text in settings):
        return SIGNATURES
    program = programs.text(command)
    return CERTIFICATES if program and _IN_PROGRAM.search(program) else meaning(command, _TOOLS)


def _before_end(texts: list[str]) -> list[str]:
    return texts[: texts.index("--")] if "--" in texts else texts
