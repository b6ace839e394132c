#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A controller is killed before each single step by which a job's files come, go and
# become durable, one step a life (the appends to a journal, which io_uring makes, are
# crash_test.sh's). Started again it goes on, or the job had not been
# accepted yet: in the end the output is exact and has its manifest. The life that ends one
# point's job is the one that dies at the next, whose files are in a folder of their own.
# shellcheck disable=SC2317  # the steps are called by check
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

input=$scratch/input
library=$build/tests/lab/crash_point.so
[[ -e $library ]] || skip_all "$library is not built"
# More steps than a job has: the test ends with the first job that lives.
points_max=60

# folder_of POINT: none's name begins like another's.
folder_of() {
	printf '%s/point%02d\n' "$scratch" "$1"
}

# mortal_start POINT: a controller that dies there.
mortal_start() {
	LD_PRELOAD=$library WM_CRASH_AT=$1 WM_CRASH_PATHS=$(folder_of "$1") lab start --controller
}

# died_before POINT: what it was about to do.
died_before() {
	sed -n "s|^crash point $1: ||p" "/run/wiremill/$lab/ctl.log"
}

# Whether the job was accepted or refused, and its controller died or not, shows later.
submit_once() {
	job=
	mkdir "$folder"
	begin "$input" "$output" || true
	eventually 60 is_over
}

is_over() {
	is_gone || { [[ $job ]] && job_holds 'it["state"] in ("done", "failed", "cancelled")'; }
}

# Sets job, to nothing if the controller knows none with that output.
find_job() {
	job=$(value "next((j['job'] for j in it['jobs'] if j['output'] == '$output'), '')" \
		"$(rpc job.list)")
}

# It says what kills it before it is killed, and its memory takes its time to go.
is_gone() {
	[[ ! -e /proc/$(cut -d' ' -f1 "/run/wiremill/$lab/ctl.pid") ]]
}

dies_and_ends_exact() {
	eventually 20 is_gone
	ls "$folder"
	mortal_start $((point + 1))
	find_job
	[[ $job ]] || begin "$input" "$output"
	ends "done"
	is_finished "$output"
	matches_reference "$input" "$output"
	rm -r "$folder"
}

# The job of a controller that comes to no such step.
lives() {
	is_finished "$output"
	matches_reference "$input" "$output"
	((point > 15))
}

lab_up --nodes 2 --mtu 9000
make_data "$input" $((2 * mib + 96))
lab kill --controller --signal TERM
mortal_start 1
for ((point = 1; point <= points_max; point++)); do
	folder=$(folder_of "$point")
	output=$folder/output
	submit_once >"$scratch/submitted" 2>&1
	step=$(died_before "$point")
	[[ $step ]] || break
	check "killed before the ${step/$folder\//}" dies_and_ends_exact
done
check "a controller that does not come to step $point ends its job" lives
check "all programs end well" programs_end_well
finish
