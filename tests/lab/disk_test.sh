#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Disks that are full, fail or are slow: the job says what failed and where, keeps
# what is done, and goes on when the cause is gone.
#
# How they are made without a device mapper: an extent of the input cannot be read
# when its loop device ends before it (EIO on what lies behind a backing file that
# was cut); one of the output cannot be written, and a journal not grow, when the
# file under the loop device lies on a tmpfs that is full, or the file system itself
# is (ENOSPC). An output disk slower than the network is not
# made here: without a device mapper it would need throttling by a cgroup.
# shellcheck disable=SC2317  # the steps are called by check
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

input=$scratch/input
disk=$scratch/disk
output=$disk/output

# with_room BYTES: an empty file system of that size at $disk, output and journal on it.
with_room() {
	umount "$disk" 2>/dev/null || true
	rm -f "$scratch/disk.image"
	truncate -s "$1" "$scratch/disk.image"
	mkfs.ext4 -q -m 0 "$scratch/disk.image"
	mount -o loop "$scratch/disk.image" "$disk"
}

# fill: not a byte is left.
fill() {
	local block
	for block in 1M 4k 1; do
		dd if=/dev/zero of="$disk/filler" bs="$block" oflag=append conv=notrunc status=none \
			2>/dev/null || true
	done
}

resume() {
	job=$(value 'it["job"]' "$(rpc job.resume output="$1")")
	ends "done"
}

full_at_the_start() {
	with_room $((96 * mib))
	fill
	refused 1 "bytes, only [0-9]+ are free|no space" rpc job.submit kernel=xor \
		input="$input" output="$output"
	equal "files like the output" "$(find "$disk" -name 'output*')" ""
}

# What the output needs is reserved, so that nobody else can take it.
fills_up_on_the_way() {
	with_room $((160 * mib))
	begin "$input" "$output"
	eventually 20 job_holds 'it["extents_done"] > 2'
	fill
	job_holds 'it["state"] == "running"'
	ends_or_is_resumed
}

# Journal and manifest are not reserved: small, but they may need a block that is
# not there.
ends_or_is_resumed() {
	eventually 120 job_holds 'it["state"] in ("done", "failed")'
	if holds 'it["state"] == "failed"' "$(show)"; then
		job_holds '"No space" in it["reason"]'
		rm "$disk/filler"
		resume "$output"
	fi
	is_finished "$output"
	matches_reference "$input" "$output"
}

# The input's loop device is cut in the middle, and grows again.
input_fails() {
	local good=$scratch/output
	begin "$loop" "$good"
	eventually 20 job_holds 'it["extents_done"] > 2'
	truncate -s $((40 * mib)) "$scratch/input.image"
	ends "failed"
	job_holds '"reading extent" in it["reason"] and "Input/output error" in it["reason"]'
	[[ ! -e $good && -e $good.wm-partial ]]
	cp "$input" "$scratch/input.image"
	resume "$good"
	job_holds 'it["resumed_bytes"] > 0'
	is_finished "$good"
	matches_reference "$input" "$good"
}

# The output's device is a file of holes on a tmpfs that has no room for them all.
output_fails() {
	begin "$input" "$loop" force=true
	ends "failed"
	job_holds '("writing extent" in it["reason"] or "durable" in it["reason"]) and "resume" in it["reason"]'
	mount -o remount,size=256M "$scratch/small"
	resume "$loop"
	matches_reference "$input" "$loop"
}

make_data "$input" $((64 * mib))
mkdir "$disk" "$scratch/small"
mounts+=("$disk" "$scratch/small")
lab_up --nodes 2 --mtu 9000 --rate 100mbit
check "an output disk that is full: refused, nothing is left" full_at_the_start
check "a disk that fills up on the way: reserved is reserved" fills_up_on_the_way
cp "$input" "$scratch/input.image"
loop_device "$scratch/input.image"
check "an input that cannot be read: the job fails, says where, and is resumed" input_fails
mount -t tmpfs -o size=40M tmpfs "$scratch/small"
truncate -s $((64 * mib)) "$scratch/small/image"
loop_device "$scratch/small/image"
check "an output that cannot be written: the same" output_fails
check "all programs end well" programs_end_well
losetup -d "$loop"
unset 'loops[-1]'
finish
