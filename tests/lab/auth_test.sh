#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A rack with a cluster key: who has it works, who has it not stays out, and who
# repeats what he has heard on the wire disturbs nobody.
# shellcheck disable=SC2317  # the steps are called by check
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

input=$scratch/large
output=$scratch/output
recording=$scratch/recording
node=$build/control/wiremill-node
capture=

machine_of() {
	echo "/run/wiremill/$lab/$1"
}

job_field() {
	ctl job show "$job" --json | python3 -c 'import json, sys
print(json.load(sys.stdin)[sys.argv[1]])' "$1"
}

# control EXPRESSION: a condition on what stats counts of control frames.
control() {
	holds "$1" "$(value 'json.dumps(it["control"])' "$(stats)")"
}

# node_is NAME STATES
node_is() {
	holds "[n['state'] for n in it['nodes'] if n['name'] == '$1'][-1] in '$2'.split()" "$(nodes)"
}

no_key_was_made_for_others() {
	equal "the mode of the lab's key" "$(stat -c %a "$(machine_of key)")" 600
	refused 1 "exists" "$wiremill" key "$(machine_of key)"
}

keyed_job() {
	job_is_exact $((2 * 1024 * 1024))
	control 'it["authenticated"] and it["forged"] == it["replayed"] == it["unkeyed"] == 0'
}

# begin_inside LOG MACHINE -- COMMAND...: in the background, as $!, which the
# command itself is in the end.
begin_inside() {
	local log=$1
	shift
	(exec "$root/tools/lab" exec --name "$lab" "$@") >"$log" 2>&1 &
}

# stranger OPTION...: node 3 with other options; sets stranger, logs to stranger.log.
stranger() {
	lab kill --node 3 --signal TERM
	eventually 20 node_is n3 gone
	begin_inside "$scratch/stranger.log" --node 3 -- \
		env LP_NUM_THREADS=0 "$node" --interface port0 --name n3 "$@"
	stranger=$!
}

stranger_goes() {
	local status=0
	kill -TERM "$stranger"
	wait "$stranger" || status=$?
	equal "its exit status" "$status" 0
	lab start --node 3
}

other_key_stays_out() {
	"$wiremill" key "$scratch/other"
	stranger --key "$scratch/other"
	eventually 20 grep -q "does not prove to have our key" "$scratch/stranger.log"
	eventually 20 control 'it["forged"] >= 3'
	node_is n3 gone
	stranger_goes
	equal "how often it says so" \
		"$(grep -c "does not prove to have our key" "$scratch/stranger.log")" 1
}

no_key_stays_out() {
	stranger
	eventually 20 grep -q "not admitted: refused: this controller wants its key" \
		"$scratch/stranger.log"
	grep -q "no --key" "$scratch/stranger.log"
	control 'it["unkeyed"] >= 1'
	node_is n3 gone
	stranger_goes
}

bad_key_files() {
	local key=$scratch/open
	"$wiremill" key "$key"
	chmod 644 "$key"
	refused 1 "chmod 600 $key" lab exec --node 3 -- "$node" --interface port0 --key "$key"
	refused 1 "chmod 600 $key" lab exec -- "$build/control/wiremilld" --interface port0 \
		--socket "$scratch/socket" --key "$key"
	echo "not a key" >"$key"
	chmod 600 "$key"
	refused 1 "64 hexadecimal digits" lab exec --node 3 -- "$node" --interface port0 --key "$key"
	refused 1 "cannot be opened" lab exec --node 3 -- "$node" --interface port0 --key "$key.none"
}

# Two lives of node 2, from HELLO to BYE.
lives_are_recorded() {
	local life
	begin_inside "$scratch/capture" --switch -- \
		python3 "$tests/replay.py" capture n2 "$recording"
	capture=$!
	eventually 10 grep -q listening "$scratch/capture"
	for life in 1 2; do
		lab kill --node 2 --signal TERM
		eventually 20 node_is n2 gone
		lab start --node 2
		job_is_exact $((1024 * 1024 * life))
	done
	lab kill --node 2 --signal TERM
	eventually 20 node_is n2 gone
	lab start --node 2
	kill -TERM "$capture"
	wait "$capture"
}

recorded_lives_disturb_nobody() {
	local sent lines
	rm -f "$output"
	link_rate all 15mbit
	lines=$(lab logs --controller | wc -l)
	job=$(ctl job submit --kernel xor --input "$input" --output "$output" --json |
		python3 -c 'import json, sys; print(json.load(sys.stdin)["job"])')
	until [[ $(job_field batches_done) -gt 0 ]]; do
		sleep 0.05
	done
	sent=$(lab exec --switch -- python3 "$tests/replay.py" send "$recording" ctl0 n2 \
		02:57:4d:00:00:02 5)
	equal "the job's state" "$(job_field state)" running
	link_rate all 100mbit
	holds 'all(it[op] > 0 for op in "hello welcome beat kernel ack bye".split())' "$sent"
	until [[ ! $(job_field state) =~ queued|preparing|running|finishing ]]; do
		sleep 0.1
	done
	equal "the job's state" "$(job_field state)" "done"
	matches_reference "$input" "$output"

	# Counted, and nobody came or went.
	control 'it["ignored"] + it["replayed"] > 20'
	node_is n2 "admitted ready"
	equal "who came or went" "$(lab logs --controller | tail -n +$((lines + 1)) |
		grep -E "leaves|anew|admitted|gone" || true)" ""
	lab logs --node 2 | tail -n 1 | grep -q "job $job"
	holds "[n['batches'] for n in it['nodes'] if n['name'] == 'n2'][-1] > 0" "$(nodes)"
}

lab_up --nodes 3 --mtu 9000 --rate 100mbit
make_data "$input" $((96 * 1024 * 1024))
check "each lab has a key that is its own alone" no_key_was_made_for_others
check "a keyed rack does a job" keyed_job
check "a node with another key is not admitted and says so" other_key_stays_out
check "a node without a key is not admitted and says so" no_key_stays_out
check "key files that are open to others or no keys are refused" bad_key_files
check "two lives of a node are recorded" lives_are_recorded
check "what was recorded disturbs no running job" recorded_lives_disturb_nobody
check "all programs end well" programs_end_well
finish
