# Sourced by run.sh: the processes of the show, which it starts, watches, and ends by their numbers.

declare -A pids=()  # by name: "redis-a", "echo-1"
declare -A ports=() # likewise; those of echo servers outlive them

fail() {
  echo "run.sh: $*" >&2
  exit 1
}

is_running() { [[ -n ${pids[$1]:-} ]] && kill -0 "${pids[$1]}" 2>/dev/null; }

# Waits for a process that has ended, or is about to; its exit status.
reap() {
  local name=$1 status=0
  wait "${pids[$name]}" 2>/dev/null || status=$?
  unset "pids[$name]"
  return "$status"
}

# As a power cut would end it.
kill_hard() {
  kill -KILL "${pids[$1]}"
  reap "$1" || true
}

# Nobody has died that was not meant to.
check_all_run() {
  local name
  for name in "${!pids[@]}"; do
    is_running "$name" || fail "$name has ended; $(tail -n 3 "$work/$name.err" 2>/dev/null)"
  done
}

stop_all() {
  local name
  for name in "${!pids[@]}"; do kill -TERM "${pids[$name]}" 2>/dev/null || true; done
  for _ in {1..50}; do
    for name in "${!pids[@]}"; do is_running "$name" || unset "pids[$name]"; done
    ((${#pids[@]} > 0)) || return 0
    sleep 0.1
  done
  for name in "${!pids[@]}"; do kill -KILL "${pids[$name]}" 2>/dev/null || true; done
}

# A redis-server without persistence, on any free port.
start_redis() {
  local name=$1 log="$work/$1.log"
  for _ in {1..20}; do
    ports[$name]=$((20000 + RANDOM % 12000))
    : >"$log"
    redis-server --bind 127.0.0.1 --port "${ports[$name]}" --dir "$work" --save "" --appendonly no \
      --daemonize no --maxmemory-policy noeviction --logfile "$log" >/dev/null 2>"$work/$name.err" &
    pids[$name]=$!
    while is_running "$name"; do
      grep -q "Ready to accept connections" "$log" && return 0
      sleep 0.05
    done
    reap "$name" || true # somebody else has the port
  done
  fail "redis-server does not start: $(tail -n 3 "$log")"
}

# An echo server that is node $1; on its port of before, if it had one.
start_echo_server() {
  local node=$1 name="echo-$1" log="$work/echo-$1.out"
  : >"$log"
  "$echo_server" --listen "127.0.0.1:${ports[$name]:-0}" --threads 1 --secret-file "$work/secret" \
    --db "$work/friends.db" --calls-per-second 100 --drain-timeout 60 --drain-spread "$drain_spread" \
    --node "$node" --redis-ring "$work/ring" --redis-directory "127.0.0.1:${ports[redis-a]}" \
    --redis-locations "127.0.0.1:${ports[redis-b]}" --lease-s "$lease" --report-interval-s "$interval" \
    >"$log" 2>>"$work/$name.err" &
  pids[$name]=$!
  until grep -q '^listening on ' "$log"; do
    is_running "$name" || fail "$name does not start: $(tail -n 3 "$work/$name.err")"
    sleep 0.05
  done
  ports[$name]=$(sed -n 's/^listening on .*://p' "$log")
}
