#!/usr/bin/env bash
# A cluster of three Kafka brokers, each a controller too, for tests in which one of them dies.
#
# Always: two of three make a quorum, so the loss of one is survived; a node that is started again comes back at the same
# address with the same data; what is started is stopped by its process id alone.
# Costs: 2 GB of memory, some ten seconds. The jars are those of kafka.sh.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/kafka/common.sh
. "$here/common.sh"
home=${TIDINGS_KAFKA_HOME:-$here/../../target/kafka}
start_seconds=90
stop_seconds=30

usage() {
    cat <<'END'
usage: cluster.sh start DIR         start three brokers with their data in DIR/1, DIR/2 and DIR/3; the last line on
                                    standard output are their addresses, separated by commas
       cluster.sh stop DIR          stop them, and keep their data
       cluster.sh kill DIR NODE     kill one of them at once, as if its machine had lost its power
       cluster.sh revive DIR NODE   start it again
END
}

configure() { # folder of the cluster, node, ports: of the brokers, then of the controllers
    local dir=$1 node=$2
    shift 2
    local ports=("$@")
    mkdir -p "$dir/$node"
    cat >"$dir/$node/server.properties" <<END
process.roles=broker,controller
node.id=$node
controller.quorum.voters=1@127.0.0.1:${ports[3]},2@127.0.0.1:${ports[4]},3@127.0.0.1:${ports[5]}
listeners=PLAINTEXT://127.0.0.1:${ports[node - 1]},CONTROLLER://127.0.0.1:${ports[node + 2]}
advertised.listeners=PLAINTEXT://127.0.0.1:${ports[node - 1]}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs=$dir/$node/data
auto.create.topics.enable=false
default.replication.factor=3
min.insync.replicas=2
offsets.topic.num.partitions=1
offsets.topic.replication.factor=3
transaction.state.log.num.partitions=1
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=4000
broker.heartbeat.interval.ms=500
controlled.shutdown.enable=true
num.network.threads=2
num.io.threads=2
log.cleaner.dedupe.buffer.size=16777216
END
}

launch() { # folder of the cluster, node
    local own=$1/$2
    setsid java -Xms128m -Xmx384m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Dorg.apache.logging.log4j.level=INFO \
        -cp "$(realpath "$home")/lib/*" kafka.Kafka "$own/server.properties" </dev/null >>"$own/log" 2>&1 &
    echo $! >"$own/pid"
}

# A node answers on its own port only once the quorum has let it in.
await() { # folder of the cluster, node, port
    local own=$1/$2
    for ((tenth = 0; tenth < start_seconds * 10; tenth++)); do
        kill -0 "$(cat "$own/pid")" 2>/dev/null || { tail -n 20 "$own/log" >&2; fail "node $2 ended by itself; see $own/log"; }
        answers "$3" && return
        sleep 0.1
    done
    fail "node $2 does not answer after $start_seconds s; see $own/log"
}

start() {
    mkdir -p "$1"
    local dir ports id
    dir=$(realpath "$1")
    for node in 1 2 3; do
        running "$dir/$node" >/dev/null && fail "node $node runs already"
    done
    TIDINGS_KAFKA_HOME=$home "$here/kafka.sh" fetch
    [[ -e $dir/ports ]] || free_ports 6 >"$dir/ports"
    read -r -a ports <"$dir/ports"
    id=$(cluster_id)
    for node in 1 2 3; do
        configure "$dir" "$node" "${ports[@]}"
        [[ -e $dir/$node/data/meta.properties ]] || java -XX:TieredStopAtLevel=1 -cp "$(realpath "$home")/lib/*" \
            kafka.tools.StorageTool format -t "$id" -c "$dir/$node/server.properties" >>"$dir/$node/log" 2>&1 &
    done
    wait
    for node in 1 2 3; do
        launch "$dir" "$node"
    done
    for node in 1 2 3; do
        await "$dir" "$node" "${ports[node - 1]}"
    done
    echo "127.0.0.1:${ports[0]},127.0.0.1:${ports[1]},127.0.0.1:${ports[2]}"
}

revive() {
    local dir
    dir=$(realpath "$1")
    read -r -a ports <"$dir/ports"
    running "$dir/$2" >/dev/null && fail "node $2 runs already"
    : >"$dir/$2/log"
    launch "$dir" "$2"
    await "$dir" "$2" "${ports[$2 - 1]}"
}

kill_node() {
    local dir pid
    dir=$(realpath "$1")
    pid=$(running "$dir/$2") || fail "node $2 does not run"
    kill -KILL "$pid"
    rm -f "$dir/$2/pid"
}

any_runs() { # folder of the cluster
    running "$1/1" >/dev/null || running "$1/2" >/dev/null || running "$1/3" >/dev/null
}

stop() {
    local dir pid
    dir=$(realpath "$1")
    for node in 1 2 3; do
        pid=$(running "$dir/$node") && kill -TERM "$pid"
    done
    for ((tenth = 0; tenth < stop_seconds * 10; tenth++)); do
        any_runs "$dir" || break
        sleep 0.1
    done
    # The last two to stop may wait for a quorum that is gone.
    for node in 1 2 3; do
        pid=$(running "$dir/$node") && kill -KILL "$pid"
        rm -f "$dir/$node/pid"
    done
}

case ${1:-} in
start | stop)
    [[ $# -eq 2 ]] || { usage >&2; exit 2; }
    "$1" "$2"
    ;;
kill | revive)
    [[ $# -eq 3 && $3 == [123] ]] || { usage >&2; exit 2; }
    if [[ $1 == kill ]]; then kill_node "$2" "$3"; else revive "$2" "$3"; fi
    ;;
-h | --help | help) usage ;;
*)
    usage >&2
    exit 2
    ;;
esac
