#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Nodes that compute wrong: caught by the identity of the kernel or by an audit, put
# in quarantine with the reason, and nothing of theirs stays in the output. Without
# either, what they deliver is wrong: so the test can fail.
# shellcheck disable=SC2317  # the steps are called by check
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

input=$scratch/input
output=$scratch/output
library=$build/tests/lab/wrong_node.so
[[ -e $library ]] || skip_all "$library is not built"
node_count=5

# wrong_start NODE EVERY BITS: one result in EVERY of that node is wrong by so many bits.
wrong_start() {
	lab kill --node "$1" --signal TERM
	LD_PRELOAD=$library WM_WRONG_EVERY=$2 WM_WRONG_BITS=$3 lab start --node "$1"
}

# trust NODE...: those of them that are in quarantine, which a new controller knows, too.
trust() {
	local node
	for node in "$@"; do
		if [[ " $(quarantined) " == *" n$node "* ]]; then
			rpc node.admit name="n$node"
		fi
	done
}

# honest_start NODE...: whom a new controller takes no sooner than they are trusted.
honest_start() {
	local node caught
	caught=$(quarantined)
	for node in "$@"; do
		lab kill --node "$node" --signal TERM
	done
	lab kill --controller --signal TERM
	lab start --controller
	equal "who is in quarantine for the next controller" "$(quarantined)" "$caught"
	trust "$@"
	for node in "$@"; do
		lab start --node "$node"
	done
	eventually 30 all_are_in
}

all_are_in() {
	holds "sum(n['state'] in ('admitted', 'ready') for n in it['nodes']) == $node_count" "$(nodes)"
}

# run PARAMETER=VALUE...: to the end.
run() {
	rm -f "$output"*
	begin "$input" "$output" "$@"
	ends "done"
}

is_quarantined() {
	node_holds "$1" "n['state'] == 'quarantined' and 'wrong' in n['reason']"
}

quarantined() {
	value "' '.join(sorted(n['name'] for n in it['nodes'] if n['state'] == 'quarantined'))" \
		"$(nodes)"
}

only_these_are_quarantined() {
	equal "who is quarantined" "$(quarantined)" "$*"
}

is_exact() {
	is_finished "$output"
	matches_reference "$input" "$output"
}

wrong_results() {
	value 'it["lanes"][0]["drops"]["wrong"]' "$(stats)"
}

honest() {
	run audit_ppm=10000
	is_exact
	only_these_are_quarantined
	job_holds 'it["audited"] > 0'
}

one_bit() {
	wrong_start 2 10000 1
	run audit_ppm=0
	is_quarantined n2
	only_these_are_quarantined n2
	(($(wrong_results) >= 1))
	is_exact
	honest_start 2
}

two_bits_audited() {
	wrong_start 3 10 2
	run audit_ppm=10000
	is_quarantined n3
	only_these_are_quarantined n3
	job_holds 'it["audited"] > 0'
	is_exact
	honest_start 3
}

two_bits_unaudited() {
	local status=0
	wrong_start 4 1000 2
	run audit_ppm=0
	only_these_are_quarantined
	refused 1 "differs first" matches_reference "$input" "$output"
	ctl verify --kernel xor --input "$input" --output "$output" || status=$?
	equal "exit status of verify" "$status" 1
	honest_start 4
}

two_of_five_wrong() {
	wrong_start 1 10 2
	wrong_start 5 10 2
	run audit_ppm=50000
	only_these_are_quarantined n1 n5
	is_exact
	honest_start 1 5
}

lab_up --nodes "$node_count" --mtu 9000
# So that each node computes more than 10,000 batches of 8 KiB.
make_data "$input" $((512 * 1024 * 1024))
check "with an audit, honest nodes stay and the output is exact" honest
check "one wrong bit in one of 10,000 results is caught by the identity" one_bit
check "two bits that the identity cannot see are caught by an audit of 1 %" two_bits_audited
check "without an audit they get into the output, and verify finds them" two_bits_unaudited
check "two wrong nodes of five are both caught by an audit of 5 %" two_of_five_wrong
check "all programs end well" programs_end_well
finish
