#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A kernel of an author's own, as its controller keeps it: from the file to an exact output, by
# its name and its hash, over the controller's death, and what becomes of a job whose kernel is
# gone. How nodes get it: kernel_test.sh.
# shellcheck disable=SC2317  # the steps are called by check
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

kernels=$root/tests/kernels
own=$kernels/wide-halo.glsl
input=$scratch/input
output=$scratch/output

# own_job OPTION...: submits without waiting; sets job.
own_job() {
	rm -f "$output" "$output".wm-manifest
	job=$(ctl job submit --parsable --input "$input" --output "$output" "$@")
}

# extents_are_durable: some of the job's are.
extents_are_durable() {
	local found
	found=$(python3 "$tests/journal.py" "$output.wm-journal")
	holds 'it["extents"] > 0' "$found"
}

# own_job_held OPTION...: and when this returns, it is in the middle, with something durable,
# and stays there: three links have let 12 MiB of 32 pass.
own_job_held() {
	links_hold_after $((4 * mib))
	own_job "$@"
	eventually 60 extents_are_durable
}

# is_exact SHIFT
is_exact() {
	is_finished "$output"
	python3 "$tests/kernel_reference.py" "$input" "$output" "$1"
	ctl verify --manifest --output "$output"
}

mistakes_are_told_with_their_line() {
	# Of the text alone: there is no controller at that socket.
	refused 1 'bad-name.glsl:[0-9]+: ' "$wiremill" job submit --socket /nonexistent/sock \
		--kernel "$kernels/bad-name.glsl" --input "$input" --output "$output"
	refused 1 'bad-syntax.glsl:[0-9]+: error: ' ctl job submit \
		--kernel "$kernels/bad-syntax.glsl" --input "$input" --output "$output"
	refused 1 'shift' ctl job submit --kernel "$own" --param shift=32 --input "$input" \
		--output "$output"
	refused 2 '--param goes with' ctl job submit --kernel xor --param shift=3 \
		--input "$input" --output "$output"
	refused 1 "no kernel 'wide-halo' here" ctl job submit --kernel wide-halo \
		--input "$input" --output "$output"
	holds 'it["jobs"] == []' "$(ctl job list --json)"
	holds '[k["name"] for k in it["kernels"]] == ["xor"]' "$(ctl kernel list --json)"
}

nodes_compute_it() {
	link_fault all "${faults[@]}"
	own_job --kernel "$own" --param shift=3
	ends "done"
	is_exact 3
	job_holds 'it["nodes"] == 3 and it["kernel"] == "wide-halo" and len(it["kernel_hash"]) == 64'
}

it_goes_on_by_its_hash() {
	local hash
	own_job_held --kernel "$own" --param shift=1
	hash=$(value 'it["kernel_hash"]' "$(show)")
	lab kill --controller
	[[ ! -e $output ]]
	lab start --controller
	links_let_go all
	ends "done"
	job_holds "it['kernel_hash'] == '$hash' and it['resumed_bytes'] > 0"
	is_exact 1
}

names_find_it() {
	local hash
	# Of two parameters there are two, and a name is not enough.
	refused 1 '2 kernels here are called wide-halo' ctl job submit --kernel wide-halo \
		--input "$input" --output "$output" --force
	hash=$(value '[k["hash"] for k in it["kernels"] if "shift=3" in k.get("params", [])][0]' \
		"$(ctl kernel list --json)")
	own_job --kernel "${hash:0:8}"
	ends "done"
	is_exact 3
	ctl kernel remove "$hash"
	own_job_held --kernel wide-halo
	refused 1 "job $job is not over, and needs it" ctl kernel remove wide-halo
	links_let_go all
	ends "done"
	is_exact 1
	ctl kernel remove wide-halo
	refused 1 "no kernel 'wide-halo' here" ctl kernel remove wide-halo
}

gone_and_back() {
	local hash
	own_job_held --kernel "$own" --param shift=2
	hash=$(value 'it["kernel_hash"]' "$(show)")
	lab kill --controller
	rm "/run/wiremill/$lab/state/kernels/$hash.wmk"
	lab start --controller
	ends "failed"
	job_holds '"add it again" in it["reason"]'
	refused 1 'add it again' ctl job resume "$output"
	# With another parameter it is another kernel.
	ctl kernel add "$own" --param shift=4
	refused 1 'add it again' ctl job resume "$output"
	ctl kernel add "$own" --param shift=2
	links_let_go all
	job=$(ctl job resume --parsable "$output")
	ends "done"
	job_holds "it['kernel_hash'] == '$hash' and it['resumed_bytes'] > 0"
	is_exact 2
}

lab_up --nodes 3 --mtu 9000
make_data "$input" $((32 * mib))
check "what is wrong with a kernel is told with its line, and begins nothing" \
	mistakes_are_told_with_their_line
check "nodes that have never seen it compute it exactly, with loss" nodes_compute_it
check "the controller killed in the middle: it goes on by the hash, exact" it_goes_on_by_its_hash
check "a name or digits find it, and it stays while a job needs it" names_find_it
check "a job whose kernel is gone says so, and goes on when it is back" gone_and_back
check "all programs end well" programs_end_well
finish
