# For measurements, to be sourced: a private Redis on a UNIX socket and one policyd of one
# worker with the chain of targets row 3, in a directory of their own. ${build} is set.
#
#   start_site, stop_site    ${dir}, and the processes ${redis} and ${policyd}
#   cli WORD...              redis-cli
#   in_flight_now            checks under way

trap stop_site EXIT

cli() { redis-cli -s "$dir/redis.sock" "$@"; }

start_site() {
    metrics_port=$((20000 + RANDOM % 10000))
    dir=$(mktemp -d "${TMPDIR:-/tmp}/mxbench.XXXXXX")
    redis-server --port 0 --unixsocket "$dir/redis.sock" --save '' --appendonly no \
        --dir "$dir" >"$dir/redis.log" &
    redis=$!
    until [ "$(cli ping 2>/dev/null)" = PONG ]; do sleep 0.05; done
    cat >"$dir/mxdrop.yaml" <<YAML
redis: {address: "unix:$dir/redis.sock", timeout: 10s}
policyd:
  endpoint: "ipc://$dir/policyd.sock"
  in_flight: 8192
  metrics: "127.0.0.1:$metrics_port"
  chain: {rcpt: [access, fq_rcpt, rate_limit, user_lists, quota_check, greylist]}
  rate_limit: {limits: ["client recipients 1000000/1h"]}
  greylist: {delay: 1s, learn_period: 0}
  deadline: {rcpt: 20s}
log: {level: warn}
YAML
    "$build/bin/mxdrop-policyd" -c "$dir/mxdrop.yaml" 2>"$dir/policyd.log" &
    policyd=$!
    until [ -S "$dir/policyd.sock" ]; do sleep 0.05; done
}

stop_site() {
    [ -n "${dir:-}" ] || return 0
    kill -CONT "$redis" 2>/dev/null || true
    kill "$policyd" "$redis" 2>/dev/null || true
    wait "$policyd" "$redis" 2>/dev/null || true
    rm -rf "$dir"
    dir=
}

in_flight_now() {
    exec 3<>"/dev/tcp/127.0.0.1/$metrics_port"
    printf 'GET /metrics HTTP/1.0\r\n\r\n' >&3
    sed -nE 's/^mxdrop_policy_in_flight[^ ]* ([0-9]+).*/\1/p' <&3
    exec 3>&-
}
