# shellcheck shell=bash source=tools/dev/common.sh disable=SC2154
#: fuzz [SECONDS] [NAME]  run each fuzz target (or NAME) that long, 60 seconds by default, from its
#:                      corpus in fuzz/corpus; findings are kept in build/fuzz/findings
seconds=${1:-60}
only=${2:-}
install_packages build "${packages_build[@]}"
install_packages lint "${packages_lint[@]}"
fetch_libvips
[[ -f build/fuzz/build.ninja ]] || configure fuzz
target=${only:+${only}_fuzz}
ninja_build fuzz "${target:-fuzzers}"
mkdir -p build/fuzz/findings
failed=() count=0
for target in build/fuzz/bin/*_fuzz; do
  [[ -x $target ]] || continue
  name=$(basename "$target" _fuzz)
  [[ -z $only || $only == "$name" ]] || continue
  count=$((count + 1))
  # New inputs go to the first folder, so that the tree's own corpus stays as it is.
  mkdir -p "build/fuzz/corpus/$name"
  seeds=()
  [[ -d fuzz/corpus/$name ]] && seeds+=("fuzz/corpus/$name")
  if run_logged "fuzz-$name" "Fuzzing $name for $seconds s" "$target" -max_total_time="$seconds" \
    -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="build/fuzz/findings/$name-" "build/fuzz/corpus/$name" "${seeds[@]}"; then
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "build/log/fuzz-$name.log")
    echo "fuzz: $name: $runs runs, no finding"
  else
    failed+=("$name")
    echo "fuzz: $name: FAILED, see build/log/fuzz-$name.log and build/fuzz/findings"
  fi
done
[[ $count -gt 0 ]] || die "there is no fuzz target${only:+ named $only}"
[[ ${#failed[@]} -eq 0 ]] || die "fuzzing found something: ${failed[*]}"
