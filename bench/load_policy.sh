#!/bin/bash
# Targets row 3: RCPT checks (lists and greylist) through one policyd worker, and beside
# it what the same Redis does for the same commands under redis-benchmark.
#
#   load_policy.sh [BUILD_DIR] [CHECKS] [IN_FLIGHT]
#
# Each round runs both, one after the other, with the same Redis; the median of three
# rounds counts. Redis' own CPU time per check comes from INFO, so that the ratio does not
# depend on how the cores are shared: "redis_us" is what Redis spent for one check, and
# 1/redis_us is what it could do with a core to itself.
set -euo pipefail
build=${1:-build} checks=${2:-200000} in_flight=${3:-256}
dir=$(mktemp -d "${TMPDIR:-/tmp}/mxbench.XXXXXX")
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$dir"' EXIT

redis-server --port 0 --unixsocket "$dir/redis.sock" --save '' --appendonly no \
    --dir "$dir" >"$dir/redis.log" &
pids+=($!)
cli() { redis-cli -s "$dir/redis.sock" "$@"; }
until [ "$(cli ping 2>/dev/null)" = PONG ]; do sleep 0.05; done

cat >"$dir/mxdrop.yaml" <<YAML
redis: {address: "unix:$dir/redis.sock", timeout: 5s}
policyd:
  endpoint: "ipc://$dir/policyd.sock"
  chain: {rcpt: [access, fq_rcpt, user_lists, greylist]}
  greylist: {delay: 1s, learn_period: 0}
  deadline: {rcpt: 10s}
log: {level: warn}
YAML
"$build/bin/mxdrop-policyd" -c "$dir/mxdrop.yaml" 2>"$dir/policyd.log" &
policyd=$!
pids+=("$policyd")
until [ -S "$dir/policyd.sock" ]; do sleep 0.05; done

redis_cpu_us() { cli info cpu | awk -F: '/^used_cpu_(user|sys):/ {s += $2} END {printf "%d", s * 1e6}'; }

# Words of every command that one check sends, one command a line, as MONITOR shows them;
# what scripts do inside is theirs, and the registry is not part of a check.
record_commands() {
    redis-cli -s "$dir/redis.sock" monitor >"$dir/monitor" &
    local monitor=$!
    until grep -q OK "$dir/monitor"; do sleep 0.05; done
    "$build/bin/load_policy" -n 1 -c 1 "ipc://$dir/policyd.sock" >/dev/null
    until grep -qi evalsha "$dir/monitor"; do sleep 0.05; done
    kill "$monitor"
    grep -iE '"(hmget|get|evalsha)"' "$dir/monitor" | grep -vE ' lua\]|mx:reg:' |
        sed -E 's/^[^]]*\] //' >"$dir/commands"
}

# The same commands in the same numbers through redis-benchmark, pipelined as deep as our
# checks are in flight, over random keys; the time of a check is the sum of its commands.
redis_alone() {
    local line words sum=0 per_second
    while read -r line; do
        eval "words=($line)"
        words=("${words[@]/\}/.__rand_int__\}}")
        per_second=$(redis-benchmark -s "$dir/redis.sock" -n "$checks" -r 65536 -c 1 \
            -P "$in_flight" --csv "${words[@]}" 2>/dev/null </dev/null |
            awk -F'","' 'END {print $2}')
        sum=$(awk -v s="$sum" -v p="$per_second" 'BEGIN {print s + 1e6 / p}')
    done <"$dir/commands"
    awk -v s="$sum" 'BEGIN {printf "redis_alone_per_second=%.0f", 1e6 / s}'
}

record_commands
echo "commands of one check: $(wc -l <"$dir/commands")," \
    "words: $(awk '{n += NF} END {print n}' "$dir/commands")"
for round in 1 2 3; do
    cli flushall >/dev/null
    before=$(redis_cpu_us)
    "$build/bin/load_policy" -n "$checks" -c "$in_flight" -p "$policyd" \
        "ipc://$dir/policyd.sock" >"$dir/result"
    spent=$(($(redis_cpu_us) - before))
    echo "round=$round $(cat "$dir/result")" \
        "$(awk -v u="$spent" -v n="$checks" 'BEGIN {printf "redis_us=%.1f redis_limit=%.0f", u / n, 1e6 * n / u}')" \
        "$(redis_alone)"
done
