# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash disable=SC2154,SC2034

usage_up() {
	cat <<-'TEXT'
	usage: tools/lab up --nodes N --mtu M [--name S] [options]

	Builds a lab, starts the controller and N nodes, waits until all nodes are
	admitted, and prints the path of the control socket as its last line.
	With --no-controller: waits until the nodes ask for a controller, and prints the
	path of their cluster's key; then 'tools/lab exec -- PROGRAM ...' runs another
	controller there.

	  --nodes N             1 to 1000
	  --mtu M               of every link
	  --node-mtu I=M        of node I's link; may be repeated
	  --rate R              of the links to the nodes (1gbit, 100mbit, ...)
	  --node-rate I=R       of the link to node I; may be repeated
	  --uplink-rate R       of each link between controller and switch, both ways
	  --bridges N           1 to 4 switches: the controller has a port to each, port0
	                        and so on, and every Nth node is on the same one
	  --no-controller       everything but wiremilld
	  --name S              of the lab; "lab" if not given
	  --build DIR           where the programs were built; "build" if not given
	  --xdp MODE            auto, native or generic
	  --timeout SECONDS     to wait for the controller, then for the nodes; 60
	  --controller-arg ARG  one more argument for wiremilld; may be repeated
	  --node-arg ARG        one more argument for wiremill-node; may be repeated

	Rates are those of a wire: checksum, preamble and gap of each frame count. They
	hold at the switch's ports, since neither AF_XDP nor DPDK pass through a queueing
	discipline of the machine's own. A node's port is shaped towards the node only;
	its results keep to that rate too, because each answers a request that came in
	at it and is no larger.
	TEXT
}

# Words of the command line to the variables of verb_up, which owns them.
parse_up() {
	while (($#)); do
		[[ $1 == --* ]] || wrong_usage "unknown option '$1'"
		if [[ $1 == --no-controller ]]; then
			controller=no
			shift
			continue
		fi
		take_value "$@"
		case $1 in
		--name) choose_lab "$value" ;;
		--nodes) nodes=$value ;;
		--mtu) mtu=$value ;;
		--node-mtu) node_mtus+=("$value") ;;
		--rate) rate=$value ;;
		--node-rate) node_rates+=("$value") ;;
		--uplink-rate) uplink=$value ;;
		--bridges) bridges=$value ;;
		--build) build=$value ;;
		--xdp) xdp=$value ;;
		--timeout) timeout=$value ;;
		--controller-arg) controller_arguments+=("$value") ;;
		--node-arg) node_arguments+=("$value") ;;
		*) wrong_usage "unknown option '$1'" ;;
		esac
		shift 2
	done
}

check_up() {
	local pair
	if ! is_number "$nodes" || ((nodes > 1000)); then
		wrong_usage "--nodes is 1 to 1000, not '$nodes'"
	fi
	# What a veth takes. What Wiremill takes is for its programs to say.
	if ! is_number "$mtu" || ((mtu < 68 || mtu > 65535)); then
		wrong_usage "--mtu is 68 to 65535, not '$mtu'"
	fi
	for pair in "${node_mtus[@]}"; do
		[[ $pair =~ ^[1-9][0-9]{0,3}=[1-9][0-9]{1,4}$ && ${pair%=*} -le $nodes ]] ||
			wrong_usage "--node-mtu is a node's number, at most $nodes here, and its MTU, such as 1=1500, not '$pair'"
	done
	for pair in "${node_rates[@]}"; do
		[[ $pair =~ ^[1-9][0-9]{0,3}=[1-9][0-9]*[a-z]+$ && ${pair%%=*} -le $nodes ]] ||
			wrong_usage "--node-rate is a node's number, at most $nodes here, and its rate, such as 1=10mbit, not '$pair'"
	done
	[[ $bridges =~ ^[1-4]$ ]] || wrong_usage "--bridges is 1 to 4, not '$bridges'"
	[[ $controller == yes || ${#controller_arguments[@]} -eq 0 ]] ||
		wrong_usage "--controller-arg is for wiremilld, which --no-controller leaves out"
	is_number "$timeout" || wrong_usage "--timeout is a number of seconds, not '$timeout'"
	[[ $xdp =~ ^(auto|native|generic)$ ]] || wrong_usage "--xdp is auto, native or generic, not '$xdp'"
	[[ -d $build ]] || fail "there is no build in $build: run 'meson setup $build && ninja -C $build'"
}

save_up() {
	local pair
	state_set nodes "$nodes"
	state_set mtu "$mtu"
	for pair in "${node_mtus[@]}"; do
		state_set "mtu.n${pair%=*}" "${pair#*=}"
	done
	for pair in "${node_rates[@]}"; do
		state_set "rate.n${pair%=*}" "${pair#*=}"
	done
	state_set bridges "$bridges"
	state_set controller "$controller"
	state_set rate "$rate"
	state_set uplink "$uplink"
	state_set build "$(readlink -f "$build")"
	state_set xdp "$xdp"
	state_set timeout "$timeout"
	# 256 MiB of 2 MiB pages for each lane of a controller, and for DPDK: its pools (limits.h).
	state_set pages $((128 + 128 * bridges))
	((${#controller_arguments[@]} == 0)) || printf '%s\n' "${controller_arguments[@]}" >"$lab_state/controller.arguments"
	((${#node_arguments[@]} == 0)) || printf '%s\n' "${node_arguments[@]}" >"$lab_state/node.arguments"
}

# Whatever ends an 'up' before its end takes down what it made.
up_failed() {
	local status=$?
	trap '' INT TERM HUP
	trap - EXIT
	# Each step that can be done is done.
	set +e
	take_down
	say "'$lab_name' does not stand; what was made of it is taken down"
	exit "$status"
}

# What a controller of any kind will want; wiremilld takes it at once.
controller_prepare() {
	if [[ $controller == yes ]]; then
		controller_start
		return
	fi
	hugepages_lock
	hugepages_ensure "$(state_get pages 0)"
	hugepages_unlock
}

verb_up() {
	local nodes="" mtu="" rate="" uplink="" build xdp=auto timeout=60 node machines=()
	local bridges=1 controller=yes program
	local node_mtus=() node_rates=() controller_arguments=() node_arguments=()
	build=$here/../build
	choose_lab lab
	parse_up "$@"
	check_up

	mkdir -p "$state_root"
	# Between taking the name and being ready to give it back, no signal.
	trap '' INT TERM HUP
	mkdir "$lab_state" 2>/dev/null ||
		fail "a lab '$lab_name' stands already: choose another --name, or take it down by 'tools/lab down --name $lab_name'"
	trap up_failed EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	save_up
	program=$(built_program control/cli/wiremill)
	"$program" key "$lab_state/key" || fail "no cluster key could be made"
	built_program control/wiremill-node >/dev/null
	network_create
	controller_prepare
	for ((node = 1; node <= nodes; node++)); do
		node_start "n$node"
		machines+=("n$node")
	done
	nodes_wait "${machines[@]}"
	trap - EXIT INT TERM HUP

	say "'$lab_name' stands: $nodes nodes at MTU $mtu, logs in $lab_state"
	if [[ $controller == yes ]]; then
		echo "$lab_socket"
	else
		echo "$lab_state/key"
	fi
}
