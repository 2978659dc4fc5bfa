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

# Commands of one check, as this Redis counted them.
commands() { cli info commandstats | sed -nE 's/^cmdstat_([^:]+):calls=([0-9]+),.*/\1 \2/p' | sort; }

# The same commands in the same numbers: each for itself, pipelined as deep as our checks
# are in flight; the time for a check is the sum over its commands.
redis_alone() {
    local script sum=0 per_second
    script=$(cli script load "$(cat "$(dirname "$0")/../store/script_grey_pass.lua")")
    run() { # COUNT_PER_CHECK WORDS...
        local count=$1
        shift
        per_second=$(redis-benchmark -s "$dir/redis.sock" -n "$checks" -r 65536 -c 1 \
            -P "$in_flight" --csv "$@" 2>/dev/null | tail -1 | cut -d, -f2 | tr -d '"')
        sum=$(awk -v s="$sum" -v c="$count" -v p="$per_second" 'BEGIN {print s + c * 1e6 / p}')
    }
    while read -r name count; do
        count=$(awk -v c="$count" -v n="$checks" 'BEGIN {print c / n}')
        case $name in
            hmget) run "$count" hmget 'mx:ls:{__rand_int__}' a@s.example s.example .s.example .example 10.0.0.1 10.0.0.0/24 ;;
            get) run "$count" get 'mx:gl:{__rand_int__}:n' ;;
            mget) run "$count" mget 'mx:gl:{__rand_int__}:n' 'mx:{epoch}' ;;
            evalsha) run "$count" evalsha "$script" 2 'mx:gl:{__rand_int__}:t:h' 'mx:gl:{__rand_int__}:n' 1700000000000 3600000 t ;;
        esac
    done <"$dir/commands"
    awk -v s="$sum" 'BEGIN {printf "redis_alone_per_second=%.0f\n", 1e6 / s}'
}

for round in 1 2 3; do
    cli flushall >/dev/null
    cli config resetstat >/dev/null
    before=$(redis_cpu_us)
    "$build/bin/load_policy" -n "$checks" -c "$in_flight" -p "$policyd" \
        "ipc://$dir/policyd.sock" >"$dir/result"
    spent=$(($(redis_cpu_us) - before))
    commands >"$dir/commands"
    [ "$round" = 1 ] && { echo "commands: $(tr '\n' ' ' <"$dir/commands")"; }
    echo "round=$round $(cat "$dir/result")" \
        "$(awk -v u="$spent" -v n="$checks" 'BEGIN {printf "redis_us=%.1f redis_limit=%.0f", u / n, 1e6 * n / u}')" \
        "$(redis_alone)"
done
