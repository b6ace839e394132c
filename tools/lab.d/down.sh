# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash disable=SC2154,SC2034

usage_down() {
	cat <<-'TEXT'
	usage: tools/lab down [--name S]

	Ends the lab's programs, and removes its namespaces, its state and the
	hugepages it added. Does nothing if there is no such lab.
	TEXT
}

usage_list() {
	cat <<-'TEXT'
	usage: tools/lab list

	The labs that stand: nodes running of all, MTU, controller, control socket.
	TEXT
}

# Also for a lab that was built by half.
take_down() {
	local machines=() file
	for file in "$lab_state"/n*.pid; do
		[[ -e $file ]] || continue
		file=${file##*/}
		machines+=("${file%.pid}")
	done
	# Nodes first, so that they can say goodbye.
	programs_end 5 "${machines[@]}"
	programs_end 10 ctl
	network_remove
	hugepages_give_back
	rm -rf "$lab_state"
	rmdir "$state_root" 2>/dev/null || true
}

verb_down() {
	choose_lab lab
	while (($#)); do
		case $1 in
		--name)
			take_value "$@"
			choose_lab "$value"
			;;
		*) wrong_usage "unknown option '$1'" ;;
		esac
		shift 2
	done
	take_down
}

verb_list() {
	local path nodes running node controller
	(($# == 0)) || wrong_usage "unknown option '$1'"
	printf '%-16s %-9s %-6s %-10s %s\n' LAB NODES MTU CONTROLLER SOCKET
	for path in "$state_root"/*/; do
		[[ -e $path/nodes ]] || continue
		choose_lab "$(basename "$path")"
		nodes=$(state_get nodes 0)
		running=0
		for ((node = 1; node <= nodes; node++)); do
			[[ -z $(pid_of "n$node") ]] || running=$((running + 1))
		done
		controller=$(pid_of ctl)
		[[ $(state_get controller yes) == yes ]] || controller=none
		printf '%-16s %-9s %-6s %-10s %s\n' "$lab_name" "$running of $nodes" \
			"$(state_get mtu 0)" "${controller:-ended}" "$lab_socket"
	done
}
