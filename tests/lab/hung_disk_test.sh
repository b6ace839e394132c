#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A file system that does not answer (a FUSE file system whose program is stopped) holds
# up its own job and nobody else: clients are answered, nodes stay, other jobs run, and
# the controller stops and starts. And what was promised of a job stays so: a cancel, a
# place in the queue, a state directory that is one controller's.
# shellcheck disable=SC2317  # the steps are called by check
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

input=$scratch/input
bad=$scratch/bad
files=$scratch/files
state=""
disk_pid=""

disk_mounted() {
	mountpoint -q "$bad"
}

# In the foreground of a shell, so that it can be stopped.
disk_starts() {
	"$build/tests/lab/bad_disk" "$files" "$bad" -f &
	disk_pid=$!
	eventually 10 disk_mounted
}

# Until disk_answers, or the step ends.
disk_hangs() {
	trap disk_answers EXIT
	kill -STOP "$disk_pid"
}

disk_answers() {
	kill -CONT "$disk_pid"
}

nodes_stay() {
	holds 'sum(n["state"] in ("admitted", "ready", "silent") for n in it["nodes"]) == 2' \
		"$(nodes)"
	! lab logs --controller 2>/dev/null | grep -E "node n[12] (is gone|left|has left)"
}

nothing_like() {
	equal "what is left of it" "$(find "$(dirname "$1")" -name "$(basename "$1")*")" ""
}

is_cancelled() {
	job_holds 'it["state"] == "cancelled"'
}

# ---- a disk that does not answer -------------------------------------------------

submission_is_refused_and_others_are_served() {
	local hanging
	disk_hangs
	rpc job.submit kernel=xor input="$bad/input" output="$scratch/never" >"$scratch/answer" \
		2>"$scratch/reason" &
	hanging=$!
	submit "$input" "$scratch/meanwhile"
	matches_reference "$input" "$scratch/meanwhile"
	rm "$scratch/meanwhile"*
	kill -0 "$hanging"
	if wait "$hanging"; then return 1; fi
	grep "no answer came from the file system" "$scratch/reason"
	nodes_stay
	disk_answers
	nothing_like "$scratch/never"
	rm -f "$scratch/answer" "$scratch/reason"
}

# begin_hanging OUTPUT: a job whose turn comes when its disk hangs. One that is slow is before
# it, so that its files can be looked at. Sets job.
begin_hanging() {
	local slow
	link_rate all 5mbit
	begin "$input" "$scratch/slow"
	slow=$job
	begin "$bad/input" "$1"
	disk_hangs
	sleep 1.5 # what the kernel knows of the disk's files is old by then
	rpc job.cancel job="$slow" >/dev/null
	link_clear all
	eventually 20 job_holds \
		'it["state"] == "preparing" and "files to be opened" in it["waiting"]'
}

cancel_is_answered_at_once() {
	local hanging
	begin_hanging "$bad/output"
	hanging=$job
	begin "$input" "$scratch/other"
	value 'it["cancelling"]' "$(rpc job.cancel job="$hanging")"
	ends "done"
	matches_reference "$input" "$scratch/other"
	rm "$scratch/other"*
	nodes_stay
	job=$hanging
	job_holds 'it["cancelling"] and it["state"] == "preparing"'
	disk_answers
	eventually 20 is_cancelled
	nothing_like "$files/output"
}

# logged WORDS: of the job.
logged() {
	lab logs --controller >"$scratch/log" 2>/dev/null
	grep -F "job $job$1" "$scratch/log"
}

# begin_and_hang INPUT OUTPUT: a job in the middle, so slowly that it certainly is when its
# disk hangs.
begin_and_hang() {
	link_rate all 2mbit
	begin "$1" "$2"
	eventually 60 job_holds 'it["extents_done"] > 0'
	disk_hangs
}

# names_its_disk INPUT OUTPUT KIND PATH: which of them is on it.
names_its_disk() {
	local words watcher
	words="for its disk to answer: $3 $4 (mend it, or 'umount -f' its mount point)"
	begin_and_hang "$1" "$2"
	eventually 30 job_holds "it['state'] == 'running' and it['waiting'] == \"$words\""
	ctl job watch "$job" >/dev/null 2>"$scratch/bar" &
	watcher=$!
	eventually 20 grep -F "waiting: $words" "$scratch/bar"
	eventually 10 logged " waits $words"
	disk_answers
	eventually 20 job_holds 'it["waiting"] == ""'
	eventually 10 logged ": its disk answers again"
	links_let_go all
	wait "$watcher"
	ends "done"
	rm "$scratch/bar" "$scratch/log"
}

input_that_hangs_is_named() {
	names_its_disk "$bad/input" "$scratch/output" input "$bad/input"
	matches_reference "$input" "$scratch/output"
	rm "$scratch/output"*
}

output_that_hangs_is_named() {
	names_its_disk "$input" "$bad/output" output "$bad/output"
	matches_reference "$input" "$files/output"
	rm "$files/output"*
}

