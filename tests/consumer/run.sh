#!/usr/bin/env bash
# Builds and runs a host's project against nearby: as an installed package, static and shared, and as a subproject.
#
#   tests/consumer/run.sh MODE [BUILD_DIR]
#
#   static         installs from BUILD_DIR (default build/dev), which must have been built without BUILD_SHARED_LIBS
#   shared         builds nearby as a shared library first
#   subdirectory   add_subdirectory()
#   fetch_content  FetchContent with a local source tree
#   pkg_config     installs from BUILD_DIR as static does; without CMake
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

usage() {
  sed -n '4,10s/^# \{0,3\}//p' "${BASH_SOURCE[0]}" >&2
  exit 2
}
[[ $# -ge 1 && $# -le 2 ]] || usage
mode=$1

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Runs quietly, and shows what was printed only if it went wrong.
quietly() {
  if ! "$@" >"$work/log" 2>&1; then
    cat "$work/log"
    echo "consumer ($mode): failed: $*" >&2
    exit 1
  fi
}

# What is tested is that everything is found, not how fast it runs.
quick=(-D CMAKE_BUILD_TYPE=Debug -D CMAKE_CXX_FLAGS_DEBUG=-O0)

# As a subproject nearby leaves ccache to its parent.
if command -v ccache >/dev/null; then
  export CMAKE_CXX_COMPILER_LAUNCHER=ccache
fi

# An installed tree must not remember where it was made.
install_and_move() {
  quietly cmake --install "$1" --prefix "$work/first"
  mv "$work/first" "$work/prefix"
  if grep --recursive --files-with-matches --fixed-strings -e "$root" -e "$work/first" \
    --include '*.cmake' "$work/prefix"; then
    echo "consumer ($mode): the installed package names the directory it was made in" >&2
    exit 1
  fi
}

build_consumer() {
  quietly cmake -S "$root/tests/consumer" -B "$work/consumer" -G Ninja "${quick[@]}" "$@"
  quietly cmake --build "$work/consumer"
  quietly ctest --test-dir "$work/consumer" --no-tests=error --output-on-failure
}

# A shared library shows what its headers mark, and none of the inside.
check_visibility() {
  local library shown libraries=0
  for library in $(find "$work/prefix" -name 'libnearby_*.so'); do
    libraries=$((libraries + 1))
    shown=$(nm --dynamic --defined-only --demangle "$library" |
      grep -E ' [TDBRWV] ' |
      grep -E 'nearby::(internal|Engine::Impl|Runtime::Impl|Cluster::Impl|wire)|google::protobuf' || true)
    if [[ -n $shown ]]; then
      printf 'consumer (%s): %s shows what it should hide:\n%s\n' "$mode" "${library##*/}" "$shown" >&2
      exit 1
    fi
  done
  if [[ $libraries -ne 5 ]]; then
    echo "consumer ($mode): $libraries shared libraries are installed, not 5" >&2
    exit 1
  fi
}

use_pkg_config_files() {
  PKG_CONFIG_PATH=$(dirname "$(find "$work/prefix" -name nearby-core.pc)")
  export PKG_CONFIG_PATH
}

# A host may be a plug-in: all of every static component in one shared library, with nothing left to be found.
link_into_shared_library() {
  local archives
  mapfile -t archives < <(find "$work/prefix" -name 'libnearby_*.a')
  use_pkg_config_files
  # shellcheck disable=SC2046
  quietly g++ -shared -o "$work/plugin.so" -Wl,--no-undefined \
    -Wl,--whole-archive "${archives[@]}" -Wl,--no-whole-archive \
    $(pkg-config --static --libs nearby-cluster nearby-testing)
}

# Every component by pkg-config alone.
build_with_pkg_config() {
  local component
  use_pkg_config_files
  for component in core wire runtime cluster testing; do
    # The flags are words of their own.
    # shellcheck disable=SC2046
    quietly g++ -std=c++17 -O1 "$root/tests/consumer/$component.cc" -o "$work/$component" \
      $(pkg-config --static --cflags --libs "nearby-$component")
    quietly "$work/$component"
  done
}

case $mode in
  static)
    install_and_move "${2:-$root/build/dev}"
    build_consumer -D "CMAKE_PREFIX_PATH=$work/prefix"
    # One component, and no word of the others' dependencies.
    rm -r "$work/consumer"
    build_consumer -D "CMAKE_PREFIX_PATH=$work/prefix" -D NEARBY_CONSUMER_COMPONENTS=core \
      -D CMAKE_DISABLE_FIND_PACKAGE_Protobuf=ON
    link_into_shared_library
    ;;
  pkg_config)
    install_and_move "${2:-$root/build/dev}"
    build_with_pkg_config
    ;;
  shared)
    # As a subproject, so that the mode subdirectory finds the same objects in ccache.
    quietly cmake -S "$root/tests/consumer" -B "$work/shared" -G Ninja "${quick[@]}" \
      -D NEARBY_CONSUMER_MODE=subdirectory -D "NEARBY_SOURCE_DIR=$root" \
      -D BUILD_SHARED_LIBS=ON -D NEARBY_INSTALL=ON
    quietly cmake --build "$work/shared"
    install_and_move "$work/shared"
    check_visibility
    # Another standard than the library's own: its headers must read the same under both.
    build_consumer -D "CMAKE_PREFIX_PATH=$work/prefix" -D CMAKE_CXX_STANDARD=20
    ;;
  subdirectory | fetch_content)
    build_consumer -D "NEARBY_CONSUMER_MODE=$mode" -D "NEARBY_SOURCE_DIR=$root"
    ;;
  *) usage ;;
esac
echo "consumer ($mode): ok"
