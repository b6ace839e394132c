# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash disable=SC2154,SC2034

usage_fault() {
	cat <<-'TEXT'
	usage: tools/lab fault --node N|all [--loss P] [--corrupt P] [--duplicate P]
	                       [--frames A-B] [--name S]
	       tools/lab fault --node N|all --rate R [--name S]
	       tools/lab fault --node N|all --clear [--name S]
	       tools/lab fault --node N|all [--name S]

	Puts faults on a node's link, in both directions: P of the Wiremill frames
	(1%, 0.1%, ...) are lost, get one random bit flipped, or arrive twice; with
	--frames only of those from number A to number B in each direction, counted from
	now on. What was set before is replaced. With --rate (10mbit, 1gbit, ...) the link
	has that rate from now on. --clear: it is as 'lab up' has made it. Without any
	option it prints what has happened so far.
	TEXT
}

# fault_clear MACHINE: no faults, up, and at the rate that it was made with.
fault_clear() {
	local rate
	rate=$(state_get "rate.$1" "$(state_get rate "")")
	in_machine sw "$(built_program tools/fault/wm-fault)" clear "$1"
	ip -n "$(namespace_of sw)" link set "$1" up
	if [[ $rate ]]; then
		rate_limit "$1" "$rate"
	elif in_machine sw tc qdisc show dev "$1" root | grep -q '^qdisc tbf '; then
		in_machine sw tc qdisc del dev "$1" root
	fi
}

verb_fault() {
	local node="" faults=() clear=false rate="" program machine machines
	choose_lab lab
	while (($#)); do
		case $1 in
		--loss | --corrupt | --duplicate)
			take_value "$@"
			faults+=("$1" "$value")
			[[ $value =~ ^[0-9]+(\.[0-9]+)?%$ ]] ||
				wrong_usage "$1 is a percentage such as 1% or 0.1%, not '$value'"
			;;
		--frames)
			take_value "$@"
			faults+=("$1" "$value")
			[[ $value =~ ^[1-9][0-9]*-[1-9][0-9]*$ && ${value%-*} -le ${value#*-} ]] ||
				wrong_usage "--frames is a range such as 1-100, not '$value'"
			;;
		--rate)
			take_value "$@"
			rate=$value
			;;
		--clear)
			clear=true
			shift
			continue
			;;
		*) take_machine "$@" ;;
		esac
		shift 2
	done
	require_lab
	[[ $node ]] || wrong_usage "--node is missing: a node's number, or all"
	! $clear || [[ -z ${faults[*]}$rate ]] || wrong_usage "--clear goes with no other fault"
	[[ -z $rate || -z ${faults[*]} ]] || wrong_usage "--rate goes with no other fault"

	program=$(built_program tools/fault/wm-fault)
	machines=$(node_machines "$node")
	for machine in $machines; do
		if $clear; then
			fault_clear "$machine"
		elif [[ $rate ]]; then
			rate_limit "$machine" "$rate"
		elif ((${#faults[@]})); then
			in_machine sw "$program" set "$machine" "${faults[@]}"
		else
			in_machine sw "$program" show "$machine" | sed "s/^/$machine /"
		fi
	done
}