# The kernel has requests of it that nobody can call back.
running_job_that_is_cancelled_says_what_it_waits_for() {
	begin_and_hang "$bad/input" "$bad/output"
	eventually 30 job_holds '"for its disk to answer" in it["waiting"]'
	rpc job.cancel job="$job" >/dev/null
	eventually 20 job_holds 'it["cancelling"] and "for its disk to answer" in it["waiting"]'
	nodes_stay
	disk_answers
	eventually 20 is_cancelled
	link_clear all
	nothing_like "$files/output"
}

stop_and_start_do_not_wait_for_it() {
	begin_hanging "$bad/output"
	lab kill --controller --signal TERM
	lab start --controller
	eventually 20 job_holds 'it["waiting"] != "" or it["state"] == "preparing"'
	disk_answers
	ends "done"
	is_finished "$files/output"
	matches_reference "$input" "$files/output"
	rm "$files/output"*
}

# ---- what was promised --------------------------------------------------------------

# slow_job OUTPUT: in the middle.
slow_job() {
	link_rate all 5mbit
	begin "$input" "$1" "${@:2}"
	eventually 60 job_holds 'it["extents_done"] > 2'
}

cancel_lasts_over_a_stop() {
	slow_job "$scratch/output"
	rpc job.cancel job="$job"
	lab kill --controller --signal "$1"
	lab start --controller
	eventually 20 is_cancelled
	link_clear all
	nothing_like "$scratch/output"
	submit "$input" "$scratch/output"
	rm "$scratch/output"*
}

cancel_without_nodes_leaves_nothing() {
	slow_job "$scratch/output"
	lab kill --controller
	lab kill --node 1
	lab kill --node 2
	[[ -e $scratch/output.wm-partial && -e $scratch/output.wm-journal ]]
	lab start --controller
	job_holds 'it["state"] == "queued"'
	rpc job.cancel job="$job"
	eventually 20 is_cancelled
	nothing_like "$scratch/output"
	lab start --node 1
	lab start --node 2
	link_clear all
}

discard_removes_what_is_left() {
	slow_job "$scratch/output" fail_after_seconds=2
	refused 1 "is at it already" ctl job discard "$scratch/output"
	lab kill --node 1
	lab kill --node 2
	ends "failed"
	lab start --node 1
	lab start --node 2
	link_clear all
	ctl job discard "$scratch/output" >"$scratch/said"
	cat "$scratch/said"
	grep "removed $scratch/output.wm-partial" "$scratch/said"
	grep "removed $scratch/output.wm-journal" "$scratch/said"
	nothing_like "$scratch/output"
	refused 1 "nothing to discard" ctl job discard "$scratch/output"
}

# The file that it is written to first is a folder.
what_cannot_be_saved_is_refused() {
	mkdir "$state/jobs.json.new"
	refused 1 "not queued.*$state" \
		rpc job.submit kernel=xor input="$input" output="$scratch/output" || {
		rmdir "$state/jobs.json.new"
		return 1
	}
	rmdir "$state/jobs.json.new"
	nothing_like "$scratch/output"
	submit "$input" "$scratch/output"
	rm "$scratch/output"*
}

socket_is_there() {
	nodes
}

state_is_one_controllers() {
	local pid
	read -r pid _ <"/run/wiremill/$lab/ctl.pid"
	refused 1 "another wiremilld, pid $pid has the state directory" lab exec -- timeout 20 \
		"$build/control/wiremilld" --interface port0 --state "$state" \
		--socket "$scratch/other.sock"
	rm "$socket"
	eventually 10 socket_is_there
	refused 1 "another wiremilld answers" lab exec -- timeout 20 \
		"$build/control/wiremilld" --interface port0 --key "/run/wiremill/$lab/key" \
		--state "$scratch/other" --socket "$socket" || {
		rm -rf "$scratch/other"
		return 1
	}
	socket_is_there
	rm -rf "$scratch/other"
}

disk_ends() {
	disk_answers
	umount "$bad"
	wait "$disk_pid"
}

mkdir "$bad" "$files"
mounts+=("$bad")
make_data "$input" $((16 * mib))
cp "$input" "$files/input"
lab_up --nodes 2 --mtu 9000
state=/run/wiremill/$lab/state
disk_starts
check "a submission to a disk that hangs is refused, and others are served meanwhile" \
	submission_is_refused_and_others_are_served
check "a job whose files hang is cancelled at once, and others run" cancel_is_answered_at_once
check "a running job whose input hangs names it, and goes on when it answers" \
	input_that_hangs_is_named
check "and one whose output hangs" output_that_hangs_is_named
check "a running job whose disk hangs is cancelled when it answers, and says so" \
	running_job_that_is_cancelled_says_what_it_waits_for
check "a controller stops and starts with a disk that hangs, and goes on when it answers" \
	stop_and_start_do_not_wait_for_it
check "a cancelled job is cancelled after a stop" cancel_lasts_over_a_stop TERM
check "and after a kill" cancel_lasts_over_a_stop KILL
check "cancelled after a restart without nodes, a job leaves nothing" \
	cancel_without_nodes_leaves_nothing
check "what a failed job left is discarded" discard_removes_what_is_left
check "what cannot be saved is not queued" what_cannot_be_saved_is_refused
check "a state directory and a socket are one controller's" state_is_one_controllers
check "all programs end well" programs_end_well
disk_ends
finish
