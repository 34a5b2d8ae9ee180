# shellcheck shell=bash source=tools/dev/common.sh disable=SC2154
#: build [PRESET]       build everything of a CMake preset: release (the default), dev, asan, tsan,
#:                      clang, sanitized, fuzz
preset=${1:-release}
install_packages build "${packages_build[@]}"
fetch_libvips
case $preset in
  release)
    build_programs
    exit
    ;;
  clang | sanitized | fuzz) install_packages lint "${packages_lint[@]}" ;;&
  dev | asan | tsan | clang | sanitized | fuzz) install_packages test "${packages_test[@]}" ;;
  *) die "there is no preset '$preset'; CMakePresets.json names them" ;;
esac
configure "$preset"
ninja_build "$preset" all
