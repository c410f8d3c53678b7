#!/usr/bin/env bash
# Installs what is missing, builds the release, measures, and writes figures as JSON and plots as SVG.
#
#   benchmarks/run.sh [options]
#
#   --quick          small worlds, a few minutes
#   --peers          also Redis, NATS, Erlang, an R-tree and the textbook (benchmarks/peers/run.sh)
#   --max-users N    no world has more users than this (10000000, or what the memory holds)
#   --output DIR     where figures and plots go, replacing those of the run before (build/figures)
#   --help           this text
#
# Measured are: each part alone (Google Benchmark); the engine with 10 thousand users to as many as the memory holds, far
# pairs skipped and not, beside the textbook's way and the memory's ceiling (nearby_capacity); situations of their own
# (nearby_scenarios). DIR/summary.json has it all; docs/performance.md says how to read it. Without --quick it takes one
# to two hours.
set -euo pipefail

start_directory=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage() {
  sed -n '4,10s/^# \{0,3\}//p' benchmarks/run.sh
}

quick=false
peers=false
max_users=10000000
output=$PWD/build/figures
while [[ $# -gt 0 ]]; do
  case $1 in
    --quick) quick=true ;;
    --peers) peers=true ;;
    --max-users | --output)
      [[ $# -ge 2 && -n $2 ]] || { usage >&2; exit 2; }
      if [[ $1 == --output ]]; then output=$2; else max_users=$2; fi
      shift
      ;;
    --help)
      usage
      exit 0
      ;;
    *)
      usage >&2
      exit 2
      ;;
  esac
  shift
done
[[ $max_users =~ ^[1-9][0-9]{0,7}$ ]] || { usage >&2; exit 2; }
[[ $output == /* ]] || output=$start_directory/$output

announce() {
  printf '\n== %s\n' "$*"
}

announce "installing"
.ci/setup.sh test

announce "building (release)"
cmake --preset release -B build/benchmarks -D NEARBY_BUILD_TESTS=OFF -D NEARBY_BUILD_EXAMPLES=OFF >/dev/null
cmake --build build/benchmarks --parallel "${CMAKE_BUILD_PARALLEL_LEVEL:-$(nproc)}" --target benchmarks/all
programs=build/benchmarks/benchmarks

mkdir -p "$output"/{micro,capacity,scenarios}
rm -f "$output"/{micro,capacity,scenarios}/*.json "$output"/*.json "$output"/*.svg

log=$(mktemp)
trap 'rm -f "$log"' EXIT

announce "measuring each part alone"
micro_flags=()
# Large populations, and the slowest of the plain ways, take longer to make than to measure.
$quick && micro_flags=(--benchmark_min_time=0.02 '--benchmark_filter=-(/[0-9]{7,}|MapOf)')
for program in "$programs"/*_benchmark; do
  name=$(basename "$program")
  echo "-- $name"
  "$program" "${micro_flags[@]}" --benchmark_out="$output/micro/$name.json" --benchmark_out_format=json \
    >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
done

# Bytes that may be taken: what is available, but for a tenth that the system may want back.
memory_left() {
  awk '/^MemAvailable:/ { printf "%.0f", $2 * 1024 * 0.9 }' /proc/meminfo
}

# measure_capacity USERS SKIPPING: with the baseline beside it where both find room, without it where only the engine does.
measure_capacity() {
  local users=$1 skipping=$2 baseline=on left
  left=$(memory_left)
  # The ceiling's array, and what a world takes while it is made.
  local fixed=$((200 << 20))
  if ((users * 1250 + fixed > left)); then baseline=off; fi
  if ((users * 720 + fixed > left)); then
    echo "-- $users users, skipping $skipping: left out, $((left >> 20)) MB of memory are too few"
    return
  fi
  echo "-- $users users, skipping $skipping, baseline $baseline"
  "$programs/capacity/nearby_capacity" --users "$users" --skipping "$skipping" --baseline "$baseline" \
    "${capacity_flags[@]}" --json "$output/capacity/$users-$skipping.json" >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
}

announce "measuring the engine in worlds of every size"
sizes=(10000 30000 100000 300000 1000000 3000000 10000000)
capacity_flags=(--reference-users 10000)
if $quick; then
  sizes=(10000 30000 100000)
  capacity_flags+=(--repetitions 5 --chunk 50000 --warmup-rounds 2 --reconnects 5000)
fi
for users in "${sizes[@]}"; do
  ((users <= max_users)) || continue
  for skipping in on off; do
    measure_capacity "$users" "$skipping"
  done
done

# measure_scenario NAME USERS BYTES [FLAG...]: with fewer users where they do not find room, at BYTES each.
measure_scenario() {
  local name=$1 users=$2 bytes=$3 room
  shift 3
  room=$(($(memory_left) / bytes))
  ((users <= room)) || users=$room
  ((users <= max_users)) || users=$max_users
  "$programs/scenarios/nearby_scenarios" "$name" --users "$users" "$@" --json "$output/scenarios/$name.json" 2>"$log" ||
    { cat "$log" >&2; exit 1; }
}

announce "measuring situations of their own"
if $quick; then
  for name in in-sight whales storm churn hops shards; do
    measure_scenario "$name" 30000 4500 --repetitions 5 --chunk 20000
  done
  measure_scenario nodes 4000 60000 --nodes 40 --chunk 20000 --repetitions 3
  measure_scenario ring-change 20000 60000 --pace 100
  measure_scenario expiry 1000000 250 --minutes 2
  measure_scenario latency 100000 1000 --seconds 3
  measure_scenario runtime-latency 100000 1500 --seconds 3
else
  for name in in-sight whales storm churn; do
    measure_scenario "$name" 1000000 1500
  done
  measure_scenario hops 300000 4500
  measure_scenario shards 10000000 1600 --chunk 200000 --warmup-rounds 12
  measure_scenario nodes 20000 60000
  measure_scenario ring-change 100000 20000
  measure_scenario expiry 10000000 250
  measure_scenario latency 10000000 1000 --seconds 30
  measure_scenario runtime-latency 1000000 1500 --seconds 30
fi

if $peers; then
  announce "measuring the peers"
  peers_flags=()
  $quick && peers_flags=(--users 2000 --seconds 60 --repetitions 2)
  benchmarks/peers/run.sh "${peers_flags[@]}" --json "$output/peers.json"
fi

announce "adding up"
python3 benchmarks/report/summary.py "$output"
echo
echo "figures: $output/summary.json; plots: $output/*.svg"
