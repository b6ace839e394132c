#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The scripts that prepare a machine say how they are used, and begin nothing where they are
# used wrongly; test programs refuse what they do not take. usage_test.sh TOP TEST-PROGRAM
# shellcheck disable=SC2317  # the steps are called by check
set -u
top=$1 program=$2
suite=usage
# shellcheck source=tests/unit/check.sh
. "$(dirname "$0")/check.sh"

# helps COMMAND...: on stdout alone.
helps() {
	timeout 60 "$@" >"$work/out" 2>"$work/err" || return 1
	cat "$work/out" "$work/err"
	grep -q '^usage: ' "$work/out" && [[ ! -s $work/err ]]
}

# refuses WORDS COMMAND...: with status 2, a line on stderr and nothing else.
refuses() {
	local words=$1 status=0
	shift
	timeout 60 "$@" >"$work/out" 2>"$work/err" || status=$?
	cat "$work/out" "$work/err"
	[[ $status == 2 && ! -s $work/out && $(wc -l <"$work/err") == 1 ]] && grep -q -- "$words" "$work/err"
}

check "tools/deps --help" helps "$top/tools/deps" --help
check "tools/deps refuses what it does not know" refuses "unknown option '--banana'" "$top/tools/deps" --banana
check "tools/kernels --help" helps "$top/tools/kernels" --help
check "tools/kernels refuses what it does not know" refuses "no '--banana'" "$top/tools/kernels" --banana
check "tools/test.d/build --help" helps "$top/tools/test.d/build" --help
check "tools/test.d/build needs a kind and a folder" refuses "gcc|clang|san FOLDER" "$top/tools/test.d/build"
check "tools/test.d/build needs a folder" refuses "gcc|clang|san FOLDER" "$top/tools/test.d/build" gcc
check "tools/test.d/build knows its kinds" refuses "not 'tcc'" "$top/tools/test.d/build" tcc "$work/none"
check "a test program --help" helps "$program" --help
check "a test program refuses an option it does not know" refuses "seed N" "$program" --sead 7
check "a test program refuses a seed that is none" refuses "seed N" "$program" --seed seven
check "a test program refuses a word too many" refuses "seed N" "$program" --seed 7 8
finish
