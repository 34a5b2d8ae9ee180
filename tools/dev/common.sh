# What the tasks share: messages, packages, libvips, the build. Sourced by ./dev, from the root.
# shellcheck shell=bash disable=SC2034

say() { printf '\033[1m%s\033[0m\n' "$*" >&2; }
die() {
  printf 'dev: %s\n' "$*" >&2
  exit 1
}

jobs_max=${IMGPROC_JOBS:-$(nproc)}

# Debian 12 and Ubuntu 24.04 differ in a few names: the first one that the system knows is taken.
packages_build=(
  g++ cmake ninja-build ccache ca-certificates libssl-dev libsqlite3-dev
  libpugixml-dev libminizip-dev zlib1g-dev
  libfmt-dev libcli11-dev "libboost1.81-dev|libboost1.83-dev"
)
# A Node.js from elsewhere brings its own npm, which Debian's package would conflict with.
command -v npm >/dev/null || packages_build+=(nodejs npm)
# The judge of the JPEG decoder of our own, for tests and fuzzers.
package_jpeg="libjpeg62-turbo-dev|libjpeg-turbo8-dev"
packages_package=(binutils python3 p7zip-full "libstdc++-12-pic|libstdc++-13-pic")
packages_test=(
  libgtest-dev libgmock-dev python3 python3-pytest python3-boto3 curl unzip
  libimage-exiftool-perl "$package_jpeg" "${packages_package[@]}"
)
# For the benchmark: Debian's Python is a peer, and wrk sends the load.
packages_bench=(python3 python3-pil python3-boto3 wrk)
packages_lint=(
  clang-19 clang-tidy-19 clang-format-19 libclang-rt-19-dev shellcheck python3
  "$package_jpeg"
)
# Better with it, but not needed: Ubuntu 24.04 has no awscli package.
packages_wish=(awscli)

