#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# wiremill-gen: what it counts is what the kernel counted, what the faults did, and
# what tshark saw; nodes answer it, up to their GPU.
# shellcheck disable=SC2317  # the steps are called by check
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

gen=$build/tools/gen/wiremill-gen

# run_gen OPTION...: in the controller's place.
run_gen() {
	lab exec -- timeout 300 "$gen" "$@"
}

# peer_start COMMAND OPTION...: in the place of node 1, listening; sets peer.
peer_start() {
	local command=$1
	shift
	# Of an earlier one, whose log says that it runs.
	rm -f "$scratch/peer.json" "$scratch/peer.log"
	lab exec --node 1 -- timeout 300 "$gen" "$command" --interface port0 --idle 2s \
		--json "$scratch/peer.json" "$@" >/dev/null 2>"$scratch/peer.log" &
	peer=$!
	eventually 30 grep -q 'runs on port' "$scratch/peer.log"
}

peer_wait() {
	wait "$peer"
}

# counter FIELD OPTION...: of a machine's port, as the kernel counts.
counter() {
	local field=$1
	shift
	lab exec "$@" -- ip -j -s link show port0 | python3 -c 'import json, sys
way, unit = sys.argv[1].split(".")
print(json.load(sys.stdin)[0]["stats64"][way][unit])' "$field"
}

# fault_count DIRECTION NAME: what the lab's faults did to node 1's link.
fault_count() {
	lab fault --node 1 | sed -nE "s/^n1 $1 .*\b$2=([0-9]+).*/\1/p"
}

# results FILE: its rows without their histograms, which no command line holds.
results() {
	python3 -c 'import json, sys
rows = json.load(open(sys.argv[1]))["results"]
print(json.dumps([{k: r[k] for k in r if k != "histogram"} for r in rows]))' "$1"
}

# total FILE: its last row of all targets.
total() {
	value 'json.dumps([r for r in it if r["scope"] == "total"][-1])' "$(results "$1")"
}

# ---- nodes --------------------------------------------------------------------

nodes_answer_each_probe() {
	run_gen roundtrip --interface port0 --key "$key" --nodes 3 --size 64,9018 --flows 3 \
		--window 8 --count 3000 --json "$scratch/echo.json" >/dev/null
	holds 'len(it) == 8 and all(r["lost"] == r["duplicates"] == 0 and
		r["latency_ns"]["count"] == r["received"]["frames"] == r["sent"]["frames"] and
		r["sent"]["frames"] == 3000 or r["scope"] == "node" for r in it)' \
		"$(results "$scratch/echo.json")"
}

nodes_compute_each_batch() {
	run_gen roundtrip --interface port0 --key "$key" --nodes 3 --op map --size 110,1518,jumbo \
		--window 8 --count 3000 --json "$scratch/map.json" >/dev/null
	holds 'len(it) == 12 and all(r["lost"] == r["damaged"] == 0 and
		r["received"]["frames"] == r["sent"]["frames"] > 0 for r in it)' \
		"$(results "$scratch/map.json")"
}

nodes_are_measured_one_by_one() {
	run_gen roundtrip --interface port0 --key "$key" --node n1,n3 --one-by-one --window 4 \
		--count 500 --json "$scratch/one.json" >/dev/null
	holds 'sorted(r["target"] for r in it if r["scope"] == "node") == ["n1", "n3"]
		and all(r["sent"]["frames"] == 500 for r in it)' \
		"$(results "$scratch/one.json")"
}

a_missing_node_is_named() {
	refused 1 'n9.*does not come' run_gen roundtrip --interface port0 --key "$key" \
		--node n9 --wait 1s
}

