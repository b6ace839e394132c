#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# An operator's day: many who wait, clients without manners, a controller that is started
# again, stray signals, a closed terminal, and a log that nobody reads. Jobs end well, and
# nodes stay.
# shellcheck disable=SC2317  # the steps are called by check
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

input=$scratch/small
large=$scratch/large
run_state=/run/wiremill

# Those that were there at the start are, and have been all along.
nodes_stay() {
	holds 'sum(n["state"] in ("admitted", "ready", "silent") for n in it["nodes"]) == 2' "$(nodes)"
	! grep -E "node n[12] (is gone|left|has left)" "$ctl_log" || return 1
}

pid_of() {
	local pid
	read -r pid _ <"$run_state/$lab/$1.pid"
	echo "$pid"
}

controller_ended() {
	! kill -0 "$(pid_of ctl)" 2>/dev/null
}

many_wait_at_once() {
	local i failed=0 flood pids=()
	python3 "$tests/flood.py" "$socket" &
	flood=$!
	for i in {1..100}; do
		timeout 300 "$wiremill" job submit --kernel xor --input "$input" --output "$scratch/many$i" \
			--wait --json --socket "$socket" >"$scratch/said$i" 2>"$scratch/complaint$i" &
		pids+=($!)
	done
	for i in {1..100}; do
		wait "${pids[i - 1]}" || {
			failed=$((failed + 1))
			cat "$scratch/complaint$i"
		}
	done
	kill "$flood"
	equal "waits that failed" "$failed" 0
	equal "jobs that are done" "$(grep -l '"state": "done"' "$scratch"/said* | wc -l)" 100
	matches_reference "$input" "$scratch/many1"
	matches_reference "$input" "$scratch/many100"
	nodes_stay
}

help_fits() {
	local program
	for program in control/wiremilld control/wiremill-node control/cli/wiremill tools/gen/wiremill-gen; do
		"$build/$program" --help >"$scratch/help"
		(($(wc -L <"$scratch/help") <= 80)) || equal "width of $program" "$(wc -L <"$scratch/help")" "80 or less"
	done
}

lists_fit() {
	local widest
	ctl job list >"$scratch/list"
	widest=$(wc -L <"$scratch/list")
	((widest <= 80)) || equal "the widest line" "$widest" "80 or less"
	# What tells jobs apart is not cut off.
	grep -qE "/$(basename "$input") +[^ ]*/many100( |$)" "$scratch/list"
	equal "jobs" "$(ctl job list --json | python3 -c 'import json, sys; print(len(json.load(sys.stdin)["jobs"]))')" 100
	equal "the last two" "$(ctl job list --last 2 --state "done" | wc -l)" 3
	ctl node list >"$scratch/list"
	widest=$(wc -L <"$scratch/list")
	((widest <= 80)) || equal "the widest line" "$widest" "80 or less"
}

whose_and_when() {
	local job
	job=$(ctl job submit --kernel xor --input "$input" --output "$scratch/named" --name "night run" --parsable --wait)
	[[ $job =~ ^[0-9]+$ ]] || equal "stdout" "$job" "a number"
	holds 'it["name"] == "night run" and it["user"] == "root"' "$(ctl job show "$job" --json)"
	holds 'it["submitted"] <= it["started"] <= it["ended"]' "$(ctl job show "$job" --json)"
}

# A path is shown as what it is, on one line.
path_forges_nothing() {
	local path before
	path=$scratch/$'evil\n2026-01-01T00:00:00.000Z wiremilld: error: all is lost\e[2J\u202e\u009b'
	cp "$input" "$path"
	before=$(wc -l <"$ctl_log")
	ctl job submit --kernel xor --input "$path" --output "$scratch/evil" --wait
	grep -F 'evil\x0a2026-01-01T00:00:00.000Z wiremilld: error: all is lost\x1b[2J\xe2\x80\xae\xc2\x9b ->' "$ctl_log"
	! grep -P '\x1b|^2026-01-01' "$ctl_log" || return 1
	ctl job list --wide >"$scratch/list"
	! grep -aP '\x1b|\xc2\x9b|\xe2\x80\xae|^2026-01-01' "$scratch/list" || return 1
	! tail -n "+$((before + 1))" "$ctl_log" | grep -vE '^20[0-9T:.-]+Z wiremilld: (info|warning): ' || return 1
}

stray_signals() {
	local signal
	for signal in USR1 USR2 ALRM VTALRM PROF IO PWR PIPE; do
		kill -s "$signal" "$(pid_of ctl)" "$(pid_of n1)"
	done
	job_is_exact $((1024 * 1024))
	nodes_stay
}

