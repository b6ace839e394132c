#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The whole rack: twelve nodes, three and one, clean links and bad ones. Exact
# output, even shares, and the paths that were obtained.
# shellcheck disable=SC2317  # the steps are called by check
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

large_mib=512
# Several GiB, for who has the time and the disk.
[[ -z ${WM_TEST_LONG:-} ]] || large_mib=6144

shares_are_even() {
	holds 'len(it["nodes"]) == '"$1"' and
		min(n["batches"] for n in it["nodes"]) * 2 * len(it["nodes"])
		>= sum(n["batches"] for n in it["nodes"])' "$(nodes)"
}

io_is_direct() {
	holds 'all(l["extents"]["read"] == l["extents"]["read_direct"] > 0 and
		l["extents"]["written"] == l["extents"]["written_direct"] > 0 and
		l["obtained"]["source"] == l["obtained"]["sink"] == "direct" for l in it["lanes"])' "$(stats)"
}

# But where this machine's drive would take a command for each frame.
controller_copies_nothing() {
	holds 'all(l["copied_bytes"]["transmit"] == 0 and
		l["payload_bytes"]["transmit"] > 0 and l["payload_bytes"]["receive"] > 0 and
		l["obtained"]["transmit"] == "attached" and
		(l["obtained"]["receive"] == "in place" and l["copied_bytes"]["receive"] == 0 or
		"drive" in l["obtained"]["receive_why"]) for l in it["lanes"])' "$(stats)"
}

# Of one NUMA node: Linux 6.1 registers no buffer that lies in two files.
controller_memory_is_one_file() {
	local pid files
	pid=$(cut -d' ' -f1 "/run/wiremill/$lab/ctl.pid")
	files=$(awk '/memfd:seg/ { print $5 }' "/proc/$pid/maps" | sort -u)
	[[ -n $files ]]
	equal "files of hugepages" "$(wc -l <<<"$files")" 1
}

# Nodes report their own counters once a second.
nodes_have_reported() {
	holds 'all(n["results"] >= n["batches"] > 0 for n in it["nodes"])' "$(nodes)"
}

nodes_copy_nothing() {
	eventually 5 nodes_have_reported
	holds 'all(n["copied_bytes"] == 0 and n["results"] > 0 for n in it["nodes"])' "$(nodes)"
}

# Every kind of fault has happened, so the job was exact in spite of it.
faults_happened() {
	local counted
	counted=$(lab fault --node all)
	echo "$counted"
	for kind in lost corrupted duplicated; do
		grep -q "$kind=[1-9]" <<<"$counted"
	done
	holds 'sum(l["batches"]["resent"] for l in it["lanes"]) > 0' "$(stats)"
	holds 'sum(sum(l["drops"].values()) for l in it["lanes"]) +
		sum(l["batches"]["duplicates"] for l in it["lanes"]) > 0' "$(stats)"
}

# rack NODES MTU MIB_CLEAN MIB_FAULTY. What is to show even shares runs for a good
# part of a second: in less, the scheduler of few cores decides.
rack() {
	local rack="$1 nodes at MTU $2"
	lab_up --nodes "$1" --mtu "$2"
	check "$rack: $3 MiB exact" job_is_exact $(($3 * mib))
	check "$rack: no node does less than half of the mean" shares_are_even "$1"
	check "$rack: extents are read and written with O_DIRECT" io_is_direct
	check "$rack: nodes copy no payload between UMEM and GPU" nodes_copy_nothing
	if (($2 == 9000)); then
		check "$rack: the controller copies no payload" controller_copies_nothing
	fi
	# On every link, for all that follows.
	link_fault all "${faults[@]}"
	check "$rack: $4 MiB and an odd tail exact under faults" job_is_exact $(($4 * mib + 32 * 77))
	check "$rack: the faults were met" faults_happened
	check "$rack: the controller's memory is one file" controller_memory_is_one_file
	check "$rack: all programs end well" programs_end_well
	check "$rack: taken down" lab_down
}

rack 12 9000 "$large_mib" 128
rack 12 3506 256 32
rack 12 1500 192 16
rack 3 1500 192 16
rack 1 9000 64 64
rack 1 1500 24 16
finish
