#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Datasets around every boundary, at each MTU: output equals the reference.
# shellcheck disable=SC2317  # the steps are called by check
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

vector=32
extent=$((1024 * 1024 / vector))

# Sizes in vectors of input; one more than the elements of output.
boundaries() {
	local batch=$1
	echo 2 3 \
		"$batch" $((batch + 1)) $((batch + 2)) \
		"$extent" $((extent + 1)) $((extent + 2)) \
		$((2 * extent + 1)) $((3 * extent + batch + 8))
}

# A short run, as in a sanitizer build: the smallest, one batch, two extents.
boundaries_short() {
	echo 2 $(($1 + 1)) $((2 * extent + 2))
}

batch_is() {
	equal "batch at MTU $1" "$(value 'it["batch_elements"]' "$(ctl job list --json | python3 -c '
import json, sys
print(json.dumps(json.load(sys.stdin)["jobs"][-1]))')")" "$2"
}

for pair in 1500:45 3506:96 9000:256; do
	mtu=${pair%:*}
	batch=${pair#*:}
	lab_up --nodes 3 --mtu "$mtu"
	if [[ ${WM_TEST_SHORT:-} ]]; then
		sizes=$(boundaries_short "$batch")
	else
		sizes=$(boundaries "$batch")
	fi
	for vectors in $sizes; do
		check "$vectors vectors at MTU $mtu" job_is_exact $((vectors * vector))
	done
	check "a batch at MTU $mtu is $batch vectors" batch_is "$mtu" "$batch"
	check "all programs end well at MTU $mtu" programs_end_well
	check "the lab at MTU $mtu is taken down" lab_down
done
finish
