# Sourced by run.sh: reads what the phones write down of what they see (phones --sights).
#
# Columns: 1 time, 2 phones online, 3 pairs in sight that should be, 4 of these on two servers, 5 missing, 6 in sight
# that should not be, 7 not where they were last, 8 left out, and then the phones on each server.

now() { echo "$EPOCHREALTIME"; }

# The first time after $1 from which on, for $2 seconds, every phone was online, saw what it should, and none was on
# server $3 (counted from 1; 0: on any); nothing if there is none yet. In seconds after $1.
settled_after() {
  awk -v since="$1" -v hold="$2" -v empty="$3" -v phones="$phones" '
    /^#/ || $1 < since { next }
    $2 != phones || $3 == 0 || $5 + $6 + $7 + $8 > 0 || (empty > 0 && $(8 + empty) > 0) { from = 0; next }
    { if (!from) from = $1 }
    $1 - from >= hold { printf "%.1f", from - since; exit }' "$work/sights"
}

# Waits for that; in `took` how long it was. Gives up after the patience.
await_settled() {
  local since=$1 empty=${2:-0} what=$3
  while true; do
    took=$(settled_after "$since" "$hold" "$empty")
    [[ -z $took ]] || return 0
    check_all_run
    awk -v since="$since" -v now="$(now)" -v most="$patience" 'BEGIN { exit now - since > most }' ||
      fail "$what: not after $patience s. The last that the phones saw:
$(head -n 1 "$work/sights"; tail -n 3 "$work/sights")"
    sleep 0.2
  done
}

# The most pairs at one time since $1 that were missing, wrong or not where they were last.
most_wrong_since() {
  awk -v since="$1" '/^#/ || $1 < since { next } $5 + $6 + $7 > most { most = $5 + $6 + $7 } END { print most + 0 }' \
    "$work/sights"
}

latest() { tail -n 1 "$work/sights" | cut -f "$1"; }

# Fails the show if $1 is more than $2 seconds, where times are claimed at all.
check_within() {
  $claims_times || return 0
  awk -v took="$1" -v most="$2" 'BEGIN { exit took > most }' || fail "$3 took $1 s, which is more than $2 s"
}
