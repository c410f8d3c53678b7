#!/usr/bin/env bash
# Installs the packages that nearby is built and tested with, those that are missing and no others.
#
#   .ci/setup.sh build    what the library and its examples need (the default)
#   .ci/setup.sh cluster  that, and what examples/cluster runs
#   .ci/setup.sh test     what the library and its examples need, and what the tests, benchmarks and checks need
#   .ci/setup.sh peers    what the library needs, and what benchmarks/peers compares it with
#
# Debian and its derivatives, as root. Anywhere else it says what is missing and fails; where you have brought everything
# in by other means, NEARBY_SKIP_SETUP=1 passes over it.
set -euo pipefail

build_packages=(
  ccache
  cmake
  g++
  libabsl-dev
  libboost-dev
  libhiredis-dev
  libprotobuf-dev
  libsqlite3-dev
  libssl-dev
  libxxhash-dev
  ninja-build
  protobuf-compiler
  zlib1g-dev
)
cluster_packages=(
  "${build_packages[@]}"
  redis-server
)
test_packages=(
  "${build_packages[@]}"
  clang
  clang-format
  clang-tidy
  gcovr
  libbenchmark-dev
  libclang-rt-dev # clang's sanitizer runtimes and libFuzzer
  libgmock-dev
  libgtest-dev
  pkg-config
  python3
  python3-protobuf
  python3-websockets
  python3-xxhash
  redis-server
)

peers_packages=(
  "${build_packages[@]}"
  erlang-base
  nats-server
  python3
  redis-server
)

usage() {
  echo "usage: $0 [build|cluster|test|peers]" >&2
  exit 2
}

[[ $# -le 1 ]] || usage
set_name=${1:-build}
case $set_name in
  build) packages=("${build_packages[@]}") ;;
  cluster) packages=("${cluster_packages[@]}") ;;
  test) packages=("${test_packages[@]}") ;;
  peers) packages=("${peers_packages[@]}") ;;
  *) usage ;;
esac

if [[ -n ${NEARBY_SKIP_SETUP:-} ]]; then
  echo "setup: NEARBY_SKIP_SETUP is set: taking it that everything is there"
  exit 0
fi

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  {
    echo "setup: this is not Debian or a derivative, so nothing can be checked or installed here."
    echo "setup: install your system's counterparts of these Debian packages:"
    printf '  %s\n' "${packages[@]}"
    echo "setup: then run this again with NEARBY_SKIP_SETUP=1."
  } >&2
  exit 1
fi

is_installed() {
  [[ $(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

missing=()
for package in "${packages[@]}"; do
  is_installed "$package" || missing+=("$package")
done

if [[ ${#missing[@]} -eq 0 ]]; then
  echo "setup: all ${#packages[@]} packages of the $set_name set are installed"
  exit 0
fi

echo "setup: missing from the $set_name set: ${missing[*]}"
if [[ $(id -u) -ne 0 ]]; then
  {
    echo "setup: only root can install them. Run:"
    echo "  sudo apt-get update && sudo apt-get install --no-install-recommends ${missing[*]}"
  } >&2
  exit 1
fi

export DEBIAN_FRONTEND=noninteractive
# Wait for another apt that holds the lock rather than fail.
apt=(apt-get --quiet --quiet --option DPkg::Lock::Timeout=300 --option Acquire::Retries=3)

echo "setup: updating the package lists"
"${apt[@]}" update || echo "setup: the update failed in part; trying to install all the same" >&2

echo "setup: installing ${#missing[@]} packages and what they depend on"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! "${apt[@]}" install --yes --no-install-recommends "${missing[@]}" >"$log" 2>&1; then
  cat "$log" >&2
  echo "setup: apt-get could not install them" >&2
  exit 1
fi
echo "setup: done"
