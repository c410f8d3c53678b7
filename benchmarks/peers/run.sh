#!/usr/bin/env bash
# Does the same job with nearby and with its peers, and prints what each costs: Redis, NATS and Erlang/OTP, Boost's
# R-tree and the textbook's hash map, over the same users, friends and trace. README.md says how it is measured.
#
#   benchmarks/peers/run.sh [options]
#
#   --users N          how many, 1000 at least (20000)
#   --seconds S        of the trace that are measured; at most 500 (180)
#   --warm-up S        of the trace before them, 40 to 500: in the first 40 everybody comes online (300)
#   --peers LIST       redis,nats,erlang,rtree,textbook,sockets (all of them); nearby is always there.
#                      rates, alone: what Redis does in a second of a processor's time, and nothing else
#   --world W          country, that of nearby_capacity: 40 friends each; or city, the one of make_trace (country)
#   --repetitions N    of each measurement (5)
#   --json FILE        write everything as one JSON object as well
#   --help             this text
#
# Installs what is missing (Debian, as root), builds, listens on free ports of loopback only, and leaves nothing behind
# but the build. With the defaults it takes five to ten minutes after the build, and 1 GB of memory.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."

usage() {
  sed -n '5,19s/^# \{0,3\}//p' benchmarks/peers/run.sh
}