an_interrupt_shows_what_was_found() {
	local program
	run_gen roundtrip --interface port0 --key "$key" --nodes 3 --window 4 --duration 1h \
		--json "$scratch/cut.json" >"$scratch/cut.text" 2>"$scratch/cut.log" &
	program=$!
	# Its own counter moves: it measures.
	eventually 60 moves
	kill -INT "$(pgrep -P "$program" -f wiremill-gen | head -n 1 || echo "$program")"
	wait "$program"
	grep -q roundtrip "$scratch/cut.text"
	holds 'it[0]["sent"]["frames"] > 0' "$(results "$scratch/cut.json")"
}

moves() {
	local before
	before=$(counter tx.packets --controller)
	sleep 0.2
	(($(counter tx.packets --controller) > before + 100))
}

# Small frames as fast as they go, then larger ones, then the GPU. SVG, where there is gnuplot.
a_script_runs_and_is_drawn() {
	local plot=()
	cat >"$scratch/steps" <<-'TEXT'
		set TIME 1s
		repeat 2
		  roundtrip --nodes 3 --size 64,1518 --window 8 --duration $TIME
		end
		roundtrip --nodes 3 --op map --window 4 --count 600
	TEXT
	! command -v gnuplot >/dev/null || plot=(--plot "$scratch/picture")
	run_gen run "$scratch/steps" --interface port0 --key "$key" "${plot[@]}" \
		--json "$scratch/steps.json" >/dev/null
	holds 'sum(r["scope"] == "total" and r["received"]["frames"] > 0 for r in it) == 5' \
		"$(results "$scratch/steps.json")"
	((${#plot[@]} == 0)) || [[ -s $scratch/picture-latency.svg ]]
}

a_wrong_script_is_refused() {
	printf 'roundtrip --count 1\nflood\n' >"$scratch/steps"
	! run_gen run "$scratch/steps" --interface port0 --key "$key" 2>"$scratch/error" || return 1
	grep -q "steps:2: there is no command 'flood'" "$scratch/error"
}

wrong_usage_is_refused() {
	refused 2 'no command' "$gen" shout
	refused 2 'knows no --size' "$gen" echo --interface port0 --size 64
	refused 2 'name one of' "$gen" transmit --rate 1kpps
	refused 2 'from 1 to' "$gen" transmit --interface port0 --count 0
	refused 2 'time such as' "$gen" transmit --interface port0 --duration 1x
	refused 2 'no node' "$gen" transmit --interface port0 --mac 02:00:00:00:00:01 --nodes 2
	refused 2 'rate to begin' run_gen throughput --interface port0 --key "$key"
	refused 2 'too small' run_gen roundtrip --interface port0 --key "$key" --op map --size 100
}

# ---- a peer -------------------------------------------------------------------

kernel_and_tshark_count_the_same() {
	local sent received capture
	lab exec --node 1 -- timeout 120 tshark -i port0 -F pcapng -w "$scratch/seen.pcapng" \
		-c 4000 -f 'ether proto 0x88b5' >/dev/null 2>"$scratch/tshark.log" &
	capture=$!
	eventually 30 grep -q 'Capturing on' "$scratch/tshark.log"
	peer_start receive
	sent=$(counter tx.packets --controller)
	received=$(counter rx.packets --node 1)
	run_gen transmit --interface port0 --mac "$mac" --size 64-9018:7 --flows 5 --rate 2kpps \
		--count 4000 --json "$scratch/sent.json" >/dev/null
	peer_wait
	wait "$capture"
	equal "frames that the kernel sent" "$(($(counter tx.packets --controller) - sent))" 4000
	equal "frames that the kernel received" "$(($(counter rx.packets --node 1) - received))" 4000
	equal "frames that tshark saw" "$(tshark -r "$scratch/seen.pcapng" 2>/dev/null | wc -l)" 4000
	holds 'it["sent"]["frames"] == 4000' "$(total "$scratch/sent.json")"
	holds 'it["received"]["frames"] == 4000 and it["lost"] == it["reordered"] == 0' \
		"$(total "$scratch/peer.json")"
	equal "bytes" "$(value 'it["received"]["bytes"]' "$(total "$scratch/peer.json")")" \
		"$(value 'it["sent"]["bytes"]' "$(total "$scratch/sent.json")")"
}

# with_fault OPTION...: 4000 frames to the peer, through faults.
with_fault() {
	lab fault --node 1 "$@"
	peer_start receive
	run_gen transmit --interface port0 --mac "$mac" --size 512 --rate 2kpps --count 4000 >/dev/null
	peer_wait
	equal "frames that met the faults" "$(fault_count to frames)" 4000
}

loss_is_counted_exactly() {
	with_fault --loss 2%
	equal "lost" "$(value 'it["lost"]' "$(total "$scratch/peer.json")")" "$(fault_count to lost)"
	lab fault --node 1 --clear
}

duplicates_are_counted_exactly() {
	with_fault --duplicate 2%
	equal "duplicates" "$(value 'it["duplicates"]' "$(total "$scratch/peer.json")")" \
		"$(fault_count to duplicated)"
	holds 'it["lost"] == 0' "$(total "$scratch/peer.json")"
	lab fault --node 1 --clear
}

damage_is_loss() {
	with_fault --corrupt 2%
	equal "lost" "$(value 'it["lost"]' "$(total "$scratch/peer.json")")" \
		"$(fault_count to corrupted)"
	# What lost its EtherType is nobody's.
	holds '0 < it["damaged"] <= it["lost"]' "$(total "$scratch/peer.json")"
	lab fault --node 1 --clear
}

a_peer_echoes() {
	peer_start echo
	run_gen roundtrip --interface port0 --mac "$mac" --size imix --flows 4 --window 32 \
		--burst 8 --rate 4kpps --count 4000 --json "$scratch/back.json" >/dev/null
	peer_wait
	holds 'it["sent"]["frames"] == it["received"]["frames"] == 4000 and it["lost"] == 0' \
		"$(total "$scratch/back.json")"
	holds 'it["received"]["frames"] == 4000' "$(total "$scratch/peer.json")"
}

# ---- a limited link -------------------------------------------------------------

# A port that is limited holds back net_af_packet, whose ring of 1024 frames then takes
# what is too much: with short trials more than the rate passes, never less than nothing.
the_rate_of_a_link_is_found() {
	run_gen throughput --interface port0 --key "$key" --node n1 --size 512 --rate 80mbit \
		--depth 100ms --duration 2s --resolution 20% --json "$scratch/found.json" >/dev/null
	holds 'it["search"]["found"] and 16e6 <= it["search"]["rate"] < 80e6 and it["lost"] == 0' \
		"$(total "$scratch/found.json")"
}

lab_up --nodes 3 --mtu 9000 --no-controller
key=/run/wiremill/$lab/key
check "nodes answer each probe, at both ends of the sizes" nodes_answer_each_probe
check "nodes compute each batch, and right" nodes_compute_each_batch
check "nodes are measured one by one" nodes_are_measured_one_by_one
check "a node that does not come is named" a_missing_node_is_named
check "an interrupt ends it and shows what was found" an_interrupt_shows_what_was_found
check "wrong usage is refused" wrong_usage_is_refused
check "a script of steps runs, and is drawn" a_script_runs_and_is_drawn
check "a wrong script is refused with its line" a_wrong_script_is_refused
lab_down

lab_up --nodes 1 --mtu 9000 --no-controller
lab kill --node 1 --signal TERM
mac=$(lab exec --node 1 -- ip -j link show port0 | python3 -c 'import json, sys
print(json.load(sys.stdin)[0]["address"])')
check "the kernel and tshark count what the generator counts" kernel_and_tshark_count_the_same
check "loss is counted exactly" loss_is_counted_exactly
check "duplicates are counted exactly" duplicates_are_counted_exactly
check "a damaged frame is a lost one" damage_is_loss
check "a peer echoes" a_peer_echoes
lab_down

lab_up --nodes 1 --mtu 1500 --rate 20mbit --no-controller
key=/run/wiremill/$lab/key
check "the rate of a link is found" the_rate_of_a_link_is_found
lab_down
finish
