# What kafka.sh and cluster.sh have in common; to be sourced by them.
#
# Always: a process is known by its id together with the file that it was started with, since a number alone might be that of
# another process by now; ports lie below those that the system gives to outgoing connections.

fail() {
    echo "${0##*/}: $*" >&2
    exit 1
}

# Process id of the broker of a folder, if it runs.
running() {
    local pid line
    pid=$(cat "$1/pid" 2>/dev/null) || return 1
    # Read whole before it is looked at: what a reader leaves unread would fail its writer, and with it the line.
    line=$(tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline") || return 1
    [[ $line == *"$1/server.properties"* ]] && echo "$pid"
}

listens() {
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# So many different ports on which nobody listens.
free_ports() {
    local ports=() port
    for _ in {1..500}; do
        [[ ${#ports[@]} -lt $1 ]] || { echo "${ports[*]}"; return; }
        port=$((15000 + (RANDOM * 32768 + RANDOM) % 17000))
        [[ " ${ports[*]} " == *" $port "* ]] || listens "$port" || ports+=("$port")
    done
    fail "no $1 free ports found"
}

# Asks for the versions of the protocol, the one request that every broker answers as soon as it is up.
answers() {
    local size
    # In a group of its own, since a refused connection ends the subshell and would be told on standard error.
    size=$({
        exec 3<>"/dev/tcp/127.0.0.1/$1"
        printf '\0\0\0\x0a\0\x12\0\0\0\0\0\x01\xff\xff' >&3
        timeout 2 head -c 4 <&3 | od -An -tu1
    } 2>/dev/null) || true
    [[ -n $size ]]
}

# 16 random bytes in Base64, as Kafka wants the id of a cluster; without signs, so that it does not look like an option.
cluster_id() {
    head -c 16 /dev/urandom | base64 | tr '+/' 'AB' | tr -d '='
}
