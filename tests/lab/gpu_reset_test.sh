#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A GPU that its driver resets in the middle of a job, again and again: what it had is
# sent again, it is made anew and goes on, nothing stale gets into the output, and an
# honest node is not taken for one that computes wrong.
# shellcheck disable=SC2317  # the steps are called by check
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

input=$scratch/input
output=$scratch/output
library=$build/tests/lab/gpu_reset.so
[[ -e $library ]] || skip_all "$library is not built"

# reset_start NODE EVERY: one submission in so many of that node meets a reset.
reset_start() {
	lab kill --node "$1" --signal TERM
	LD_PRELOAD=$library WM_GPU_RESET_EVERY=$2 lab start --node "$1"
}

resets_do_no_harm() {
	reset_start 1 8
	reset_start 2 25
	eventually 30 holds "sum(n['state'] == 'admitted' for n in it['nodes']) == 3" "$(nodes)"
	begin "$input" "$output"
	ends "done"
	matches_reference "$input" "$output"
}

resets_are_told() {
	eventually 10 node_holds n1 "n['device_losses'] >= 2"
	node_holds n2 "n['device_losses'] >= 1"
	node_holds n3 "'device_losses' in n and n['device_losses'] == 0"
	ctl node list --wide | grep -E "n1 .*device lost, rebuilt [0-9]+ times"
	grep "node n1: its GPU was lost and made anew" "/run/wiremill/$lab/ctl.log"
}

nobody_is_blamed() {
	holds "all(n['state'] in ('admitted', 'ready') for n in it['nodes'])" "$(nodes)"
	holds "it['lanes'][0]['drops']['wrong'] == 0" "$(stats)"
}

# 1.5 s a submission, beside a timer of one: once it is known, nothing is sent twice.
slow_is_not_silent() {
	local node before
	before=$(wc -l <"/run/wiremill/$lab/ctl.log")
	for node in 1 2 3; do
		lab kill --node "$node" --signal TERM
		LD_PRELOAD=$library WM_GPU_SLOW_MS=1500 lab start --node "$node"
	done
	head -c $((512 * 1024)) "$input" >"$input.small"
	rm -f "$output"*
	begin "$input.small" "$output"
	ends "done"
	matches_reference "$input.small" "$output"
	# Each node is given up once at most, before its first beat says that it works.
	tail -n "+$((before + 1))" "/run/wiremill/$lab/ctl.log" >"$scratch/said"
	(($(grep -c "does not answer" "$scratch/said") <= 3)) || {
		cat "$scratch/said"
		return 1
	}
	job_holds 'it["sends"] <= it["batches"] + 2 * 3 * 16'
}

lab_up --nodes 3 --mtu 9000
make_data "$input" $((64 * mib))
check "resets of two GPUs of three leave an exact output" resets_do_no_harm
check "they are shown with the node and in the log" resets_are_told
check "no node is in quarantine, and no result was wrong" nobody_is_blamed
check "GPUs of 1.5 s a submission are slow, not silent" slow_is_not_silent
check "all programs end well" programs_end_well
finish
