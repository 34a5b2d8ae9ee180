# shellcheck shell=bash source=tools/dev/common.sh disable=SC2154
#: test [quick|all|NAME]  build release and run its tests: quick = without the long ones, NAME = a
#:                        pattern of ctest's names (./dev test s3); all is the default
what=${1:-all}
install_packages build "${packages_build[@]}"
install_packages test "${packages_test[@]}"
install_wishes "${packages_wish[@]}"
fetch_peers
fetch_bench_peers
fetch_libvips
configure release -DIMGPROC_TESTS=ON
ninja_build release all
arguments=(--test-dir build/release --output-on-failure --no-tests=error -j "$jobs_max")
case $what in
  quick) arguments+=(-LE 'long') ;;
  all) ;;
  *) arguments+=(-R "$what") ;;
esac
ctest "${arguments[@]}"
