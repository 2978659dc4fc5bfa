#!/bin/bash
# Targets row 3: RCPT checks (lists, quota, greylist, rate limit) through one policyd
# worker, and what the same Redis does for the same commands under redis-benchmark.
#
#   load_policy.sh [BUILD_DIR] [CHECKS] [IN_FLIGHT]
#
# Of each round the first half of the checks is new to the greylist, the second half
# passes it. The commands of one check of each half are taken from MONITOR; behind each
# run they go through redis-benchmark, as many and as deeply pipelined, over random keys.
# As generator, policyd, Redis and whatever else runs share the cores, CPU seconds
# compare:
#
#   per_core        checks that policyd could do with a core to itself
#   redis_per_core  checks that Redis could do with one, by its CPU time in our run
#   alone_per_core  the same for redis-benchmark's run of the same commands
#   ratio           per_core / alone_per_core: above 1 Redis is the limit
#
# The median of three rounds counts.
set -euo pipefail
build=${1:-build} checks=${2:-60000} in_flight=${3:-256}
# shellcheck source=bench/policy_site.sh
. "$(dirname "$0")/policy_site.sh"

redis_cpu_us() { cli info cpu | awk -F: '/^used_cpu_(user|sys):/ {s += $2} END {printf "%d", s * 1e6}'; }

# Words of every command that one check sends, one command a line, as MONITOR shows them;
# what scripts do inside is theirs, and the registry is not part of a check.
record_commands() {
    redis-cli -s "$dir/redis.sock" monitor >"$dir/monitor" &
    local monitor=$!
    until grep -q OK "$dir/monitor"; do sleep 0.05; done
    "$build/bin/load_policy" -n 1 -c 1 "ipc://$dir/policyd.sock" >/dev/null
    until grep -qi evalsha "$dir/monitor"; do sleep 0.05; done
    sleep 0.2
    kill "$monitor"
    wait "$monitor" 2>/dev/null || true
    grep -iE '"(hmget|get|evalsha)"' "$dir/monitor" | grep -vE ' lua\]|mx:reg:' |
        sed -E 's/^[^]]*\] //' >"$1"
}

# CPU microseconds of Redis for one check's commands under redis-benchmark.
redis_alone_us() {
    local line words before
    before=$(redis_cpu_us)
    while read -r line; do
        eval "words=($line)"
        words=("${words[@]/\}/.__rand_int__\}}")
        redis-benchmark -s "$dir/redis.sock" -n "$checks" -r 65536 -c 1 -P "$in_flight" -q \
            "${words[@]}" >/dev/null 2>&1 </dev/null
    done <"$1"
    awk -v u="$(($(redis_cpu_us) - before))" -v n="$checks" 'BEGIN {printf "%.2f", u / n}'
}

one_run() { # LABEL COMMANDS
    local before spent alone
    before=$(redis_cpu_us)
    "$build/bin/load_policy" -n "$checks" -c "$in_flight" -p "$policyd" \
        "ipc://$dir/policyd.sock" >"$dir/result"
    spent=$(($(redis_cpu_us) - before))
    alone=$(redis_alone_us "$2")
    awk -v label="$1" -v round="$round" -v spent="$spent" -v alone="$alone" '{
        for (i = 1; i <= NF; i++) { split($i, part, "="); value[part[1]] = part[2] }
        printf "round=%d %s %s redis_per_core=%.0f alone_per_core=%.0f ratio=%.2f\n", round,
            label, $0, 1e6 * value["checks"] / spent, 1e6 / alone,
            value["per_core"] * alone / 1e6
    }' "$dir/result"
}

for round in 1 2 3; do
    start_site
    record_commands "$dir/new"
    sleep 1.1 # greylist.delay
    record_commands "$dir/known"
    if [ "$round" = 1 ]; then
        for half in new known; do
            echo "one $half check: $(wc -l <"$dir/$half") commands," \
                "$(awk '{n += NF} END {print n}' "$dir/$half") words"
        done
    fi
    one_run new "$dir/new"
    one_run known "$dir/known"
    stop_site
done
