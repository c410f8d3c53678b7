#!/usr/bin/env bash
# Installs what is missing, builds the examples, starts the echo server on its embedded default (friendships in memory)
# and phones that walk around a generated city, and shows live what one of the phones sees.
#
#   examples/run.sh           goes on until Ctrl-C
#   examples/run.sh --once    ends by itself after some 20 seconds, with a summary
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."

once=false
case $#:${1:-} in
  0:) ;;
  1:--once) once=true ;;
  *)
    sed -n '5,6s/^# \{0,3\}//p' examples/run.sh >&2
    exit 2
    ;;
esac

users=200
seed=1
pace=30    # seconds of the city's life in one of ours
minutes=10 # of the city's life that --once shows: 10 min at pace 30 are 20 s

echo "== installing"
.ci/setup.sh build

echo "== building (release)"
cmake --preset release -B build/examples \
  -D NEARBY_BUILD_TESTS=OFF -D NEARBY_BUILD_BENCHMARKS=OFF >/dev/null
cmake --build build/examples --parallel "${CMAKE_BUILD_PARALLEL_LEVEL:-$(nproc)}" --target echo_server phones
echo_server=build/examples/examples/echo_server/echo_server
phones=build/examples/examples/phones/phones

work=$(mktemp -d)
server_pid=""
# Ends the server as an operator would, and waits for it.
stop_server() {
  [[ -n $server_pid ]] || return 0
  kill -TERM "$server_pid" 2>/dev/null || true
  wait "$server_pid" || true
  server_pid=""
}
trap 'stop_server; rm -rf "$work"' EXIT

echo "== generating a city: $users people who have a phone"
"$phones" --city --users "$users" --seed "$seed" --write-friends "$work/friends.tsv"
(umask 077 && head -c 32 /dev/urandom | base64 >"$work/secret")

echo "== starting the echo server"
"$echo_server" --listen 127.0.0.1:0 --friends "$work/friends.tsv" --secret-file "$work/secret" \
  --calls-per-second 100 --drain-timeout 5 --drain-spread 1 >"$work/server.log" &
server_pid=$!
address=""
while [[ -z $address ]]; do
  kill -0 "$server_pid" || { echo "run.sh: the server did not start" >&2; exit 1; }
  address=$(sed -n 's/^listening on //p' "$work/server.log")
  [[ -n $address ]] || sleep 0.1
done
echo "it listens on $address"

echo "== $users phones walk around, $pace times as fast as life"
phones_options=(--server "$address" --secret-file "$work/secret" --city --users "$users" --seed "$seed" --pace "$pace")
if $once; then
  "$phones" "${phones_options[@]}" --minutes "$minutes"
  echo "== stopping the server (SIGTERM: it drains)"
  kill -TERM "$server_pid"
  wait "$server_pid"
  server_pid=""
  echo "== done"
else
  # Ctrl-C reaches the phones and the server alike: both end by themselves.
  trap 'stop_server; rm -rf "$work"; exit 0' INT
  "$phones" "${phones_options[@]}"
fi