users=20000
seconds=180
warm_up=300
peers=redis,nats,erlang,rtree,textbook,sockets
world=country
repetitions=5
json=""
while [[ $# -gt 0 ]]; do
  case $1 in
    --help)
      usage
      exit 0
      ;;
    --users | --seconds | --warm-up | --peers | --world | --repetitions | --json)
      [[ $# -ge 2 ]] || { usage >&2; exit 2; }
      name=${1#--}
      declare "${name/-/_}=$2"
      shift 2
      ;;
    *)
      usage >&2
      exit 2
      ;;
  esac
done
is_number() { [[ $1 =~ ^[1-9][0-9]{0,6}$ ]]; }
for value in "$users" "$seconds" "$warm_up" "$repetitions"; do
  is_number "$value" || { usage >&2; exit 2; }
done
[[ $peers =~ ^((redis|nats|erlang|rtree|textbook|sockets)(,|$))+$ || $peers == rates ]] || { usage >&2; exit 2; }
[[ $users -ge 1000 && $world =~ ^(country|city)$ ]] || { usage >&2; exit 2; }
[[ $seconds -le 500 && $warm_up -ge 40 && $warm_up -le 500 ]] || { usage >&2; exit 2; }

echo "== installing" >&2
.ci/setup.sh peers >&2

echo "== building (release)" >&2
jobs=${CMAKE_BUILD_PARALLEL_LEVEL:-$(nproc)}
cmake --preset release -B build/peers -D NEARBY_BUILD_PEERS=ON \
  -D NEARBY_BUILD_TESTS=OFF -D NEARBY_BUILD_BENCHMARKS=ON >/dev/null
targets=(nearby_peers nearby_capacity make_trace)
[[ ,$peers, != *,sockets,* ]] || targets+=(echo_server phones)
[[ $peers != rates ]] || targets=(nearby_redis_rates)
cmake --build build/peers --parallel "$jobs" --target "${targets[@]}" >&2
nearby_peers=build/peers/benchmarks/peers/nearby_peers
nearby_redis_rates=build/peers/benchmarks/peers/nearby_redis_rates
nearby_capacity=build/peers/benchmarks/capacity/nearby_capacity
make_trace=build/peers/examples/replay/make_trace
echo_server=build/peers/examples/echo_server/echo_server
phones=build/peers/examples/phones/phones

ulimit -n "$(ulimit -H -n)"
work=$(mktemp -d)
server_pid=""
# Ends the server and waits for it.
stop_server() {
  [[ -n $server_pid ]] || return 0
  kill -TERM "$server_pid" 2>/dev/null || true
  wait "$server_pid" 2>/dev/null || true
  server_pid=""
}
trap 'stop_server; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

runs=$work/runs.jsonl
: >"$runs"
# No run may take longer: a peer that hangs fails the comparison.
limit=(timeout 600)

free_port() {
  python3 -c 'import socket
with socket.socket() as s:
    s.bind(("127.0.0.1", 0))
    print(s.getsockname()[1])'
}

# Waits until something listens on $port.
await_server() {
  local tries
  for ((tries = 0; tries < 100; tries++)); do
    if (: </dev/tcp/127.0.0.1/"$port") 2>/dev/null; then return 0; fi
    kill -0 "$server_pid" 2>/dev/null || break
    sleep 0.1
  done
  echo "run.sh: a server did not start:" >&2
  cat "$work/server.log" >&2
  return 1
}

# Nothing is written to disk, and a slow subscriber is not cut off.
start_redis() {
  local io_threads=$1
  port=$(free_port)
  redis-server --port "$port" --bind 127.0.0.1 --dir "$work" --save '' --appendonly no --io-threads "$io_threads" \
    --maxclients 20000 --client-output-buffer-limit 'pubsub 0 0 0' --daemonize no >"$work/server.log" 2>&1 &
  server_pid=$!
  await_server
}

start_nats() {
  local processors=$1
  port=$(free_port)
  GOMAXPROCS=$processors nats-server -a 127.0.0.1 -p "$port" >"$work/server.log" 2>&1 &
  server_pid=$!
  await_server
}

# drive ROUND PEER CONFIGURATION [FLAG...]: appends a line to the runs. Round 0 is for finding the best configuration.
drive() {
  local round=$1 peer=$2 configuration=$3
  shift 3
  "${limit[@]}" "$nearby_peers" --peer "$peer" --label "$round $configuration" --friends "$work/friends" \
    --trace "$work/trace" --warm-up-s "$warm_up" "$@" >>"$runs"
}

# Configurations are words: io-threads or GOMAXPROCS, connections, and for NATS whether each friend is a subscription.
run_redis() {
  local round=$1 configuration=$2 io_threads connections
  IFS=/ read -r io_threads connections <<<"$configuration"
  start_redis "$io_threads"
  drive "$round" redis "$configuration" --port "$port" --pid "$server_pid" --connections "$connections"
  stop_server
}

run_nats() {
  local round=$1 configuration=$2 processors connections per_friend
  IFS=/ read -r processors connections per_friend <<<"$configuration"
  start_nats "$processors"
  drive "$round" nats "$configuration" --port "$port" --pid "$server_pid" --connections "$connections" \
    --per-friend "$per_friend"
  stop_server
}

# Schedulers that spin for work would count as work.
run_erlang() {
  local round=$1 schedulers=$2
  "${limit[@]}" erl +K true +S "$schedulers:$schedulers" +P 2000000 +sbwt none +sbwtdcpu none +sbwtdio none -noshell \
    -pa "$work" -run peers main "$work/world" "$round $schedulers" >>"$runs"
}

run_nearby() {
  drive "$1" nearby -
  drive "$1" nearby-skipping -
}

wants() { [[ ,$peers, == *,$1,* ]]; }

# Configurations of a peer that are worth trying.
configurations_of() {
  case $1 in
    redis) echo 1/1 1/4 1/40 2/4 2/40 ;;
    nats) echo 1/1/0 1/4/0 1/40/0 2/40/0 1/1/1 1/4/1 2/4/1 ;;
    erlang) echo 1 2 ;;
  esac
}

if [[ $peers == rates ]]; then
  echo "== measuring what Redis does" >&2
  # As many connections as nodes, and listeners as friends of a user are spread over.
  for load in "--connections 100 --listeners 6" "--connections 1000 --listeners 7"; do
    start_redis 1
    # shellcheck disable=SC2086 # words
    "$nearby_redis_rates" --port "$port" --pid "$server_pid" --repetitions "$repetitions" $load
    stop_server
  done
  exit 0
fi

