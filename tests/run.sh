#!/usr/bin/env bash
# Installs what is missing, builds nearby and runs all of its tests and checks. The last line of the output is
# "N passed, N failed, N skipped"; the exit status is 0 if nothing failed.
#
#   tests/run.sh            everything
#   tests/run.sh --quick    one build (preset dev) and its tests
#
# NEARBY_DATA_DIR names a directory with the public data sets that some tests replay; without it those are skipped.
# CMAKE_BUILD_PARALLEL_LEVEL limits the number of jobs (default: one for each processor).
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."

quick=false
case $#:${1:-} in
  0:) ;;
  1:--quick) quick=true ;;
  *)
    sed -n '5,6s/^# \{0,3\}//p' tests/run.sh >&2
    exit 2
    ;;
esac

jobs=${CMAKE_BUILD_PARALLEL_LEVEL:-$(nproc)}
export CMAKE_BUILD_PARALLEL_LEVEL=$jobs
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
checks=$work/checks.tsv
: >"$checks"
reports=() # BUILD=JUNIT_XML of each build whose tests ran
coverage=""

announce() {
  printf '\n== %s\n' "$*"
}

# check NAME COMMAND...: runs a stage, notes how it ended, and fails as it did.
check() {
  local name=$1 start=$SECONDS
  shift
  if "$@"; then
    printf '%s\tpassed\n' "$name" >>"$checks"
    echo "-- $name: passed ($((SECONDS - start)) s)"
  else
    printf '%s\tfailed\n' "$name" >>"$checks"
    echo "-- $name: FAILED ($((SECONDS - start)) s)"
    return 1
  fi
}

# configure_and_build PRESET [CMAKE_ARGUMENT...]
configure_and_build() {
  cmake --preset "$@" && cmake --build --preset "$1"
}

# build PRESET [CMAKE_ARGUMENT...]
build() {
  announce "building (preset $1)"
  check "build $1" configure_and_build "$@"
}

# run_ctest PRESET: runs a build's tests. Each counts for itself, so that this notes a failure of its own only if ctest
# left no report.
run_ctest() {
  local preset=$1 start=$SECONDS
  local report=$PWD/build/$preset/junit.xml log=$PWD/build/$preset/ctest.log
  announce "testing (preset $preset)"
  rm -f "$report"
  if ctest --preset "$preset" --parallel "$jobs" --quiet --output-junit "$report" --output-log "$log"; then
    echo "-- tests of $preset: passed ($((SECONDS - start)) s)"
  else
    echo "-- tests of $preset: FAILED ($((SECONDS - start)) s; all output in ${log#"$PWD"/})"
    if [[ ! -f $report ]]; then
      tail -n 50 "$log"
      printf 'ctest %s\tfailed\n' "$preset" >>"$checks"
      return
    fi
    python3 .ci/summary.py failures "$report" || true
  fi
  reports+=("$preset=$report")
}

measure_coverage() {
  announce "measuring line coverage of src/"
  local build_dir=build/asan-ubsan-coverage
  local listing=$build_dir/coverage.txt
  # Threads lose each other's counts now and then, and gcov derives a negative one from them. Exact counters would make
  # the tests several times slower, for a figure to look at.
  if gcovr --gcov-ignore-parse-errors --root . --filter src/ --object-directory "$build_dir" -j "$jobs" \
    --print-summary --txt "$listing" "$build_dir/src" >"$work/coverage"; then
    coverage=$(sed -n 's/^lines: //p' "$work/coverage")
    cat "$listing"
  fi
  [[ -n $coverage ]]
}

# The checks of the dev build and of the source tree: each runs whatever became of the one before.
run_dev_checks() {
  announce "compiling each public header alone"
  check "header self-containment" \
    cmake --build --preset dev --target all_verify_interface_header_sets || true
  announce "linting src/ and include/ (clang-tidy)"
  check "clang-tidy" .ci/lint.sh tidy build/dev || true
  announce "building a host's project against nearby"
  local mode
  for mode in static shared pkg_config subdirectory fetch_content; do
    check "consumer, $mode" tests/consumer/run.sh "$mode" || true
  done
}

echo "nearby: installing what is missing, building, testing; all builds go to build/, with $jobs jobs"
if [[ -n ${NEARBY_DATA_DIR:-} ]]; then
  echo "nearby: data sets in $NEARBY_DATA_DIR"
else
  echo "nearby: NEARBY_DATA_DIR is not set: tests on public data sets will be skipped"
fi

announce "installing"
if ! .ci/setup.sh test; then
  echo "0 passed, 1 failed, 0 skipped"
  exit 1
fi

if ! $quick; then
  announce "checking the format (clang-format)"
  check "clang-format" .ci/lint.sh format || true
fi

if build dev; then
  run_ctest dev
  $quick || run_dev_checks
fi

if ! $quick; then
  # Sanitizers and coverage share a build: a third one would cost more than it tells.
  if build asan-ubsan-coverage; then
    # Counts add up from run to run.
    find build/asan-ubsan-coverage -name '*.gcda' -delete
    run_ctest asan-ubsan-coverage
    check "coverage" measure_coverage || true
  fi
  # Data races, in what runs on several threads.
  if build tsan; then
    run_ctest tsan
  fi
  # The library by the other compiler, and a short search for new inputs that break it.
  if build fuzz; then
    run_ctest fuzz
  fi
fi

announce "summary ($((SECONDS / 60)) min $((SECONDS % 60)) s)"
if [[ -n $coverage ]]; then
  echo "line coverage of src/: $coverage"
fi
python3 .ci/summary.py total "$checks" "${reports[@]}"
