"""What is taken in whatever version is the newest: packages, tools, tags, versions that are asked for."""

import pytest
from checking import of_shell

UNPINNED = "shell-unpinned-download"

NEWEST = [
    # packages of systems
    "apt-get install -y curl",
    "sudo apt-get -y dist-upgrade",
    "apt-get -t bookworm-backports install -y postgresql-client-16",
    "apk add --no-cache curl jq=1.7.1-r0",
    "apk upgrade",
    "yum -y update",
    "dnf install -y openssl kcat",
    "microdnf install shadow-utils",
    "zypper --non-interactive in jq",
    "pacman -Syu --noconfirm",
    "pacman -S --noconfirm jq",
    "brew install jq",
    "brew upgrade",
    "snap install yq",
    "choco install -y jq",
    "conda install -y -c conda-forge numpy",
    # tools
    "terraform init -upgrade",
    "packer init -upgrade .",
    "bundle update",
    "poetry update && poetry install",
    "npm install --no-package-lock",
    "uvx ruff check .",
    "uv tool run black .",
    "pnpm dlx create-report",
    "yarn dlx cowsay",
    "bunx cowsay",
    "npm exec --yes cowsay",
    "npx create-react-app@latest app",
    "pipx run black .",
    "kubectl krew install neat",
    "helm plugin install https://github.com/databus23/helm-diff",
    "gh extension install github/gh-copilot",
    "gcloud components update --quiet",
    "az extension add --name aks-preview",
    "ansible-galaxy collection install community.general",
    "ansible-galaxy install geerlingguy.docker",
    "rustup toolchain install nightly",
    "nvm install --lts",
    "composer global require phpunit/phpunit",
    "dotnet tool install -g dotnet-ef",
    "cpanm Mojolicious",
    "luarocks install luasocket",
    "Rscript -e 'install.packages(\"dplyr\")'",
    "kubectl apply -k https://github.com/acme/base//deploy",
    "kubectl apply -k 'https://github.com/acme/base//deploy?ref=main'",
    # tags
    "kubectl set image deploy/web web=registry.example.com/web:latest",
    "kubectl set image deploy/web web=registry.example.com/web",
    "kubectl run probe --image=registry.example.com/probe:nightly --rm -i",
    "kubectl create deployment web --image nginx",
    "docker pull grafana/grafana:main",
    "docker run --rm --pids-limit 64 -e A=b postgres pg_isready",
    "docker run --rm ghcr.io/acme/tool:edge",
    "helm upgrade --install web ./web --set image.tag=latest",
    "skopeo copy docker://docker.io/library/nginx:latest dir:/tmp/n",
    "cat > Dockerfile <<'EOF'\nFROM node\nRUN npm ci\nEOF",
    "printf 'FROM alpine:latest\\n' > Dockerfile",
    # versions that are asked for
    "v=$(curl -s https://api.github.com/repos/acme/t/releases/latest | jq -r .tag_name)\n"
    'curl -sSLo t.tgz "https://github.com/acme/t/releases/download/$v/t.tgz"',
    'wget -q "https://dl.k8s.io/release/$(curl -Ls https://dl.k8s.io/release/stable.txt)/bin/linux/amd64/kubectl"',
    'pip install "ansible==$(pip index versions ansible | head -1)"',
    "tag=$(git ls-remote --tags https://github.com/acme/t | tail -1)\ndocker pull ghcr.io/acme/t:$tag",
    "wget -q https://downloads.example.com/agent/stable/agent-linux-amd64.tar.gz",
]
FIXED = [
    "apt-get install -y curl=7.88.1-10+deb12u7",
    'apt-get install -y "nginx=$NGINX_VERSION"',
    "apt-get install -y ./pkgs/acme_1.0_amd64.deb",
    "apt-get update -qq",
    "apt-get install -s curl",
    'apt-get install -y "linux-headers-$(uname -r)"',
    "apt-get remove -y curl && apt-get autoremove -y",
    "apk add --no-cache curl=8.9.1-r2 'jq~1.7'",
    "apk del curl",
    "dnf install -y haproxy-2.4.22-3.el9",
    "yum list installed; yum check-update",
    "pacman -Qi jq; pacman -Ss jq",
    "brew install node@20",
    "snap list",
    "conda install -y numpy=1.26.4",
    "terraform init -input=false -lockfile=readonly",
    "bundle install --deployment",
    "poetry install --no-root",
    "npm ci",
    "uvx ruff@0.6.9 check .",
    "uv tool run --from 'black==24.8.0' black .",
    "pnpm dlx create-report@2.1.0",
    "npx cowsay@1.5.0",
    "helm plugin install https://github.com/databus23/helm-diff --version v3.9.9",
    "gh extension install github/gh-copilot --pin v1.0.5",
    "ansible-galaxy collection install community.general:9.3.0",
    "ansible-galaxy install -r requirements.yml",
    "rustup toolchain install 1.81.0",
    "kubectl apply -k 'https://github.com/acme/base//deploy?ref=v1.4.0'",
    "kubectl apply -k deploy/base",
    "kubectl set image deploy/web web=registry.example.com/web:1.4.2",
    'kubectl set image deploy/web "web=registry.example.com/web:$TAG"',
    "kubectl set image deploy/web web=registry.example.com/web@sha256:0d17b565c37bcbd895e9d92315a05c1c3c9a29f762b011a10c54a66cd53c9b31",
    "kubectl create job backup --from=cronjob/backup",
    "docker pull alpine:3.20",
    "docker run --rm --pids-limit 64 -e A=b postgres:16.4 pg_isready",
    "cat > Dockerfile <<'EOF'\nFROM node:22.11.0 AS build\nFROM scratch\nCOPY --from=build /a /a\nEOF",
    'v=1.4.2\ncurl -sSLo t.tgz "https://github.com/acme/t/releases/download/$v/t.tgz"',
    'curl -sSLo t.tgz "https://github.com/acme/t/releases/download/$VERSION/t.tgz"',
    "curl -s https://api.github.com/repos/acme/t/releases/latest | jq -r .tag_name",
    "curl -fsSL https://download.example.com/linux/stable/gpg -o /etc/apt/keyrings/a.asc",
    "git rev-parse --short HEAD",
]


@pytest.mark.parametrize("script", NEWEST)
def test_what_is_the_newest_at_the_moment_is_told_of(script: str) -> None:
    assert UNPINNED in of_shell(script)


@pytest.mark.parametrize("script", FIXED)
def test_what_has_a_version_is_left_alone(script: str) -> None:
    assert UNPINNED not in of_shell(script)
