#!/usr/bin/env bash
# Fetches the arm64 development packages that a cross build links against, and unpacks them into a
# folder of their own. Needs no root and changes nothing in the system: apt gets its own lists.
# The C and C++ libraries come with Debian's cross compiler (g++-aarch64-linux-gnu).
#
# usage: arm64_sysroot.sh FOLDER
set -euo pipefail

target=$(mkdir -p "$1" && cd "$1" && pwd)
# The Boost that is installed here: Debian 12 and Ubuntu 24.04 have different ones.
boost=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' 'libboost1.*-dev' |
  sed -n 's/^installed libboost\(1[0-9.]*\)-dev/\1/p')
packages=(
  libssl-dev libpugixml-dev libfmt9 libfmt-dev libcli11-dev libsqlite3-dev libminizip-dev zlib1g-dev
  "libboost$boost-dev"
  libstdc++6 libgcc-s1 libc6
)
stamp=$target/.stamp-$(printf '%s\n' "${packages[@]}" | cksum | tr -d ' ')
[[ -f $stamp ]] && exit 0

apt=$target/apt
mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$target/deb"
touch "$apt/status"
options=(
  -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o Dir::State="$apt"
  -o Dir::State::status="$apt/status" -o Dir::Cache="$apt/cache" -o APT::Sandbox::User=
)
apt-get "${options[@]}" update
(cd "$target/deb" && apt-get "${options[@]}" download "${packages[@]}")
for file in "$target"/deb/*.deb; do dpkg-deb -x "$file" "$target"; done
rm -rf "$target/deb" "$apt"
touch "$stamp"
