#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Links of different MTUs in one lab: the smallest governs, and the log says so.
# shellcheck disable=SC2317  # the steps are called by check
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

input=$scratch/input
output=$scratch/output

smallest_governs() {
	make_data "$input" $((8 * 1024 * 1024 + 32))
	holds 'it["state"] == "done" and it["mtu"] == 1500 and it["batch_elements"] == 45' \
		"$(submit "$input" "$output")"
	matches_reference "$input" "$output"
}

log_says_so() {
	lab logs --controller | grep -E 'MTU.*1500|1500.*MTU'
}

every_node_worked() {
	holds 'len(it["nodes"]) == 3 and all(n["batches"] > 0 for n in it["nodes"])' "$(nodes)"
}

# Not by the port's MTU: the pool is made for it, and has room for 18 extents of these.
results_stay() {
	make_data "$input" $((64 * 1024 * 1024 + 32))
	holds 'it["state"] == "done" and it["mtu"] == 3506' "$(submit "$input" "$output" --force)"
	matches_reference "$input" "$output"
	holds 'all(l["obtained"]["receive"] == "in place" and
		l["copied_bytes"]["receive"] < l["payload_bytes"]["receive"] / 2 or
		"drive" in l["obtained"]["receive_why"] for l in it["lanes"])' "$(stats)"
}

lab_up --nodes 3 --mtu 9000 --node-mtu 2=1500 --node-mtu 3=3506
check "the smallest MTU governs the job" smallest_governs
check "the log says so" log_says_so
check "every node takes part" every_node_worked
check "that lab is taken down" lab_down
lab_up --nodes 2 --mtu 9000 --node-mtu 1=3506 --node-mtu 2=3506
check "results that are smaller than the port allows are written in place" results_stay
finish
