#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Batches with tags: exact as without, also on bad links; and somebody on the wire
# who answers batches before their node does, which corrupts the output where a
# frame has no more than a CRC, is refused and counted.
# shellcheck disable=SC2317  # the steps are called by check
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

node=$build/control/wiremill-node
aead=(--controller-arg --auth --controller-arg aead --node-arg --require-aead)
input=$scratch/forged-input
output=$scratch/forged-output

drops() {
	value 'it["lanes"][0]["drops"]' "$(stats)"
}

frames_are_by() {
	holds 'it["lanes"][0]["obtained"]["auth"] == "'"$1"'"' "$(stats)"
}

# begin_inside LOG MACHINE -- COMMAND...: in the background, as $!, which the
# command itself is in the end.
begin_inside() {
	local log=$1
	shift
	(exec "$root/tools/lab" exec --name "$lab" "$@") >"$log" 2>&1 &
}

# forged_job TAG: a job with the forger on the wire to node 1; sets forged.
forged_job() {
	local forger
	rm -f "$output"* "$scratch/forger"
	make_data "$input" $((32 * mib))
	begin_inside "$scratch/forger" --switch -- python3 "$tests/forger.py" ctl0 n1 \
		02:57:4d:00:00:01 "$1"
	forger=$!
	eventually 10 grep -q listening "$scratch/forger" || {
		cat "$scratch/forger"
		return 1
	}
	submit "$input" "$output"
	kill -TERM "$forger"
	wait "$forger"
	cat "$scratch/forger"
	forged=$(tail -n 1 "$scratch/forger")
	holds 'it["results"] > 100' "$forged"
}

crc_is_not_enough() {
	frames_are_by crc32c
	forged_job none
	# Nobody notices but who compares.
	holds 'it["auth"] == 0' "$(drops | tr "'" '"')"
	! matches_reference "$input" "$output"
}

nobody_is_blamed() {
	holds 'all(n["state"] in ("admitted", "ready") for n in it["nodes"])' "$(nodes)"
}

node_has_dropped() {
	holds "any(n['name'] == 'n1' and n['dropped'] >= $1 for n in it['nodes'])" "$(nodes)"
}

forgery_is_refused() {
	local auth
	frames_are_by aead
	forged_job guess
	matches_reference "$input" "$output"
	# About three in four have something in the place of a tag, the others are too
	# short; what came after the end of the job is not looked at.
	auth=$(value 'it["lanes"][0]["drops"]["auth"]' "$(stats)")
	echo "drops: $(drops)"
	holds "it['results'] // 2 <= $auth < it['results'] and it['maps'] > 10" "$forged"
	eventually 5 node_has_dropped "$(value 'it["maps"] // 2' "$forged")"
	nobody_is_blamed
}

exact_under_faults() {
	# Of 2000 frames one in a thousand might meet the controller not once.
	link_fault all --loss 1% --corrupt 1% --duplicate 1%
	job_is_exact $(($1 * mib + 32 * 77))
	holds 'it["lanes"][0]["drops"]["crc"] > 0 and it["lanes"][0]["batches"]["resent"] > 0' "$(stats)"
}

copies_nothing() {
	holds 'all(l["copied_bytes"]["transmit"] == 0 and l["payload_bytes"]["receive"] > 0 and
		(l["copied_bytes"]["receive"] == 0 or "drive" in l["obtained"]["receive_why"])
		for l in it["lanes"])' "$(stats)"
}

weaker_controller_is_left_alone() {
	local stranger
	lab kill --node 2 --signal TERM
	begin_inside "$scratch/stranger" --node 2 -- env LP_NUM_THREADS=0 "$node" \
		--interface port0 --name n2 --key "/run/wiremill/$lab/key" --require-aead
	stranger=$!
	eventually 20 grep -q "start it with --auth aead" "$scratch/stranger"
	holds "[n['state'] for n in it['nodes'] if n['name'] == 'n2'][-1] == 'gone'" "$(nodes)"
	kill -TERM "$stranger"
	# How a program ends is looked at below.
	wait "$stranger" || true
	lab start --node 2
}

wrong_use_is_refused() {
	refused 2 "needs the cluster key" "$build/control/wiremilld" --interface lo --auth aead
	refused 2 "crc32c or aead" "$build/control/wiremilld" --interface lo --auth md5
	refused 2 "needs the cluster key" "$node" --interface lo --require-aead
}

check "what makes no sense is refused" wrong_use_is_refused

# So slow that batches wait at the switch, and the forger is the first to answer.
lab_up --nodes 2 --mtu 9000 --rate 200mbit
check "a node that requires tags joins no controller without" weaker_controller_is_left_alone
check "with a CRC alone a forger corrupts the output" crc_is_not_enough
check "taken down" lab_down

for mtu in 9000 1500; do
	lab_up --nodes 3 --mtu "$mtu" --rate 200mbit "${aead[@]}"
	check "MTU $mtu: with tags a job is exact" job_is_exact $((16 * mib))
	if ((mtu == 9000)); then
		check "MTU $mtu: the controller still copies no payload" copies_nothing
	fi
	check "MTU $mtu: the same forger is refused and counted, the output exact" forgery_is_refused
	check "MTU $mtu: exact under faults" exact_under_faults 16
	check "MTU $mtu: all programs end well" programs_end_well
	check "MTU $mtu: taken down" lab_down
done
finish