dry_run_does_nothing() {
	local before
	before=$(ctl job list --json)
	ctl job submit --kernel xor --input "$input" --output "$scratch/dry" --dry-run >"$scratch/said"
	grep -q "would be queued: 65504 bytes of output, 1 extents" "$scratch/said"
	refused 1 "exists" ctl job submit --kernel xor --input "$input" --output "$scratch/many1" --dry-run
	refused 1 "no kernel" ctl job submit --kernel fft --input "$input" --output "$scratch/dry" --dry-run
	equal "the jobs" "$(ctl job list --json)" "$before"
	equal "files of it" "$(find "$scratch" -name 'dry*')" ""
}

last_job_runs() {
	holds "it['jobs'][-1]['output'] == '$scratch/over' and it['jobs'][-1]['batches_done'] > 0" \
		"$(ctl job list --last 1 --json)"
}

# The controller is away until who waits has seen it, however seldom that looks.
wait_goes_on_over_a_restart() {
	local waiter status=0
	links_hold
	ctl job submit --kernel xor --input "$large" --output "$scratch/over" --wait \
		>"$scratch/said" 2>"$scratch/complaint" &
	waiter=$!
	eventually 60 last_job_runs
	lab kill --controller --signal KILL
	eventually 60 grep -q "no controller answers" "$scratch/complaint"
	lab start --controller
	links_let_go all
	wait "$waiter" || status=$?
	cat "$scratch/complaint"
	equal "exit status" "$status" 0
	matches_reference "$large" "$scratch/over"
}

statuses_differ() {
	local job
	refused 3 "no controller answers" "$wiremill" stats --socket "$scratch/nobody"
	refused 1 "exists" ctl job submit --kernel xor --input "$input" --output "$scratch/many1"
	refused 2 "missing" ctl job submit --kernel xor --output "$scratch/x"
}

# A terminal that is closed. The nodes are told, and so is the socket's file gone.
hangup_stops_in_order() {
	lab kill --node 2 --signal HUP
	eventually 20 node_holds n2 'n["state"] == "gone" and n["reason"] == "stopped"'
	lab kill --controller --signal HUP
	eventually 20 controller_ended
	[[ ! -e $socket ]]
	tail -n 1 "$ctl_log" | grep -q "stopping"
	eventually 20 grep -q "the controller stops" "$run_state/$lab/n1.log"
}

# Its log goes into a pipe of one page that is open and not read.
log_that_nobody_reads() {
	local i pipe=$scratch/pipe controller
	mkfifo "$pipe"
	exec 8<>"$pipe"
	python3 -c 'import fcntl; fcntl.fcntl(8, fcntl.F_SETPIPE_SZ, 4096)'
	lab exec -- timeout 200 "$build/control/wiremilld" --interface port0 \
		--socket "$socket" --state "$run_state/$lab/state" --key "$run_state/$lab/key" --log-level debug 2>"$pipe" 8<&- &
	controller=$!
	eventually 60 test -S "$socket"
	eventually 30 node_holds n1 'n["state"] in ("admitted", "ready")'
	for i in {1..60}; do
		ctl job submit --kernel xor --input "$input" --output "$scratch/unread$i" --parsable >"$scratch/number"
	done
	ctl job watch "$(cat "$scratch/number")"
	matches_reference "$input" "$scratch/unread60"
	node_holds n1 'n["state"] in ("admitted", "ready")'
	# and when its reader goes, that is no end either
	exec 8<&-
	job_is_exact 65536
	kill "$(value 'it["controller"]["pid"]' "$(ctl version --json)")"
	wait "$controller"
}

lab_up --nodes 2 --mtu 9000
ctl_log=$run_state/$lab/ctl.log
make_data "$input" 65536
make_data "$large" $((32 * 1024 * 1024))
check "100 wait at once, beside clients without manners, and nodes stay" many_wait_at_once
check "lists fit the screen, and have all" lists_fit
check "help fits the screen" help_fits
check "a job has its name, its user and its times" whose_and_when
check "a path with control characters forges no line" path_forges_nothing
check "stray signals end nobody" stray_signals
check "failures have their exit status" statuses_differ
check "a dry run checks all, and does nothing" dry_run_does_nothing
check "who waits goes on waiting over a restart of the controller" wait_goes_on_over_a_restart
check "a closed terminal stops programs in order" hangup_stops_in_order
check "a log that nobody reads holds nobody up" log_that_nobody_reads
lab start --controller
check "all programs end well" programs_end_well
finish
