#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Every kernel that is shipped as a source makes what its reference in C makes.
# shipped_test.sh WIREMILL REFERENCE KERNELS
# shellcheck disable=SC2317  # the steps are called by check
set -u
wiremill=$1 reference=$2 kernels=$3
suite='kernels shipped'
# shellcheck source=tests/unit/check.sh
. "$(dirname "$0")/../../check.sh"

# same NAME [PARAM=VALUE...]: values as the reference takes them, all or none.
same() {
	local name=$1 setting options=() values=()
	shift
	for setting in "$@"; do
		options+=(--param "$setting")
		values+=("${setting#*=}")
	done
	if (($# == 0)); then
		mapfile -t values < <(sed -n 's,^//!PARAM [^ ]* [^ ]* \([^ ]*\) .*,\1,p' \
			"$kernels/$name/$name.glsl")
	fi
	timeout 300 "$wiremill" kernel check "$kernels/$name/$name.glsl" "${options[@]}" \
		--reference "$reference $name ${values[*]}" >"$work/out" 2>&1
	local status=$?
	cat "$work/out"
	((status == 0)) && grep -q "the reference's too$" "$work/out"
}

# Without exception: a folder with a source is a kernel, and is tried.
for source in "$kernels"/*/*.glsl; do
	name=$(basename "$source" .glsl)
	check "$name" same "$name"
done
check "xor-lag of the longest lag" same xor-lag lag=16
check "quantise with scale and offset" same quantise scale=0.37 offset=-12.5
check "quantise from the other end" same quantise scale=-1e-30 offset=255
check "fir with taps of its own" same fir tap0=0.5 tap1=-0.25 tap2=3 tap3=1e-7 tap4=2 tap5=11 \
	tap6=-0.1 tap7=1000 tap8=0.3333
check "dedisperse without delay" same dedisperse delay=0
check "dedisperse of half the delay" same dedisperse delay=31
check "threshold that all reach" same threshold level=0
check "threshold of the highest" same threshold level=255

finish
