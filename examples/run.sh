#!/usr/bin/env bash
# Installs what is missing, builds the examples and replays the life of a generated city, with a live table of who is near
# whom.
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

users=2000
seed=1
pace=30   # seconds of the city's life in one of ours
minutes=10 # of the city's life that --once shows: 10 min at pace 30 are 20 s

echo "== installing"
.ci/setup.sh build

echo "== building (release)"
cmake --preset release -B build/examples \
  -D NEARBY_BUILD_TESTS=OFF -D NEARBY_BUILD_BENCHMARKS=OFF >/dev/null
cmake --build build/examples --parallel "${CMAKE_BUILD_PARALLEL_LEVEL:-$(nproc)}" \
  --target nearby_replay make_trace
programs=build/examples/examples/replay

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
friends=$work/friends.tsv
trace=$work/trace.tsv

# make_city MINUTES FRIENDS TRACE: 0 minutes never end. The seed alone decides who is whose friend.
make_city() {
  "$programs/make_trace" --city --users "$users" --seed "$seed" --minutes "$1" --friends "$2" --trace "$3"
}

if $once; then
  echo "== generating a city: $users users, $minutes minutes"
  make_city "$minutes" "$friends" "$trace"
  echo "== replaying it, $pace times as fast as life"
  "$programs/nearby_replay" --friends "$friends" --trace "$trace" --live --pace "$pace"
  echo "== done"
else
  echo "== generating a city of $users users and replaying it, $pace times as fast as life, until Ctrl-C"
  # The replay reads all friendships before the first report: they are written ahead of the endless trace.
  make_city 1 "$friends" /dev/null
  trap 'exit 0' INT
  make_city 0 /dev/null - |
    "$programs/nearby_replay" --friends "$friends" --trace - --live --pace "$pace"
fi
