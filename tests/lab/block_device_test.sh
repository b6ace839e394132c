#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Block devices (loop) as input, as output, and as both.
# shellcheck disable=SC2317  # the steps are called by check
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

bytes=$((24 * 1024 * 1024))
make_data "$scratch/source" "$bytes"
truncate -s "$bytes" "$scratch/target"
loop_device "$scratch/source"
source_device=$loop
loop_device "$scratch/target"
target_device=$loop
truncate -s $((bytes / 2)) "$scratch/small"
loop_device "$scratch/small"
small_device=$loop

from_device() {
	submit "$source_device" "$scratch/output"
	matches_reference "$scratch/source" "$scratch/output"
}

# A device is there already, so its content is only overwritten by force.
to_device_needs_force() {
	refused 1 "force" submit "$scratch/source" "$target_device"
	sync "$target_device"
	cmp -n "$bytes" "$target_device" /dev/zero
}

to_device() {
	submit "$scratch/source" "$target_device" --force
	matches_reference "$scratch/source" "$target_device"
}

device_to_device() {
	head -c "$bytes" /dev/zero >"$target_device"
	submit "$source_device" "$target_device" --force
	matches_reference "$source_device" "$target_device"
}

# A loop device over the input, and the input under one.
over_the_input() {
	local sum
	sum=$(sha256sum <"$scratch/source")
	refused 1 "where the input is" submit "$scratch/source" "$source_device" --force
	refused 1 "where the input is" submit "$source_device" "$scratch/source" --force
	equal "the input" "$(sha256sum <"$scratch/source")" "$sum"
}

too_small() {
	refused 1 "small|bytes" submit "$scratch/source" "$small_device" --force
	cmp -n $((bytes / 2)) "$small_device" /dev/zero
}

lab_up --nodes 2 --mtu 9000
check "a block device as input" from_device
check "a block device as output is refused without --force" to_device_needs_force
check "a block device as output" to_device
check "block devices as input and output" device_to_device
check "a block device over its own input, or the file under it, is refused" over_the_input
check "a block device too small for the output is refused and stays as it was" too_small
finish
