#!/usr/bin/env bash
# Installs what is missing, builds, and shows a cluster on this machine: three echo servers and three Redis servers, and
# phones that walk about on all of them and see each other. One Redis server is killed and replaced; one echo server
# stands still for a while, one is drained and started again, one killed. After each step every phone's friends in sight
# are compared with brute force. Ends by itself; the exit status is 0 if all of it was shown.
#
#   examples/cluster/run.sh [options]
#     --phones N      how many (300)
#     --pace X        how many times as fast as life: phones report every 25 to 35 seconds of life (10)
#     --programs DIR  takes echo_server and phones from there, and installs and builds nothing
#     --patience X    claims nothing about times; a step fails after X seconds
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."

phones=300
pace=10
programs=""
patience=60
claims_times=true
while (($# > 0)); do
  [[ $# -ge 2 ]] || { sed -n '7,11s/^# \{0,1\}//p' examples/cluster/run.sh >&2; exit 2; }
  case $1 in
    --phones) phones=$2 ;;
    --pace) pace=$2 ;;
    --programs) programs=$2 ;;
    --patience) patience=$2 claims_times=false ;;
    *) echo "run.sh: no such option: $1" >&2; exit 2 ;;
  esac
  shift 2
done

seed=1
lease=3                                                              # seconds
drain_spread=3                                                       # seconds
hold=1                                                               # seconds for which all must be right
grace=1                                                              # seconds for which news may be under way
interval=$(awk -v pace="$pace" 'BEGIN { printf "%.2f", 30 / pace }') # between reports, on average
# The longest time between two reports, and what may be under way then.
one_interval=$(awk -v pace="$pace" -v grace="$grace" 'BEGIN { printf "%.2f", 35 / pace + grace }')

. examples/cluster/processes.sh
. examples/cluster/sights.sh

step() { printf '\n== %s\n' "$*"; }
shown() { printf '   ok: %s\n' "$*"; }

build() {
  if [[ -z $programs ]]; then
    step "installing and building (release)"
    .ci/setup.sh cluster
    cmake --preset release -B build/examples -D NEARBY_BUILD_TESTS=OFF -D NEARBY_BUILD_BENCHMARKS=OFF >/dev/null
    cmake --build build/examples --parallel "${CMAKE_BUILD_PARALLEL_LEVEL:-$(nproc)}" --target echo_server phones
    echo_server=build/examples/examples/echo_server/echo_server
    phones_program=build/examples/examples/phones/phones
  else
    echo_server=$programs/echo_server/echo_server
    phones_program=$programs/phones/phones
  fi
  command -v redis-server >/dev/null || fail "redis-server is not installed"
}

# Version $1 of the ring, with the servers named behind it on the seats a, b and c. Nodes see the old file or the new
# one and nothing in between.
write_ring() {
  local version=$1 seats=(a b c) i
  shift
  {
    echo "version $version"
    for i in 0 1 2; do echo "seat ${seats[i]} 100 127.0.0.1:${ports[${*:i+1:1}]}"; done
  } >"$work/ring.new"
  mv "$work/ring.new" "$work/ring"
}

start_cluster() {
  step "three Redis servers, three echo servers"
  local name
  for name in redis-a redis-b redis-c; do start_redis "$name"; done
  write_ring 1 redis-a redis-b redis-c
  "$phones_program" --city --users "$phones" --seed "$seed" --write-friends "$work/friends.tsv"
  (umask 077 && head -c 32 /dev/urandom | base64 >"$work/secret")
  "$echo_server" import --friends "$work/friends.tsv" --db "$work/friends.db"
  for name in 1 2 3; do start_echo_server "$name"; done
  echo "   Redis on ports ${ports[redis-a]}, ${ports[redis-b]}, ${ports[redis-c]}: each carries a third of the" \
    "channels; the first has the session directory, the second the locations"
  echo "   echo servers on ports ${ports[echo-1]}, ${ports[echo-2]}, ${ports[echo-3]}; friendships in one SQLite file"
}