echo "== making the world: $users users" >&2
if [[ $world == country ]]; then
  # Everybody reports every 30 s.
  "$nearby_capacity" --users "$users" --export "$work" --export-reports $((users * (seconds + warm_up) / 30))
  mv "$work/friends.tsv" "$work/friends"
  mv "$work/trace.tsv" "$work/trace"
else
  minutes=$(python3 -c "print(($seconds + $warm_up) / 60)")
  "$make_trace" --city --users "$users" --churn off --minutes "$minutes" --friends "$work/friends" \
    --trace "$work/trace" 2>/dev/null
fi
if wants erlang; then
  "$nearby_peers" --export "$work/world" --friends "$work/friends" --trace "$work/trace" --warm-up-s "$warm_up"
  erlc -o "$work" benchmarks/peers/peers.erl
fi

servers=()
for peer in redis nats erlang; do
  wants "$peer" && servers+=("$peer")
done
for peer in "${servers[@]}"; do
  for configuration in $(configurations_of "$peer"); do
    echo "== looking for the best configuration: $peer $configuration" >&2
    "run_$peer" 0 "$configuration"
  done
done

# In alternation: nearby before each peer, so that what else the machine does falls on both alike.
for ((round = 1; round <= repetitions; round++)); do
  echo "== measuring, $round of $repetitions" >&2
  run_nearby "$round"
  for peer in textbook rtree; do
    wants "$peer" || continue
    run_nearby "$round"
    drive "$round" "$peer" -
  done
  for peer in "${servers[@]}"; do
    for configuration in $(python3 benchmarks/peers/summary.py best "$runs" "$peer"); do
      run_nearby "$round"
      "run_$peer" "$round" "$configuration"
    done
  done
done

# Both with a socket to each of a thousand phones. The phones report as fast as they are answered; Redis gets what twenty
# seconds bring at once, which is to its advantage.
measure_sockets() {
  local round=$1
  "$echo_server" --listen 127.0.0.1:0 --insecure --threads 1 --friends "$work/phones" --calls-per-second 1000000 \
    --call-burst 1000000 --drain-timeout 1 --drain-spread 1 >"$work/server.log" 2>&1 &
  server_pid=$!
  local address="" tries
  for ((tries = 0; tries < 100 && ${#address} == 0; tries++)); do
    sleep 0.1
    address=$(sed -n 's/^listening on //p' "$work/server.log")
  done
  [[ -n $address ]] || { echo "run.sh: the echo server did not start" >&2; return 1; }
  "${limit[@]}" "$phones" --load --users 1000 --seconds 8 --server "$address" --insecure --json "$work/phones.json" \
    2>/dev/null
  python3 benchmarks/peers/summary.py phones "$round" "$work/phones.json" "/proc/$server_pid/stat" >>"$runs"
  stop_server
  start_redis 1
  "${limit[@]}" "$nearby_peers" --peer redis --label "$round sockets" --friends "$work/phones" \
    --trace "$work/phones_trace" --batch-s 20 --port "$port" --pid "$server_pid" --connections 1000 >>"$runs"
  stop_server
}
if wants sockets; then
  "$phones" --city --users 1000 --write-friends "$work/phones"
  "$make_trace" --city --users 1000 --churn off --minutes 40 --friends /dev/null --trace "$work/phones_trace" 2>/dev/null
  for ((round = 1; round <= repetitions; round++)); do
    echo "== measuring sockets, $round of $repetitions" >&2
    measure_sockets "$round"
  done
fi

# A line for each program: its name and its version.
versions() {
  echo "nearby $(git describe --always --dirty 2>/dev/null || echo unknown)"
  for package in redis-server nats-server erlang-base libboost-dev libabsl-dev g++; do
    dpkg-query --show --showformat='${Package} ${Version}\n' "$package" 2>/dev/null || true
  done
}
versions >"$work/versions"
summary=(python3 benchmarks/peers/summary.py table "$runs" "$work/versions" "$world")
[[ -z $json ]] || summary+=("$json")
"${summary[@]}"
