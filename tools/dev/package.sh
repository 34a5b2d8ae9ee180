# shellcheck shell=bash source=tools/dev/common.sh disable=SC2154
#: package [ARCH]       make dist/imgproc-lambda-x86_64.zip and -arm64.zip (or one of them), the
#:                      packages of the Lambda function, and check what they need
architectures=("${1:-x86_64}")
[[ $# -eq 0 ]] && architectures=(x86_64 arm64)
version=$(sed -n 's/^project(.* VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)

# Components of Debian whose code is in the package: name, package, licence.
components=(
  "glibc libc6 LGPL-2.1-or-later"
  "gcc libgcc-s1 GPL-3.0-or-later-with-GCC-exception-3.1"
  "openssl libssl-dev Apache-2.0"
  "boost libboost1.81-dev|libboost1.83-dev BSL-1.0"
  "fmtlib libfmt-dev MIT"
)

# Writes FOLDER/debian.tsv, and the licence texts beside it. Licences are those of this machine's
# packages also for arm64: both are built from the same sources.
list_components() { # FOLDER
  local entry name package licence candidate text
  mkdir -p "$1"
  : >"$1/debian.tsv"
  for entry in "${components[@]}"; do
    read -r name package licence <<<"$entry"
    for candidate in ${package//|/ }; do
      is_installed "$candidate" && package=$candidate && break
    done
    text=/usr/share/doc/$package/copyright
    # Boost's file names two thousand authors; what it asks for is the licence.
    if [[ $name == boost ]]; then
      sed -n '/^License: BSL-1.0$/,/^$/p' "$text" >"$1/boost.txt"
      text=$1/boost.txt
    fi
    printf '%s\t%s\t%s\t%s\n' "$name" "$(dpkg-query -W -f '${Version}' "$package")" "$licence" \
      "$text" >>"$1/debian.tsv"
  done
}

# The tree that the programs for an architecture are built in: for this machine's own, the one that
# everything else uses.
configure_for() { # ARCH
  if [[ $1 == x86_64 ]]; then
    [[ -f build/release/build.ninja ]] || configure release
    return
  fi
  run_logged cmake-arm64 "Configuring build/release-arm64" cmake --preset release \
    -B build/release-arm64 -DCMAKE_TOOLCHAIN_FILE="$PWD/cmake/aarch64-linux-gnu.cmake" \
    -DIMGPROC_SYSROOT="$PWD/build/sysroot-arm64" || die "cmake could not configure the cross build"
}

package_for() { # ARCH
  local arch=$1 folder=build/package-$1 tree=build/release vips compiler=g++ libraries
  if [[ $arch == arm64 && $(uname -m) == x86_64 ]]; then
    install_packages cross g++-aarch64-linux-gnu \
      "libstdc++-12-pic-arm64-cross|libstdc++-13-pic-arm64-cross"
    run_logged sysroot-arm64 "Fetching libraries for arm64" \
      packaging/arm64_sysroot.sh build/sysroot-arm64 ||
      die "the libraries for arm64 could not be fetched"
    run_logged libvips-arm64 "Fetching libvips for arm64" packaging/fetch_libvips_arm64.py ||
      die "libvips for arm64 could not be fetched"
    tree=build/release-arm64
    compiler=aarch64-linux-gnu-g++
    vips=third_party/libvips/node_modules/@img/sharp-libvips-linux-arm64
    libraries=(build/sysroot-arm64/lib/aarch64-linux-gnu
      build/sysroot-arm64/usr/lib/aarch64-linux-gnu)
  elif [[ $arch == x86_64 && $(uname -m) == x86_64 ]]; then
    vips=third_party/libvips/node_modules/@img/sharp-libvips-linux-x64
    libraries=(/lib/x86_64-linux-gnu /usr/lib/x86_64-linux-gnu)
  else
    die "packages are made on x86_64; this is $(uname -m)"
  fi
  configure_for "$arch"
  say "Building bootstrap and decoder for $arch"
  ninja -C "$tree" -j "$jobs_max" bootstrap_static decoder >&2
  list_components "$folder"
  python3 packaging/reduce_libraries.py --compiler "$compiler" --output "$folder/reduced" \
    "$tree/bin/decoder" "$vips"/lib/libvips-cpp.so.*
  python3 packaging/make_package.py --arch "$arch" \
    --bootstrap "$tree/bin/bootstrap_static" --decoder "$tree/bin/decoder" \
    --vips "$vips" --libraries "$folder/reduced" "${libraries[@]}" \
    --debian "$folder/debian.tsv" --version "$version" --output "dist/imgproc-lambda-$arch.zip"
  python3 packaging/check_package.py "dist/imgproc-lambda-$arch.zip"
}

install_packages build "${packages_build[@]}"
install_packages package "${packages_package[@]}"
fetch_libvips
for architecture in "${architectures[@]}"; do package_for "$architecture"; done
