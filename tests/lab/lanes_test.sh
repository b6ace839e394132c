#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A controller of two lanes: two ports, two switches, nodes on both. Both do their
# part, one does all when the other has no nodes left, a node that computes wrong is
# invalid in both, and what two lanes began one lane goes on with.
# shellcheck disable=SC2317  # the steps are called by check
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

input=$scratch/input
output=$scratch/output
library=$build/tests/lab/wrong_node.so

# lane_did LANE: batches that nodes on its port have done, in this life of the controller.
lane_did() {
	value "it['lanes'][$1]['batches']['results']" "$(stats)"
}

run() {
	rm -f "$output"*
	begin "$input" "$output"
}

# run_held [BYTES]: in the middle, with batches at both lanes.
run_held() {
	rm -f "$output"*
	begin_held "$input" "$output"
	eventually 60 job_holds 'it["batches_done"] > 100'
	(($# == 0)) || links_hold_after "$1"
}

is_exact() {
	ends "done"
	is_finished "$output"
	matches_reference "$input" "$output"
}

nodes_stand_at_both() {
	equal "lanes of n1 to n4" "$(value \
		"' '.join(str(n['lane']) for n in sorted(it['nodes'], key=lambda n: n['name']))" \
		"$(nodes)")" "0 1 0 1"
}

both_lanes_do_their_part() {
	run
	is_exact
	(($(lane_did 0) > 0 && $(lane_did 1) > 0))
}

a_lane_without_nodes_gives_back() {
	run_held
	lab kill --node 2 --signal KILL
	lab kill --node 4 --signal KILL
	still_runs
	links_let_go all
	is_exact
	lab start --node 2
	lab start --node 4
}

the_leader_without_nodes_gives_back() {
	run_held
	lab kill --node 1 --signal KILL
	lab kill --node 3 --signal KILL
	still_runs
	links_let_go all
	is_exact
	lab start --node 1
	lab start --node 3
}

a_wrong_node_of_the_other_lane_is_void() {
	[[ -e $library ]] || return 1
	lab kill --node 2 --signal TERM
	LD_PRELOAD=$library WM_WRONG_EVERY=500 WM_WRONG_BITS=1 lab start --node 2
	run
	is_exact
	node_holds n2 "n['state'] == 'quarantined'"
}

# A controller of one lane takes up what one of two began.
one_lane_goes_on() {
	run_held $((6 * mib))
	eventually 60 job_holds 'it["extents_done"] > 16'
	still_runs
	lab kill --controller --signal KILL
	# It starts on the ports to so many switches.
	echo 1 >"$(dirname "$socket")/bridges"
	lab start --controller
	links_let_go all
	is_exact
	job_holds 'it["resumed_bytes"] > 0'
}

make_data "$input" $((64 * mib))
lab_up --nodes 4 --mtu 9000 --bridges 2
check "nodes belong to the lane whose port they are heard at" nodes_stand_at_both
check "two lanes make one output, and both do their part" both_lanes_do_their_part
check "the nodes of one port die, and the job is done by the others" a_lane_without_nodes_gives_back
check "so do those of the lane that leads" the_leader_without_nodes_gives_back
check "what a wrong node of the other lane did is made again" a_wrong_node_of_the_other_lane_is_void
check "the controller is killed, and one lane goes on" one_lane_goes_on
finish