is_installed() { # PACKAGE...: true if each is
  local states
  states=$(dpkg-query -W -f '${db:Status-Status}\n' "$@" 2>/dev/null) || return 1
  [[ $(grep -cx installed <<<"$states") -eq $# ]]
}

as_root() {
  if [[ $EUID -eq 0 ]]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    die "this needs root and there is no sudo; run as root: $*"
  fi
}

# run_logged NAME TEXT COMMAND...: the command's output goes to build/log/NAME.log; on a terminal
# the seconds are counted, and if it fails its last lines are shown.
run_logged() {
  local name=$1 text=$2 pid status=0 seconds=0
  shift 2
  mkdir -p build/log
  printf '%s' "$text" >&2
  [[ -t 2 ]] || echo >&2
  "$@" >"build/log/$name.log" 2>&1 &
  pid=$!
  if [[ -t 2 ]]; then
    while kill -0 "$pid" 2>/dev/null; do
      printf '\r%s  %ds ' "$text" "$seconds" >&2
      sleep 1
      seconds=$((seconds + 1))
    done
    echo >&2
  fi
  wait "$pid" || status=$?
  if [[ $status -ne 0 ]]; then
    tail -n 15 "build/log/$name.log" >&2
    printf 'dev: that failed; the whole output is in build/log/%s.log\n' "$name" >&2
  fi
  return "$status"
}

# install_packages NAME PACKAGE|ALTERNATIVE...: installs what is missing. Afterwards a stamp says
# that this list was seen, so that the next start does not ask again.
install_packages() {
  local name=$1 stamp missing=() wanted=() unknown=() entry alternative found
  shift
  stamp=build/.stamps/$name-$(printf '%s\n' "$@" | cksum | tr -d ' ')
  [[ -f $stamp ]] && return 0
  command -v dpkg-query >/dev/null ||
    die "this is not Debian or Ubuntu: install the equivalents of '$*' yourself, then touch $stamp"
  for entry in "$@"; do
    found=
    for alternative in ${entry//|/ }; do
      is_installed "$alternative" && found=1 && break
    done
    [[ $found ]] || missing+=("$entry")
  done
  if [[ ${#missing[@]} -gt 0 ]]; then
    run_logged apt-update "Looking for packages" as_root apt-get update ||
      say "The package lists could not be refreshed; going on with those that are here."
    for entry in "${missing[@]}"; do
      found=
      for alternative in ${entry//|/ }; do
        [[ $(apt-cache policy "$alternative" | sed -n 's/^ *Candidate: //p') =~ ^[0-9] ]] &&
          found=$alternative && break
      done
      if [[ $found ]]; then wanted+=("$found"); else unknown+=("$entry"); fi
    done
    [[ ${#unknown[@]} -eq 0 ]] ||
      die "these packages cannot be found in the system's package sources: ${unknown[*]}"
    run_logged apt-install "Installing ${#wanted[@]} packages: ${wanted[*]}" \
      as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
      "${wanted[@]}" || die "these packages could not be installed: ${wanted[*]}"
  fi
  mkdir -p build/.stamps
  touch "$stamp"
}

# Installs each package of the list that the system can have, and says which it cannot.
install_wishes() {
  local package
  for package in "$@"; do
    (install_packages "wish-$package" "$package") || say "Going on without $package."
  done
}

# True if node_modules holds the very versions that the lock file names.
libvips_is_current() {
  local dir=third_party/libvips arch package version
  case $(uname -m) in aarch64 | arm64) arch=arm64 ;; *) arch=x64 ;; esac
  for package in sharp-libvips-dev "sharp-libvips-linux-$arch"; do
    version=$(sed -n "/node_modules\/@img\/$package\"/,/}/s/.*\"version\": \"\(.*\)\".*/\1/p" \
      $dir/package-lock.json)
    grep -qs "\"version\": \"$version\"" "$dir/node_modules/@img/$package/package.json" || return 1
  done
}

# libvips with its codecs comes from npm, locked by integrity hashes.
fetch_libvips() {
  libvips_is_current && return 0
  command -v npm >/dev/null || die "npm is missing, which fetches libvips: install it and run again"
  (
    cd third_party/libvips
    root_relative_log=../../build/log/npm.log
    mkdir -p ../../build/log
    say "Fetching libvips"
    npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >"$root_relative_log" 2>&1
  ) || {
    tail -n 5 build/log/npm.log >&2
    die "libvips could not be fetched from npm (is the machine offline?); see build/log/npm.log"
  }
  libvips_is_current ||
    die "npm ran, but third_party/libvips/node_modules lacks libvips for $(uname -m)"
}

# configure PRESET [CMAKE ARGUMENT...]: runs cmake unless the tree was made with these arguments.
configure() {
  local preset=$1 stamp
  shift
  stamp="$(cksum <CMakePresets.json) $*"
  [[ -f build/$preset/build.ninja ]] &&
    [[ $(cat "build/$preset/.configured" 2>/dev/null) == "$stamp" ]] && return 0
  run_logged "cmake-$preset" "Configuring build/$preset" cmake --preset "$preset" "$@" ||
    die "cmake could not configure the preset '$preset'"
  printf '%s' "$stamp" >"build/$preset/.configured"
}

# ninja_build PRESET TARGET...
ninja_build() {
  local preset=$1
  shift
  ninja -C "build/$preset" -j "$jobs_max" "$@" >&2
}

# True if nothing that a program is made of is newer than its last complete build. Folders count,
# since their time changes when a file comes or goes.
programs_are_current() {
  local stamp=build/release/.programs-built
  [[ -x build/release/bin/imgproc && -f $stamp ]] || return 1
  [[ -z $(find src cmake CMakeLists.txt CMakePresets.json third_party/libvips/package-lock.json \
    -newer $stamp -print -quit) ]]
}

build_programs() {
  programs_are_current && return 0
  install_packages build "${packages_build[@]}"
  fetch_libvips
  # A tree that ./dev test has configured stays as it is.
  [[ -f build/release/build.ninja ]] || configure release
  local started
  started=$(mktemp build/.started.XXXXXX)
  say "Building the release programs (the first time takes some minutes)"
  ninja_build release programs || {
    rm -f "$started"
    die "the build failed; the first error above says why"
  }
  # Sources changed while it built count as newer.
  mv "$started" build/release/.programs-built
}

# The AWS CLI v2 that the conformance tests drive, unpacked into build/peers and not installed. It
# is for x86_64 only; without it those tests are skipped.
fetch_peers() {
  local stamp
  [[ $(uname -m) == x86_64 ]] || return 0
  stamp=build/.stamps/peers-$(cat tests/peers/{,clients/}package-lock.json | cksum | tr -d ' ')
  [[ -f $stamp ]] && return 0
  mkdir -p build/.stamps
  if run_logged peers "Fetching AWS's command line v2 for the tests" bash tests/peers/fetch.sh; then
    touch "$stamp"
  else
    say "Going on without AWS CLI v2: its tests are skipped."
  fi
}

# What the benchmark compares with. Without it bench_smoke is skipped.
fetch_bench_peers() {
  local stamp
  install_packages bench "${packages_bench[@]}"
  stamp=build/.stamps/bench-$(cat bench/peers/sharp/*.* | cksum | tr -d ' ')
  if [[ ! -f $stamp || ! -f build/bench/sharp/index.cjs ]]; then
    if run_logged bench-peers "Making the benchmark's function on Node.js" \
      bash bench/peers/fetch.sh; then
      touch "$stamp"
    else
      say "Going on without sharp."
    fi
  fi
  [[ -d build/peers/clients/node_modules ]] || run_logged peers \
    "Fetching the servers of the benchmark" bash tests/peers/fetch.sh ||
    say "Going on without s3rver and dynalite."
}
