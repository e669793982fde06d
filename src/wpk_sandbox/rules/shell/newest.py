"""What takes the newest of something: tools by their commands, tags of images that move, versions asked for."""

import re
from collections.abc import Iterator
from itertools import pairwise

from wpk_sandbox.pattern import Pattern
from wpk_sandbox.rules.shell.command import Command
from wpk_sandbox.rules.shell.options import names
from wpk_sandbox.rules.shell.phrases import meaning, table
from wpk_sandbox.rules.shell.settings import written_text
from wpk_sandbox.rules.shell.words import Word

_NEWEST = "takes whatever is the newest"
_LOCK = "takes newer versions than those that were locked"
_RUNS = "runs whatever version is the newest"

# Lock files are passed by, and tools that run what they fetch. A version is `@1.2`, `==1.2`, `:1.2`, or an option.
_KNOWN = table(
    (
        _LOCK,
        """
        terraform|tofu|terragrunt|packer init --upgrade
        terraform|tofu get --update
        bundle|bundler|composer|poetry|pipenv|pdm|mix|yarn|pnpm|npm|cargo|conan|pod update
        yarn|pnpm|npm up|upgrade
        uv lock --upgrade|-U
        uv sync --upgrade|-U
        pipenv install --skip-lock
        npm install|i|ci --no-package-lock
        go get -u
        helm dependency|dep update|up
        git submodule update --remote
        pre-commit autoupdate
        npx npm-check-updates *
        flutter|dart pub upgrade
        """,
    ),
    (
        _RUNS,
        """
        uvx *[a-z] !*@[0-9]*|*==*|--from|-f
        uvx --from=*[a-z]
        uv tool run !*@[0-9]*|*==*
        pipx run !*==*|*@*|--spec
        pnpm|yarn dlx !*@[0-9]*|*@v[0-9]*
        npm exec|x --yes|-y !*@[0-9]*
        npm create|init *@latest
        bunx * !*@[0-9]*
        bun x !*@[0-9]*
        npx *@latest|*@next|*@canary
        """,
    ),
    (
        _NEWEST,
        """
        bun add|install *[a-z] !*@[0-9]*
        deno install|run https://* !*@[0-9]*|*@v[0-9]*|*localhost*
        kubectl krew install|upgrade
        kubectl-krew install|upgrade
        helm plugin install !--version
        helm plugin update
        gh extension install !--pin
        gh extension upgrade
        gcloud components update|install
        az extension add|update !--version|--source|-s
        az upgrade
        az bicep upgrade
        ansible-galaxy install *.* !*,*|*:*|-r|--role-file|--requirements-file
        ansible-galaxy collection install *.* !*:*|-r|*.tar.gz|--requirements-file
        rustup update
        rustup install|default|toolchain stable|nightly|beta
        rustup toolchain install stable|nightly|beta
        rustup-init --default-toolchain=stable|nightly
        nvm|fnm|volta install node|stable|--lts
        nvm install --lts
        asdf install|global|local * latest
        mise|rtx use|install *@latest
        corepack prepare *@latest
        pyenv update
        sdk install|upgrade java|gradle|maven|kotlin|scala
        tfenv|tgenv|tofuenv|helmenv install latest
        poetry|pdm add *[a-z] !*==*|*@*|*^*|*~*|*>=*
        pipenv install *[a-z] !*==*|-r|--deploy
        uv add *[a-z] !*==*|*@*
        composer global|require require|* !*:*|*=*
        composer create-project !*:*|*[0-9].*
        dotnet tool install|update !--version
        dotnet add package !--version|-v
        nuget install !-Version
        pwsh|powershell *Install-Module* !*RequiredVersion*|*-File*
        cpanm|cpan *[a-z] !*@*|--installdeps|*.tar.gz
        luarocks install * !*[0-9].*|*.rockspec
        opam install * !*.[0-9]*|--deps-only
        cabal|stack install * !*-[0-9]*|--bindir
        ghcup install * latest|recommended
        R|Rscript -e=*install.packages(*
        vagrant plugin install !--plugin-version
        code --install-extension !*@*
        steampipe|flux|tkn plugin install !*@*
        pulumi plugin install *[a-z] !*v[0-9]*|*[0-9].*
        do-release-upgrade|unattended-upgrade|freebsd-update|softwareupdate
        kubectl|oc apply|create -k|--kustomize=*github.com/* !*ref=v*|*ref=[0-9]*|*ref=$*
        kustomize build *github.com/* !*ref=v*|*ref=[0-9]*|*ref=$*
        skopeo copy docker://*:latest|docker://*:main|docker://*:nightly|docker://*:edge
        crane|oras pull|copy|cp *:latest|*:main|*:nightly|*:edge
        helm install|upgrade --set|--set-string=*tag=latest*|*tag=main*|*tag=nightly*|*tag=edge*
        helm install|upgrade --devel
        istioctl|linkerd|cilium upgrade --version=latest|stable
        """,
    ),
)
_MOVING_TAG = Pattern(
    r":(?:latest|nightly|edge|main|master|stable|dev(?:el(?:op)?)?|canary|rolling|snapshot|unstable|testing|current|head"
    r"|HEAD|beta|alpha|next|preview)(?:-[a-z]+)?$"
)
_IMAGE = Pattern(r"[\w$][\w.$-]*(?::\d+)?(?:/[\w.$-]+)*(?::[\w.$-]+)?")
_FROM = Pattern(
    r"^[ \t]*FROM[ \t]+(?:--\S+[ \t]+)?([^\s:@$]+(?::\d+/[^\s:@$]+)?(?::\S+)?)(?:[ \t]+AS[ \t]+(\S+))?", re.I | re.M
)
# Programs whose answer is the newest version of something.
_ASKS = table(
    (
        _NEWEST,
        """
        gh release view|list|download
        gh api *releases*
        git ls-remote !HEAD
        npm|pnpm|yarn view|info|show
        pip|pip3 index
        helm search|show
        apt-cache madison|policy
        skopeo list-tags
        skopeo inspect *
        crane|regctl|oras ls|tag|repo
        go list --versions
        cargo search
        gem search|list --remote|-r
        curl|wget *releases*
        curl|wget *latest*
        curl|wget *stable.txt*|*stable-*|*/tags*|*pypi.org/*/json*|*registry.npmjs.org/*
        """,
    ),
)
_TAKERS = names(
    "curl wget aria2c pip pip3 pipx npm pnpm yarn npx gem go cargo apt-get apt dnf yum apk docker podman nerdctl"
    " helm git kubectl oc crane skopeo"
)
_INSIDE = Pattern(r"://(?:169\.254\.|\[fd00:|100\.100\.|metadata\.|localhost|127\.)")
_IMAGE_OPTION = Pattern(r"--image=(.+)")


