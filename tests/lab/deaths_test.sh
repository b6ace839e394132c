#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A rack of twelve that dies: all but one, all of it, for a while or for good, and
# links that go down without a word. The output is exact, or the job says why not.
# shellcheck disable=SC2317  # the steps are called by check
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

input=$scratch/input
output=$scratch/output
node_count=12
# No batch waits longer on a node that is silent.
wait_max_s=2

# each VERB NODE...: at once, as a rack does that loses its power.
each() {
	local verb=$1 node pids=() pid
	shift
	for node in "$@"; do
		lab "$verb" --node "$node" &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid"
	done
}

let_go() {
	local node
	for node in "$@"; do
		links_let_go "$node"
	done
}

# The job stays in the middle until whoever survives is let go.
begin_and_run() {
	rm -f "$output"*
	begin_held "$input" "$output" "$@"
	eventually 60 job_holds 'it["batches_done"] > 100'
}

is_exact() {
	ends "done"
	is_finished "$output"
	matches_reference "$input" "$output"
}

# By the controller's own clock. Some did wait for what does not answer, else the
# deaths came too late to show anything.
nothing_waited_long() {
	echo "# longest wait of a batch: $(value 'it["waited_max_ns"] / 1e9' "$(show)") s" >&3
	job_holds "0.1 < it['waited_max_ns'] / 1e9 < $wait_max_s"
}

eleven_of_twelve_die() {
	begin_and_run
	each kill {2..12}
	still_runs
	let_go 1
	is_exact
	nothing_waited_long
	each start {2..12}
}

says_that_it_waits() {
	eventually 20 job_holds 'it["state"] == "running" and "node" in it["waiting"]'
}

all_die_two_return() {
	begin_and_run
	each kill {1..12}
	says_that_it_waits
	let_go 4 9
	each start 4 9
	is_exact
	each start {1..3} {5..8} {10..12}
}

all_die_for_good() {
	begin_and_run fail_after_seconds=2
	each kill {1..12}
	ends "failed"
	job_holds '"no node answered for 2" in it["reason"] and "resume" in it["reason"]'
	[[ ! -e $output && -e $output.wm-partial && -e $output.wm-journal ]]
}

then_it_is_resumed() {
	let_go 1 2 3
	each start 1 2 3
	job=$(value 'it["job"]' "$(rpc job.resume output="$output")")
	is_exact
	job_holds 'it["resumed_bytes"] > 0'
	each start {4..12}
}

links_go_down() {
	local stalled watching
	begin_and_run
	python3 "$tests/stall.py" "$socket" "$job" >"$scratch/stalled" &
	watching=$!
	eventually 60 job_holds 'it["batches_done"] > 200'
	link_ports down {3..12}
	still_runs
	let_go 1 2
	is_exact
	nothing_waited_long
	wait "$watching"
	link_ports up {3..12}
	stalled=$(cat "$scratch/stalled")
	echo "# stood still: $stalled" >&3
	# That some fell silent with batches the controller has measured; who looks on from
	# outside may have been held up himself in that time.
	holds "it['samples'] > 20" "$stalled"
	holds "it['job_s'] < $wait_max_s and it['node_s'] < $wait_max_s" "$stalled"
	eventually 30 all_nodes_are_in
}

all_nodes_are_in() {
	local in="n['name'] for n in it['nodes'] if n['state'] in ('admitted', 'ready')"
	holds "len({$in}) == $node_count" "$(nodes)"
}

# For figures, since check shows what a step prints only if it fails.
exec 3>&1
lab_up --nodes "$node_count" --mtu 9000
make_data "$input" $((96 * mib))
check "eleven of twelve nodes die: the last one completes the job" eleven_of_twelve_die
check "all die: the job says that it waits, and two that return complete it" all_die_two_return
check "all die for longer than the job was told to wait: it fails and says so" all_die_for_good
check "what it had done is resumed" then_it_is_resumed
check "links of ten of twelve nodes go down: no batch waits on them for $wait_max_s s" links_go_down
check "all programs end well" programs_end_well
finish