start_phones() {
  step "$phones phones, each on one server by chance; each reports every $interval s"
  local since
  since=$(now)
  "$phones_program" --city --users "$phones" --seed "$seed" --pace "$pace" --once --secret-file "$work/secret" \
    --servers "127.0.0.1:${ports[echo-1]},127.0.0.1:${ports[echo-2]},127.0.0.1:${ports[echo-3]}" \
    --patience-s "$patience" --sights "$work/sights" --grace-s "$grace" >"$work/phones.out" 2>"$work/phones.err" &
  pids[phones]=$!
  until [[ -s $work/sights ]]; do
    check_all_run
    sleep 0.1
  done
  await_settled "$since" 0 "phones on three servers see each other"
  (($(latest 9) > 0 && $(latest 10) > 0 && $(latest 11) > 0 && $(latest 4) > 0)) || fail "phones are not on all servers"
  shown "$(latest 9), $(latest 10) and $(latest 11) phones see $(latest 3) friends, as brute force says," \
    "$(latest 4) of them across servers"
}

replace_redis() {
  step "kill -9 of the third Redis server, under the phones"
  local since ring_since
  since=$(now)
  kill_hard redis-c
  sleep "$(awk -v interval="$interval" 'BEGIN { print 2 * interval }')"
  check_all_run
  (($(most_wrong_since "$since") > 0)) || fail "nobody missed the Redis server"
  shown "nothing else ends; up to $(most_wrong_since "$since") friends at a time are not where they are shown"

  start_redis redis-d
  ring_since=$(now)
  write_ring 2 redis-a redis-b redis-d
  await_settled "$ring_since" 0 "with another Redis server every phone sees its friends"
  check_within "$took" "$one_interval" "seeing everybody again"
  shown "another Redis server on its seat, by a new ring file: all $(latest 3) friends in sight and up to date" \
    "after $took s"
}

freeze_server() {
  step "the second echo server stands still for longer than its lease of $lease s"
  local since moved
  moved=$(latest 10)
  kill -STOP "${pids[echo-2]}"
  sleep "$((lease + 2))"
  since=$(now)
  kill -CONT "${pids[echo-2]}"
  await_settled "$since" 2 "after the standstill every phone is back elsewhere"
  check_within "$took" "$one_interval" "seeing everybody after the standstill"
  shown "it has sent its $moved phones to the others, where $(latest 9) and $(latest 11) phones see $(latest 3)" \
    "friends, $took s after it went on"
}

drain_server() {
  step "SIGTERM for the third echo server: it drains"
  local since moved left
  moved=$(latest 11)
  since=$(now)
  kill -TERM "${pids[echo-3]}"
  while is_running echo-3; do
    awk -v since="$since" -v now="$(now)" -v most="$patience" 'BEGIN { exit now - since > most }' ||
      fail "the drained server has not ended after $patience s"
    sleep 0.05
  done
  left=$(now)
  reap echo-3 || fail "the drained server ended with status $?; $(tail -n 3 "$work/echo-3.err")"
  shown "its $moved phones have moved, and it has ended by itself," \
    "after $(awk -v since="$since" -v left="$left" 'BEGIN { printf "%.1f", left - since }') s"
  await_settled "$left" 3 "after the drain every phone is back elsewhere"
  check_within "$took" "$one_interval" "seeing everybody after the drain"
  shown "$(latest 9) and $(latest 10) phones see $(latest 3) friends, as they should, $took s later"
}

kill_server() {
  step "the third echo server again; kill -9 of the first"
  local since moved
  start_echo_server 3
  moved=$(latest 9)
  since=$(now)
  kill_hard echo-1
  await_settled "$since" 1 "after the kill every phone is back elsewhere"
  check_within "$took" "$(awk -v lease="$lease" -v most="$one_interval" 'BEGIN { print lease + most }')" \
    "seeing everybody after the kill"
  (($(latest 11) > 0)) || fail "nobody is on the server that came back"
  shown "its $moved phones are back on the others after $took s (its lease is $lease s):" \
    "$(latest 10) and $(latest 11) phones see $(latest 3) friends, $(latest 4) across servers"
}

end_show() {
  step "everybody hangs up"
  local name
  kill -TERM "${pids[phones]}"
  reap phones || fail "the phones complain: $(cat "$work/phones.err")"
  sed 's/^/   /' "$work/phones.err"
  for name in echo-2 echo-3; do
    kill -TERM "${pids[$name]}"
    reap "$name" || fail "$name ended with status $?; $(tail -n 3 "$work/$name.err")"
  done
  ! grep -h Sanitizer "$work"/*.err || fail "a sanitizer has found something"
  shown "no server told a phone anything that it must not; the echo servers have ended by themselves"
}

build
work=$(mktemp -d)
trap 'stop_all; rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
start_cluster
start_phones
replace_redis
freeze_server
drain_server
kill_server
end_show
printf '\n== all of it was shown, in %d s\n' "$SECONDS"
