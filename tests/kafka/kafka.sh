#!/usr/bin/env bash
# A real Apache Kafka for tests: one KRaft broker on free loopback ports, by its Maven jars, without root.
#
# Always: several may run at once, each in a folder of its own; what is started is stopped by its process id alone; a
# broker that is started again in its folder comes back at the same address with the same data.
# Costs: some 100 MB of jars once; 0.5 to 1 GB of memory and five seconds a broker.
set -euo pipefail

version=4.3.1
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/kafka/common.sh
. "$here/common.sh"
home=${TIDINGS_KAFKA_HOME:-$here/../../target/kafka}
start_seconds=90
stop_seconds=30

usage() {
    cat <<'END'
usage: kafka.sh start DIR    start a broker with its data in DIR; the last line on standard output is its address
       kafka.sh stop DIR     stop it, and keep its data
       kafka.sh fetch        only fetch the jars, which start does by itself
       kafka.sh install      install Java and Maven by apt-get, where they are missing

DIR has pid, log, server.properties and, while it runs, bootstrap (the address). Lines in DIR/extra.properties are
added to server.properties; in them %PORT%, %CONTROLLER_PORT% and %EXTRA_PORT% stand for free ports of this broker and
%DIR% for its folder, so that further listeners can be set up:
    listeners=PLAINTEXT://127.0.0.1:%PORT%,CONTROLLER://127.0.0.1:%CONTROLLER_PORT%,SASL://127.0.0.1:%EXTRA_PORT%
Keep the PLAINTEXT one: by it start finds out when the broker answers.

TIDINGS_KAFKA_HOME   folder whose lib/ has the jars, or gets them; default: target/kafka of the project
END
}

say() {
    echo "kafka.sh: $*" >&2
}

need_java() {
    command -v java >/dev/null || fail "Java 17 or later is needed to run Kafka, and there is none; on Debian: $0 install"
    local major
    major=$(java -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p')
    major=${major%%$'\n'*}
    [[ ${major:-0} -ge 17 ]] || fail "Java 17 or later is needed to run Kafka, and this is Java ${major:-unknown}"
}

install_tools() {
    local packages=()
    command -v java >/dev/null || packages+=(openjdk-17-jre-headless)
    command -v mvn >/dev/null || packages+=(maven)
    if [[ ${#packages[@]} -gt 0 ]]; then
        command -v apt-get >/dev/null || fail "${packages[*]} missing, and no apt-get to install them with"
        apt-get update -q >&2
        DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${packages[@]}" >&2
    fi
    need_java
}

# Fills $home/lib once, whoever comes first; the folder appears whole or not at all.
fetch() {
    [[ -e $home/lib/kafka_2.13-$version.jar ]] && return
    mkdir -p "$home"
    (
        flock 9
        [[ -e $home/lib/kafka_2.13-$version.jar ]] && exit
        command -v mvn >/dev/null || fail "Maven is needed to fetch Kafka, and there is none; on Debian: $0 install"
        say "fetching Apache Kafka $version"
        rm -rf "$home/lib.part" "$home/lib"
        mvn -q -B -f "$here/pom.xml" dependency:copy-dependencies -DincludeScope=runtime \
            -DoutputDirectory="$(realpath "$home")/lib.part" >&2 || fail "Maven could not fetch Kafka $version"
        mv "$home/lib.part" "$home/lib"
    ) 9>"$home/lock"
}

configure() {
    local dir=$1 port=$2 controller=$3 extra=$4
    cat >"$dir/server.properties" <<END
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$controller
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$controller
advertised.listeners=PLAINTEXT://127.0.0.1:$port
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL:SASL_PLAINTEXT
log.dirs=$dir/data
num.partitions=4
auto.create.topics.enable=false
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
num.network.threads=2
num.io.threads=4
log.cleaner.dedupe.buffer.size=16777216
END
    if [[ -e $dir/extra.properties ]]; then
        sed -e "s|%PORT%|$port|g; s|%CONTROLLER_PORT%|$controller|g; s|%EXTRA_PORT%|$extra|g; s|%DIR%|$dir|g" \
            "$dir/extra.properties" >>"$dir/server.properties"
    fi
}

# Starts the broker once; false if it ended, as it does when somebody took its port in between.
launch() {
    local dir=$1 port=$2 jars=$3 pid
    setsid java -Xms512m -Xmx1g -XX:+UseSerialGC -Dorg.apache.logging.log4j.level=INFO -cp "$jars" \
        kafka.Kafka "$dir/server.properties" </dev/null >>"$dir/log" 2>&1 &
    pid=$!
    echo "$pid" >"$dir/pid"
    for ((tenth = 0; tenth < start_seconds * 10; tenth++)); do
        kill -0 "$pid" 2>/dev/null || return 1
        answers "$port" && return 0
        sleep 0.1
    done
    stop "$dir"
    fail "the broker does not answer after $start_seconds s; see $dir/log"
}

start() {
    mkdir -p "$1"
    local dir jars ports
    dir=$(realpath "$1")
    running "$dir" >/dev/null && fail "a broker runs in $dir already, at $(cat "$dir/bootstrap")"
    need_java
    fetch
    jars="$(realpath "$home")/lib/*"
    [[ -e $dir/data/meta.properties ]] || rm -f "$dir/ports"
    for attempt in 1 2 3 4 5; do
        if [[ -e $dir/ports && $attempt -eq 1 ]]; then
            read -r -a ports <"$dir/ports"
        else
            read -r -a ports < <(free_ports 3)
        fi
        echo "${ports[*]}" >"$dir/ports"
        configure "$dir" "${ports[@]}"
        if [[ ! -e $dir/data/meta.properties ]]; then
            java -cp "$jars" kafka.tools.StorageTool format -t "$(cluster_id)" -c "$dir/server.properties" \
                >>"$dir/log" 2>&1 || fail "the storage was not formatted; see $dir/log"
        fi
        if launch "$dir" "${ports[0]}" "$jars"; then
            echo "127.0.0.1:${ports[0]}" >"$dir/bootstrap"
            cat "$dir/bootstrap"
            return
        fi
        rm -f "$dir/pid"
        grep -q 'BindException\|Address already in use' "$dir/log" || break
    done
    tail -n 20 "$dir/log" >&2
    fail "the broker ended by itself; see $dir/log"
}

stop() {
    local dir pid
    dir=$(realpath "$1")
    pid=$(running "$dir") || { rm -f "$dir/pid" "$dir/bootstrap"; return 0; }
    kill -TERM "$pid"
    for ((tenth = 0; tenth < stop_seconds * 10; tenth++)); do
        running "$dir" >/dev/null || break
        sleep 0.1
    done
    if running "$dir" >/dev/null; then
        say "the broker $pid did not end within $stop_seconds s and is killed"
        kill -KILL "$pid"
    fi
    rm -f "$dir/pid" "$dir/bootstrap"
}

case ${1:-} in
start | stop)
    [[ $# -eq 2 ]] || { usage >&2; exit 2; }
    "$1" "$2"
    ;;
fetch) fetch ;;
install) install_tools ;;
-h | --help | help) usage ;;
*)
    usage >&2
    exit 2
    ;;
esac
