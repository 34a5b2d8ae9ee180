# shellcheck shell=bash source=tools/dev/common.sh disable=SC2154
#: fmt                  format the C++ sources in place
install_packages lint "${packages_lint[@]}"
git ls-files -z --cached --others --exclude-standard '*.h' '*.cc' |
  xargs -0 -r -n 20 -P "$jobs_max" clang-format-19 -i
