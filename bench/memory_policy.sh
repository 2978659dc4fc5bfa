#!/bin/bash
# Targets row 9, policyd's part: memory of a policyd (PSS) with so many checks in flight.
#
#   memory_policy.sh [BUILD_DIR] [IN_FLIGHT...]
#
# Redis is stopped while the checks come in, so that all of them wait for it at once; then
# it goes on. For each number a policyd of its own: "bytes_each" is what it grew by, over
# the number of checks.
set -euo pipefail
build=${1:-build}
shift || true
[ $# -gt 0 ] || set -- 256 1024 4096
# shellcheck source=bench/policy_site.sh
. "$(dirname "$0")/policy_site.sh"

for in_flight in "$@"; do
    start_site
    "$build/bin/load_policy" -n 100 -c 1 "ipc://$dir/policyd.sock" >/dev/null
    kill -STOP "$redis"
    "$build/bin/load_policy" -n "$in_flight" -c "$in_flight" -p "$policyd" \
        "ipc://$dir/policyd.sock" >"$dir/result" &
    load=$!
    until [ "$(in_flight_now)" -ge "$in_flight" ]; do sleep 0.1; done
    sleep 0.1
    kill -CONT "$redis"
    wait "$load"
    awk -v n="$in_flight" '{
        for (i = 1; i <= NF; i++) { split($i, part, "="); value[part[1]] = part[2] }
        printf "in_flight=%d degraded=%d pss_kib_before=%d pss_kib_most=%d bytes_each=%d\n",
            n, value["degraded"], value["pss_kib_before"], value["pss_kib_most"],
            1024 * (value["pss_kib_most"] - value["pss_kib_before"]) / n
    }' "$dir/result"
    stop_site
done
