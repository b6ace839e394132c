#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# One job whose controller is killed at 50 random moments. Each time it is started
# again and goes on by itself; what was durable is never computed again. The moments
# come from a seed that is printed first; WM_TEST_SEED=N replays them.
# shellcheck disable=SC2317  # the steps are called by check
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

input=$scratch/input
output=$scratch/output
lives=50
megabytes=768 # more than fifty lives get done, on a machine that is busy with other things too
# Extents that one life may have begun and not made durable (limits.h, progress.h).
unfinished_max=$((48 + 120))
seed=${WM_TEST_SEED:-$((RANDOM << 15 | RANDOM))}
echo "# seed $seed"
mapfile -t moments < <(python3 -c 'import random, sys
random.seed(int(sys.argv[1]))
print(*(f"{random.uniform(0, 2.4):.3f}" for _ in range(int(sys.argv[2]))), sep="\n")' "$seed" "$lives")

# Sets journalled and extent_bytes.
read_journal() {
	local found
	found=$(python3 "$tests/journal.py" "$output.wm-journal")
	journalled=$(value 'it["extents"]' "$found")
	extent_bytes=$(value 'it["extent_bytes"]' "$found")
}

extents_read() {
	value 'it["lanes"][0]["extents"]["read"]' "$(stats)"
}

# What the job says of this life, if it already runs.
resumed_where_it_was() {
	local resumed=$(($1 * extent_bytes))
	job_holds "it['state'] in ('queued', 'preparing') or it['resumed_bytes'] == $resumed"
	job_holds "it['extents_done'] >= $1 or it['state'] != 'running'"
}

dies_and_resumes() {
	local life durable=0 has_read total_read=0 running=0
	extent_bytes=0
	for ((life = 0; life < lives; life++)); do
		sleep "${moments[life]}"
		[[ ! -e $output ]]
		resumed_where_it_was "$durable"
		has_read=$(extents_read)
		lab kill --controller
		read_journal
		echo "life $life: ${moments[life]} s, $has_read extents read, $journalled durable"
		((journalled >= durable))
		((has_read <= journalled - durable + unfinished_max))
		((journalled == durable)) || running=$((running + 1))
		total_read=$((total_read + has_read))
		durable=$journalled
		lab start --controller
	done
	((durable < megabytes))
	# Else the kills would have hit nothing but preparations.
	((running > lives / 4))
	((total_read <= durable + lives * unfinished_max))
}

completes() {
	local resumed
	read_journal
	resumed=$journalled
	link_rate all 1gbit
	ends "done"
	job_holds "it['resumed_bytes'] >= $((resumed * extent_bytes))"
	# The last life read what was not durable when it began, and nothing else.
	equal "extents read" "$(extents_read)" \
		"$(value "it['extents'] - it['resumed_bytes'] // $extent_bytes" "$(show)")"
	is_finished "$output"
	matches_reference "$input" "$output"
}

lab_up --nodes 3 --mtu 9000 --rate 15mbit
make_data "$input" $((megabytes * 1024 * 1024))
begin "$input" "$output"
check "a controller killed $lives times resumes each time from what is durable" dies_and_resumes
check "the job completes: exact, with a manifest, nothing else left" completes
check "all programs end well" programs_end_well
finish
