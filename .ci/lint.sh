#!/usr/bin/env bash
# The checks that read the code without running it.
#
#   .ci/lint.sh format [--fix]      clang-format over all C++ code
#   .ci/lint.sh tidy [BUILD_DIR]    clang-tidy over src/ and the headers it includes, with the compile commands of
#                                   BUILD_DIR (default build/dev)
#   .ci/lint.sh analyze [BUILD_DIR] the same with clang's static analyzer, which takes as long again
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage() {
  sed -n '4,7s/^# \{0,3\}//p' .ci/lint.sh >&2
  exit 2
}

check_format() {
  local mode=(--dry-run -Werror)
  if [[ ${1:-} == --fix ]]; then
    mode=(-i)
  fi
  find include src tests examples benchmarks \( -name '*.h' -o -name '*.cc' \) -print0 |
    sort -z | xargs -0 clang-format --style=file "${mode[@]}"
}

tidy_one() {
  local checks=$1 build_dir=$2 file=$3 output
  # The compile commands are g++'s: clang need not know every warning they name, and has one of its own that
  # src/build_settings.cmake turns off.
  if output=$(clang-tidy --quiet --checks="$checks" -p "$build_dir" --extra-arg=-Wno-unknown-warning-option \
    --extra-arg=-Wno-bitwise-instead-of-logical "$file" 2>&1); then
    echo "tidy: $file"
  else
    # "N warnings generated" counts those that were suppressed.
    printf 'tidy: %s\n%s\n' "$file" "$(sed '/^[0-9]* warnings\{0,1\} generated\.$/d' <<<"$output")"
    return 1
  fi
}

# check_tidy CHECKS [BUILD_DIR]: CHECKS are added to those of .clang-tidy.
check_tidy() {
  local checks=$1 build_dir=${2:-build/dev}
  if [[ ! -f $build_dir/compile_commands.json ]]; then
    echo "lint: no $build_dir/compile_commands.json; configure first: cmake --preset dev" >&2
    return 1
  fi
  local file unlisted=0
  while IFS= read -r file; do
    if ! grep --quiet --fixed-strings "\"$PWD/$file\"" "$build_dir/compile_commands.json"; then
      echo "lint: $file is compiled by no target: name it in src/CMakeLists.txt" >&2
      unlisted=1
    fi
  done < <(find src -name '*.cc')
  [[ $unlisted -eq 0 ]] || return 1

  export -f tidy_one
  # The script is for the inner shell to expand.
  # shellcheck disable=SC2016
  find src -name '*.cc' -print0 | sort -z |
    xargs -0 -n 1 -P "$(nproc)" bash -c 'tidy_one "$@"' tidy_one "$checks" "$build_dir"
}

case ${1:-} in
  format) check_format "${@:2}" ;;
  tidy) check_tidy "" "${@:2}" ;;
  analyze) check_tidy "clang-analyzer-*" "${@:2}" ;;
  *) usage ;;
esac
