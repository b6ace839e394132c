#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Disks that are full, fail or are slow: the job says what failed and where, keeps
# what is done, and goes on when the cause is gone.
#
# How they are made without a device mapper: an extent of the output cannot be
# written, and a journal not grow, when the file under a loop device lies on a tmpfs
# that is full, or the file system itself is (ENOSPC). A bad block of a file (EIO), a
# disk that cannot vouch for what it has, and one slower than the network are made by
# a file system of our own (bad_disk.c).
# shellcheck disable=SC2317  # the steps are called by check
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

input=$scratch/input
disk=$scratch/disk
bad=$scratch/bad
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

# begin_slowly INPUT OUTPUT [PARAMETER]: so that there is time to do something in the middle;
# then link_clear.
begin_slowly() {
	link_rate all 15mbit
	begin "$@"
}

# What the output, its journal and its manifest need is reserved, so that nobody else can
# take it: a block of this file system is as many records as it has extents to go.
fills_up_on_the_way() {
	with_room $((160 * mib))
	begin_slowly "$input" "$output"
	eventually 20 job_holds 'it["extents_done"] > 2'
	fill
	job_holds 'it["state"] == "running"'
	link_clear all
	ends "done"
	is_finished "$output"
	matches_reference "$input" "$output"
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

unmounted() {
	! mountpoint -q "$bad" || umount "$bad"
}

# with_trouble [OPTION,...]: the disk at $bad gets this trouble, or is healed. A job
# that has just failed may still hold its files for a moment.
with_trouble() {
	eventually 10 unmounted
	"$build/tests/lab/bad_disk" "$scratch/files" "$bad" ${1:+-o "$1"}
}

# healed_and_resumed INPUT OUTPUT
healed_and_resumed() {
	with_trouble
	resume "$2"
	is_finished "$2"
	matches_reference "$1" "$2"
}

# In the middle of an extent, where no other one's halo reaches; and behind what is
# read ahead at once, so that there is something to resume.
input_has_a_bad_block() {
	cp "$input" "$scratch/files/input"
	with_trouble read_eio=$((60 * mib + mib / 2))
	begin "$bad/input" "$scratch/output"
	ends "failed"
	job_holds '"reading extent 60 of" in it["reason"] and "Input/output error" in it["reason"]'
	[[ ! -e $scratch/output && -e $scratch/output.wm-partial ]]
	healed_and_resumed "$bad/input" "$scratch/output"
	rm "$scratch/output"*
}

output_has_a_bad_block() {
	with_trouble write_eio=$((30 * mib + mib / 2))
	begin "$input" "$bad/output"
	ends "failed"
	job_holds '"writing extent 30 of" in it["reason"] and "Input/output error" in it["reason"]'
	job_holds '"resume" in it["reason"]'
	healed_and_resumed "$input" "$bad/output"
	job_holds 'it["resumed_bytes"] > 0'
	rm "$bad/output"*
}

# What was written and not vouched for does not count: it is made again.
output_is_not_durable() {
	with_trouble fsync_eio=$((20 * mib))
	begin "$input" "$bad/output"
	ends "failed"
	job_holds '"durable" in it["reason"] and "Input/output error" in it["reason"]'
	healed_and_resumed "$input" "$bad/output"
	job_holds "it['resumed_bytes'] <= $((20 * mib))"
	rm "$bad/output"*
}

# What was vouched for was durable: nothing is lost, and the advice holds.
output_cannot_be_ended() {
	with_trouble sync_eio=$((60 * mib))
	begin "$input" "$bad/output"
	ends "failed"
	job_holds '"cannot be made durable" in it["reason"] and "job resume" in it["reason"]'
	[[ -e $bad/output.wm-partial && -e $bad/output.wm-journal ]]
	healed_and_resumed "$input" "$bad/output"
	job_holds 'it["resumed_bytes"] >= it["output_bytes"] - 32 and it["batches_done"] == 0'
	rm "$bad/output"*
}

disk_without_locks() {
	with_trouble no_locks=1
	begin "$input" "$bad/output"
	ends "failed"
	job_holds '"gives no lock (No locks available)" in it["reason"]'
	equal "files like the output" "$(find "$scratch/files" -name 'output*')" ""
}

# changes_while_it_is_read WORDS COMMAND...: which changes it; and what was right stays.
changes_while_it_is_read() {
	local words=$1
	shift
	with_trouble rate=$((14 * mib))
	cp -p "$input" "$scratch/changing"
	begin_slowly "$scratch/changing" "$bad/output"
	eventually 20 job_holds 'it["extents_done"] > 16'
	"$@"
	link_clear all
	ends "failed"
	job_holds "'$words' in it['reason']"
	[[ ! -e $bad/output && -e $bad/output.wm-partial && -e $bad/output.wm-journal ]]
	cp -p "$input" "$scratch/changing"
	healed_and_resumed "$scratch/changing" "$bad/output"
	job_holds 'it["resumed_bytes"] > 0'
	rm "$bad/output"* "$scratch/changing"
}

# As by a program that keeps times.
rewrite_and_set_back() {
	head -c 4096 /dev/urandom | dd of="$scratch/changing" bs=4096 seek=10000 conv=notrunc status=none
	touch -r "$input" "$scratch/changing"
}

grow() {
	echo more >>"$scratch/changing"
}

cut_short() {
	truncate -s $((20 * mib)) "$scratch/changing"
}

# The one that was read is gone, so its content cannot have been the other's; but nobody
# would take this output for that of what lies there now.
replace() {
	cp "$input" "$scratch/other"
	mv "$scratch/other" "$scratch/changing"
}

# memory FIELD: of the controller, in KiB. VmHWM: the most it ever had outside
# hugepages.
memory() {
	awk -v field="$1:" '$1 == field { print $2 }' \
		"/proc/$(cut -d' ' -f1 "/run/wiremill/$lab/ctl.pid")/status"
}

# At a rate that the network reaches three times over.
fast_then_slow() {
	local most pages
	with_trouble
	begin "$input" "$bad/fast"
	ends "done"
	most=$(memory VmHWM) pages=$(memory HugetlbPages)
	with_trouble rate=$((7 * mib))
	begin "$input" "$bad/slow"
	keeps_showing_progress
	ends "done"
	job_holds 'it["resends"] * 100 <= it["batches"]'
	equal "memory in hugepages, KiB" "$(memory HugetlbPages)" "$pages"
	echo "memory outside hugepages, at most: $most KiB, then $(memory VmHWM) KiB"
	(($(memory VmHWM) <= most + 4096))
	is_finished "$bad/slow"
	matches_reference "$input" "$bad/slow"
}

# Of 64 extents, which take nine seconds.
keeps_showing_progress() {
	local shown=() state extents
	while :; do
		read -r state extents < <(value 'it["state"] + " " + str(it["extents_done"])' "$(show)")
		[[ $state =~ ^(queued|preparing|running)$ ]] || break
		shown+=("$extents")
	done
	echo "shown: ${shown[*]}"
	(($(printf '%s\n' "${shown[@]}" | sort -nu | wc -l) >= 5))
	equal "in order" "$(printf '%s\n' "${shown[@]}" | sort -n | xargs)" "${shown[*]}"
}

# What lies beside an output stays where it was begun.
link_takes_the_name() {
	local named=$scratch/named
	mkdir "$scratch/elsewhere"
	begin_slowly "$input" "$named" force=true
	eventually 60 job_holds 'it["extents_done"] > 2'
	: >"$scratch/elsewhere/out"
	ln -s "$scratch/elsewhere/out" "$named"
	link_clear all
	ends "done"
	[[ ! -L $named ]]
	is_finished "$named"
	matches_reference "$input" "$named"
	equal "what is elsewhere" "$(ls "$scratch/elsewhere")" "out"
	rm -r "$named"* "$scratch/elsewhere"
}

make_data "$input" $((64 * mib))
mkdir "$disk" "$scratch/small" "$scratch/files" "$bad"
mounts+=("$disk" "$scratch/small" "$bad")
lab_up --nodes 2 --mtu 9000 --rate 100mbit
check "an output disk that is full: refused, nothing is left" full_at_the_start
check "a disk that fills up on the way: reserved is reserved" fills_up_on_the_way
mount -t tmpfs -o size=40M tmpfs "$scratch/small"
truncate -s $((64 * mib)) "$scratch/small/image"
loop_device "$scratch/small/image"
check "an output device that fills up: the job fails, says where, and is resumed" output_fails
check "a bad block of the input: the failure names its extent, and resume completes" input_has_a_bad_block
check "a bad block of the output: the same" output_has_a_bad_block
check "an output that cannot be made durable: what is not is made again" output_is_not_durable
check "an output that cannot be synced at the end: all of it stays, and resume ends it" output_cannot_be_ended
check "a link that takes the output's name meanwhile leads nothing elsewhere" link_takes_the_name
check "a disk that has no locks says so" disk_without_locks
check "an input that is rewritten while it is read, and its time set back" \
	changes_while_it_is_read "modified while it was read" rewrite_and_set_back
check "an input that grows while it is read" changes_while_it_is_read "modified while it was read" grow
check "an input that is cut while it is read" changes_while_it_is_read "while it was read" cut_short
check "an input that another takes the place of" changes_while_it_is_read "its inode is another" replace
check "an output disk slower than the network: the job keeps its pace, in the same memory" fast_then_slow
check "all programs end well" programs_end_well
losetup -d "$loop"
unset 'loops[-1]'
finish
