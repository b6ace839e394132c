#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Nodes that die, leave and join while a job runs, and a controller that dies.
# shellcheck disable=SC2317  # the steps are called by check
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

input=$scratch/input
output=$scratch/output

# In the middle of a job, where it stays.
job_begin() {
	rm -f "$output"*
	begin_held "$input" "$output"
}

job_end() {
	links_let_go all
	ends "done"
	matches_reference "$input" "$output"
}

# node_is NAME STATES
node_is() {
	holds "[n['state'] for n in it['nodes'] if n['name'] == '$1'][-1] in '$2'.split()" "$(nodes)"
}

node_dies() {
	job_begin
	lab kill --node 2
	still_runs
	job_end
	eventually 20 node_is n2 "silent gone"
}

node_returns() {
	lab start --node 2
	job_begin
	job_end
	eventually 20 node_is n2 "admitted ready"
}

node_leaves() {
	job_begin
	lab kill --node 3 --signal TERM
	still_runs
	eventually 20 node_is n3 gone
	job_end
}

node_joins() {
	job_begin
	lab start --node 3
	still_runs
	eventually 60 node_holds n3 'n["batches"] > 0'
	still_runs
	job_end
}

all_but_one_die() {
	job_begin
	lab kill --node 1
	lab kill --node 2
	still_runs
	job_end
}

# Nothing half-written looks complete, and the nodes find the new controller.
controller_dies() {
	job_begin
	lab kill --controller
	[[ ! -e $output ]]
	lab start --controller
	lab start --node 1
	lab start --node 2
	eventually 20 holds_nodes 3
	job_end
	rm -f "$output"*
	submit "$input" "$output"
	matches_reference "$input" "$output"
}

# holds_nodes COUNT: so many can be used.
holds_nodes() {
	holds "sum(n['state'] in ('admitted', 'ready') for n in it['nodes']) == $1" "$(nodes)"
}

lab_up --nodes 3 --mtu 9000
make_data "$input" $((32 * mib))
check "a node killed in the middle of a job: its batches go to others" node_dies
check "the killed node comes back and works" node_returns
check "a node that is told to end leaves cleanly in the middle of a job" node_leaves
check "a node that joins in the middle of a job gets its share" node_joins
check "the last node finishes the job alone" all_but_one_die
check "a controller killed in the middle of a job leaves nothing that looks complete" controller_dies
check "all programs end well" programs_end_well
finish
