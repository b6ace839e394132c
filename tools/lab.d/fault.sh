# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash disable=SC2154,SC2034

usage_fault() {
	cat <<-'TEXT'
	usage: tools/lab fault --node N|all [--loss P] [--corrupt P] [--duplicate P] [--name S]
	       tools/lab fault --node N|all --clear [--name S]
	       tools/lab fault --node N|all [--name S]

	Puts faults on a node's link, in both directions: P of the Wiremill frames
	(1%, 0.1%, ...) are lost, get one random bit flipped, or arrive twice. What was
	set before is replaced. Without any fault it prints what has happened so far.
	TEXT
}

verb_fault() {
	local node="" faults=() clear=false program machine machines
	choose_lab lab
	while (($#)); do
		case $1 in
		--loss | --corrupt | --duplicate)
			take_value "$@"
			faults+=("$1" "$value")
			[[ $value =~ ^[0-9]+(\.[0-9]+)?%$ ]] ||
				wrong_usage "$1 is a percentage such as 1% or 0.1%, not '$value'"
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
	! $clear || ((${#faults[@]} == 0)) || wrong_usage "--clear goes with no other fault"

	program=$(built_program tools/fault/wm-fault)
	machines=$(node_machines "$node")
	for machine in $machines; do
		if $clear; then
			in_machine sw "$program" clear "$machine"
		elif ((${#faults[@]})); then
			in_machine sw "$program" set "$machine" "${faults[@]}"
		else
			in_machine sw "$program" show "$machine" | sed "s/^/$machine /"
		fi
	done
}
