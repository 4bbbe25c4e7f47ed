#!/usr/bin/env bash
# Holds the description of the interface against a running engine: schemathesis asks for what /openapi.json describes and
# for what it does not, and checks that every answer is as described. TIDINGS_TEST_SEED repeats a run or looks elsewhere.
set -euo pipefail
cd "$(dirname "$0")/../.."

version=4.32.5
venv=target/schemathesis
if [ "$("$venv/bin/st" --version 2>/dev/null | grep -o '[0-9.]*$' || true)" != "$version" ]; then
  python3 -m venv --clear "$venv"
  "$venv/bin/pip" install --quiet "schemathesis==$version"
fi

cargo build --locked --quiet
log=$(mktemp)
target/debug/tidings demo --rate 200 --bind 127.0.0.1:0 >"$log" 2>&1 &
engine=$!
trap 'kill "$engine" 2>/dev/null || true; wait "$engine" 2>/dev/null || true; rm -f "$log"' EXIT

for _ in $(seq 600); do
  address=$(grep -o 'http://127[0-9.:]*' "$log" | head -n 1 || true)
  [ -n "$address" ] && curl -fsS "$address/readyz" >/dev/null 2>&1 && break
  kill -0 "$engine" 2>/dev/null || { cat "$log"; exit 1; }
  sleep 0.1
done
curl -fsS "$address/readyz" >/dev/null

seed=${TIDINGS_TEST_SEED:-1}
echo "TIDINGS_TEST_SEED=$seed"
status=0
# A stream has no end, so that of events is held against its description by the tests of the server.
"$venv/bin/st" --config-file tests/contract/schemathesis.toml run "$address/openapi.json" --url "$address" \
  --seed "$seed" --exclude-path /v1/events || status=$?

# Whatever was asked, it lives, and no request met a bug.
curl -fsS "$address/livez" >/dev/null
# Taken whole first: grep goes at the first match, and curl would fail on what it still has to write.
metrics=$(curl -fsS "$address/metrics")
grep -qx 'tidings_http_panics_total 0' <<<"$metrics"
[ "$status" = 0 ] || { tail -n 20 "$log"; exit "$status"; }
