# shellcheck shell=bash source=tools/dev/common.sh disable=SC2154
#: run [OPTIONS]        build what is missing and start the local cloud (options of `imgproc local`)
build_programs
exec build/release/bin/imgproc local "$@"
