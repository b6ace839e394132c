#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Switch ports of MTU 1500 between hosts of 9000, which let every control frame pass and
# no batch: found before the first batch, named in the log, the list and the job, and
# lived with. A port that changes in the middle of a job does not make it wait for ever.
# shellcheck disable=SC2317  # the steps are called by check
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

input=$scratch/input
output=$scratch/output

# port_mtu NODE MTU: of the switch's port to it. What is on the way is lost.
port_mtu() {
	lab exec --switch -- ip link set "n$1" mtu "$2"
}

log_says() {
	grep -qE -- "$1" "/run/wiremill/$lab/ctl.log"
}

is_narrow() {
	node_holds "$1" "n['path_narrow'] and n['path_mtu'] == 1500 and n['mtu'] == 9000"
}

is_wide() {
	node_holds "$1" "not n['path_narrow'] and n['path_mtu'] == 9000"
}

paths_of_an_even_rack() {
	for node in n1 n2 n3; do
		eventually 10 is_wide "$node"
	done
}

one_port_is_found() {
	lab kill --node 2 --signal TERM
	port_mtu 2 1500
	lab start --node 2
	eventually 20 is_narrow n2
	log_says "node n2: frames of MTU 1500 pass .* larger ones do not.*switch"
	ctl node list --wide | grep -E "^n2 .*frames above MTU 1500 do not pass"
}

# The smallest that reaches all of them governs, as it does where links differ.
a_job_uses_what_passes() {
	begin "$input" "$output"
	ends "done"
	job_holds "it['mtu'] == 1500"
	matches_reference "$input" "$output"
	node_holds n2 "n['batches'] > 0"
	log_says "the smallest, 1500 of the path to node n2, governs"
}

a_mended_port_is_noticed() {
	port_mtu 2 9000
	eventually 30 is_wide n2
	rm -f "$output"*
	begin "$input" "$output"
	ends "done"
	job_holds "it['mtu'] == 9000"
}

# So that a job lasts for some seconds.
slow_links() {
	local node
	for node in 1 2 3; do
		link_rate "$node" 20mbit
	done
	lab exec --switch -- tc qdisc show dev n1
}

# In the middle of a job: that node leaves it and the others end it.
one_port_changes() {
	slow_links
	rm -f "$output"*
	begin "$input" "$output"
	eventually 20 job_holds "it['output_bytes_done'] > 0"
	port_mtu 3 1500
	eventually 30 is_narrow n3
	eventually 10 node_holds n3 "'too small' in n['reason']"
	eventually 10 node_holds n3 "n['state'] == 'admitted'"
	ends "done"
	job_holds "it['mtu'] == 9000"
	matches_reference "$input" "$output"
}

# Beats still pass, and are no progress.
all_ports_change() {
	local node
	port_mtu 3 9000
	eventually 30 is_wide n3
	slow_links
	rm -f "$output"*
	begin "$input" "$output" fail_after_seconds=8
	eventually 20 job_holds "it['output_bytes_done'] > 0"
	for node in 1 2 3; do
		port_mtu "$node" 1500
	done
	eventually 15 job_holds "'frames of MTU 9000 do not reach node n' in it['waiting']"
	ends "failed"
	job_holds "'frames of MTU 9000 do not reach node n' in it['reason']"
}

it_goes_on_with_what_passes() {
	local node
	for node in 1 2 3; do
		link_rate "$node" 1gbit
	done
	job=$(value 'it["job"]' "$(rpc job.resume output="$output")")
	ends "done"
	job_holds "it['mtu'] == 1500"
	matches_reference "$input" "$output"
}

lab_up --nodes 3 --mtu 9000
make_data "$input" $((32 * mib))
check "on an even rack frames of the full size reach every node" paths_of_an_even_rack
check "a switch port of MTU 1500 is found, and its node named" one_port_is_found
check "a job uses the frames that reach all of its nodes" a_job_uses_what_passes
check "a port that was mended is noticed" a_mended_port_is_noticed
check "a port that changes in the middle takes its node out of the job" one_port_changes
check "with all ports changed the job says why it waits, and ends by --fail-after" all_ports_change
check "it is resumed with smaller frames" it_goes_on_with_what_passes
check "all programs end well" programs_end_well
finish