def taken(command: Command) -> str:
    """What a command takes in whatever version is the newest, for the message; empty if nothing."""
    if what := meaning(command, _KNOWN):
        return what
    if command.name in ("kubectl", "oc") and (image := next(_moving_images(command), "")):
        return f"runs whatever {image} is at the moment"
    if (word := _asked_for(command)) is not None:
        return f"takes the version that is the newest at the moment ({word.shown})"
    return _base(command)


def is_moving(image: str) -> bool:
    """True for an image with a tag that is set anew, such as `latest` or `nightly`."""
    return _MOVING_TAG.search(image.partition("@")[0]) is not None and "@" not in image


def _moving_images(command: Command) -> Iterator[str]:
    """Images of `kubectl set image`, `run`, `create` and `debug` with a moving tag, or with none."""
    values = [word.template("9") for word in command.arguments]
    verbs = {value for value in values if not value.startswith("-")}
    if {"set", "image"} <= verbs:
        pairs = [value.partition("=")[2] for value in values if "=" in value and not value.startswith("-")]
        yield from (image for image in pairs if image and (is_moving(image) or _has_no_tag(image)))
    elif verbs & {"run", "create", "debug"}:
        given = [found[1] for value in values if (found := _IMAGE_OPTION.fullmatch(value))]
        given += [after for value, after in pairwise(values) if value == "--image"]
        yield from (image for image in given if is_moving(image) or _has_no_tag(image))


def _has_no_tag(image: str) -> bool:
    return (
        "@" not in image
        and ":" not in image.rpartition("/")[2]
        and _IMAGE.fullmatch(image) is not None
        and "9" not in image
    )


def _asked_for(command: Command) -> Word | None:
    """A word with a version that a program was asked for right before: `…/download/$(curl …/latest)/tool`."""
    if command.name not in _TAKERS:
        return None
    downloads = command.name in ("curl", "wget", "aria2c")
    for word in command.arguments:
        for piece in word.unknown if not downloads or "://" in word.when_empty else ():
            if any(_asks(inner) for inner in piece.commands[:16]):
                return word
    return None


def _asks(command: Command) -> bool:
    """True for a question for the newest version, not for one to the cloud's metadata service."""
    inside = any(_INSIDE.search(word.when_empty) for word in command.arguments)
    return not inside and bool(meaning(command, _ASKS))


def _base(command: Command) -> str:
    """A Dockerfile that is written or built from the input, with a base image that moves."""
    text = written_text(command)
    if "FROM" not in text:
        return ""
    stages = {found[2] for found in _FROM.finditer(text) if found[2]}
    for found in _FROM.finditer(text):
        image = found[1]
        if image not in stages and image != "scratch" and (is_moving(image) or ":" not in image.rpartition("/")[2]):
            return f"builds on whatever {image} is at the moment"
    return ""
