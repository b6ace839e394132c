#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What a machine may lack, one thing at a time: each program says in one line what it is,
# and blames nothing else.
# shellcheck disable=SC2317  # the steps are called by check
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

refuse=$build/tests/lab/refuse
gen=$build/tools/gen/wiremill-gen
daemon=("$build/control/wiremilld" --interface port0 --socket "$scratch/s.sock" --state "$scratch/state")

# Without the warnings of what was not asked for, and of $unasked.
unasked='no --key'
said_by() {
	local status=0
	"$@" 2>"$scratch/all" >"$scratch/out" || status=$?
	grep -Ev "$unasked" "$scratch/all" >&2 || true
	cat "$scratch/out"
	return "$status"
}

# controller WORDS WRAPPER...: the controller, run by that, does not start and says so.
controller() {
	local words=$1
	shift
	refused 1 "$words" said_by lab exec -- timeout -k 5 20 "$@" "${daemon[@]}"
}

# node WORDS WRAPPER...
node() {
	local words=$1
	shift
	refused 1 "$words" said_by lab exec --node 1 -- timeout -k 5 20 "$@" "$build/control/wiremill-node" \
		--interface port0 --name n1
}

# within SETUP...: a wrapper that does this first, in mounts of its own.
within() {
	unshare_setup=(unshare -m bash -c "$1; exec \"\$@\"" -)
}

seccomp_is_not_the_sysctl() {
	controller 'seccomp filter forbids io_uring: ' "$refuse" io_uring_setup 1
	controller 'seccomp filter forbids io_uring: ' "$refuse" io_uring_setup 38
	controller 'seccomp filter forbids io_uring_register' "$refuse" io_uring_register 1
	node 'seccomp filter forbids bpf' "$refuse" bpf 1
	node 'seccomp filter forbids AF_XDP' "$refuse" socket_xdp 1
	node 'seccomp filter forbids AF_XDP' "$refuse" socket_xdp 97
	node 'seccomp filter forbids sockets' "$refuse" socket_inet 97
	unasked='no --key|log has no thread' node 'seccomp filter forbids threads.*Vulkan' "$refuse" clone3 1
	! grep io_uring_disabled "$scratch/stderr"
}

# What has no line of its own says that a filter is in force, beside what failed.
any_call_that_seccomp_refuses() {
	local call code
	for call in eventfd2 get_mempolicy ioctl memfd_create; do
		controller 'seccomp filter' "$refuse" "$call" 1
	done
	controller 'seccomp filter forbids io_uring: ' "$refuse" io_uring_enter 1
	unasked='no --key|log has no thread' \
		controller 'seccomp filter forbids threads.*DPDK' "$refuse" clone3 1
	for code in 1 97; do
		controller 'AF_PACKET socket.*seccomp filter' "$refuse" socket_packet "$code"
		controller 'port0.*no socket.*seccomp filter' "$refuse" socket_inet "$code"
		controller 'control socket.*seccomp filter' "$refuse" socket_unix "$code"
	done
	node 'port0.*seccomp filter' "$refuse" ioctl 1
}

# The setting 1 is for who has no CAP_SYS_ADMIN: else it is not what refused.
sysctl_is_not_seccomp() {
	within "echo 1 >'$scratch/one'; mount --bind '$scratch/one' /proc/sys/kernel/io_uring_disabled"
	controller 'seccomp filter forbids io_uring: ' "${unshare_setup[@]}" "$refuse" io_uring_setup 1
	controller 'no CAP_SYS_ADMIN.*io_uring_disabled=0' "${unshare_setup[@]}" \
		"$refuse" io_uring_setup 1 setpriv --bounding-set=-sys_admin
}

# What it is root of is not the machine.
user_namespaces_are_named() {
	local root_of_little=(unshare -U -r -n bash -c 'ip link add port0 type veth peer name other
		ip link set port0 up; ulimit -l 8192; exec "$@"' -)
	controller 'to be locked.*user namespace.*ulimit -l' "${root_of_little[@]}"
	node 'CAP_BPF CAP_IPC_LOCK of the machine.*user namespace' "${root_of_little[@]}"
	timeout -k 5 20 "${root_of_little[@]}" "$gen" transmit --interface port0 \
		--mac 02:00:00:00:00:01 --count 1
}

no_sys_is_not_no_hugepages() {
	within 'umount -l /sys'
	controller '/sys is not mounted' "${unshare_setup[@]}"
	refused 1 '/sys is not mounted' said_by lab exec -- timeout -k 5 20 "${unshare_setup[@]}" "$gen" transmit \
		--interface port0 --mac 02:00:00:00:00:01 --count 1
	within 'mount -t tmpfs none /sys/kernel/mm'
	controller 'counters of hugepages.*findmnt' "${unshare_setup[@]}"
	within 'mount -t tmpfs none /sys/devices/system/cpu'
	controller 'core [0-9]+ may be used.*findmnt' "${unshare_setup[@]}"
	within 'umount -l /proc'
	controller '/proc is not mounted' "${unshare_setup[@]}"
}

# A node keeps nothing there: its program goes with it.
no_bpffs_is_needed() {
	local status=0
	within "mount -t tmpfs none /sys/fs/bpf; echo \$\$ >'$scratch/pid'"
	lab exec --node 1 -- "${unshare_setup[@]}" "$build/control/wiremill-node" \
		--interface port0 --name n1 >"$scratch/log" 2>&1 &
	eventually 60 grep 'joining as n1' "$scratch/log" || status=1
	kill "$(<"$scratch/pid")"
	wait $! && return "$status"
}

capabilities_are_named() {
	controller 'needs CAP_NET_RAW:' setpriv --bounding-set=-net_raw
	controller 'needs CAP_NET_ADMIN:' setpriv --bounding-set=-net_admin
	controller 'to be locked.*CAP_IPC_LOCK.*ulimit -l' \
		bash -c 'ulimit -l 8192; exec "$@"' - setpriv --bounding-set=-ipc_lock,-sys_resource
	refused 1 'CAP_NET_RAW CAP_NET_ADMIN:' said_by lab exec -- timeout -k 5 20 setpriv --bounding-set=-all \
		"$gen" transmit --interface port0 --mac 02:00:00:00:00:01 --count 1
	node 'CAP_NET_RAW CAP_NET_ADMIN CAP_BPF CAP_IPC_LOCK:' setpriv --bounding-set=-all
}

limits_are_named() {
	controller "'ulimit -n'" bash -c 'ulimit -n 32; exec "$@"' -
	controller "'ulimit -v unlimited'" bash -c 'ulimit -v 1000000; exec "$@"' -
	controller "'ulimit -f'" bash -c 'ulimit -f 1000; exec "$@"' -
	local files
	for files in 6 8 12 63; do
		node "'ulimit -n'" bash -c "ulimit -n $files; exec \"\$@\"" -
	done
	# What a driver makes of these differs, from 'no device' to an error that says nothing.
	node "'ulimit -v unlimited'" bash -c 'ulimit -v 1000000; exec "$@"' -
	node "'ulimit -v unlimited'" bash -c 'ulimit -v 100000; exec "$@"' -
	node "'ulimit -d unlimited'" bash -c 'ulimit -d 12000; exec "$@"' -
	node "'ulimit -d unlimited'" bash -c 'ulimit -d 25000; exec "$@"' -
	unasked='no --key|log has no thread' node "'ulimit -u'.*Vulkan" "$refuse" clone3 11
}

# EAL panics where a core may not be used, and prints its usage where it knows none.
cores_are_checked() {
	daemon+=(--lcores "0,77")
	controller 'core 77 of --lcores 0,77' env
	daemon[-1]=banana
	controller "not 'banana'" env
	daemon[-1]=0
	controller 'too few cores' env
	unset 'daemon[-1]' 'daemon[-1]'
	controller '2 cores are needed' taskset -c "$(taskset -cp $$ | sed 's/.*: \([0-9]*\).*/\1/')"
}

devices_are_checked() {
	refused 2 "such as 0000:05:00.0.*not '00:05'" "$build/control/wiremilld" --pci 00:05
	refused 2 "such as 0000:05:00.0.*not 'eth77'" "$gen" transmit --pci eth77 --mac 02:00:00:00:00:01
	refused 2 'are the same' "$build/control/wiremilld" --pci 05:00.0 --pci 0000:05:00.0
	refused 2 'ip link set port0 mtu 1500' "$build/control/wiremilld" --interface port0 --mtu 1500
	refused 1 'no PCI (device|bus)' said_by timeout -k 5 20 "$build/control/wiremilld" --pci ffff:ff:1f.7
	refused 1 'net_bogus0' said_by timeout -k 5 20 "$build/control/wiremilld" --vdev net_bogus0
	refused 1 'socket directory' said_by "$build/control/wiremilld" \
		--vdev net_memif0,role=client,socket-abstract=no,socket=/none/x
}

# no_ethernet INTERFACE, of the controller's machine: no program starts on it.
no_ethernet() {
	local refuses=(refused 1 "interface $1 is no Ethernet" said_by lab exec -- timeout -k 5 20)
	"${refuses[@]}" "$build/control/wiremilld" --interface "$1" --socket "$scratch/s.sock" \
		--state "$scratch/state"
	"${refuses[@]}" "$build/control/wiremill-node" --interface "$1" --name n1
	"${refuses[@]}" "$gen" transmit --interface "$1" --mac 02:00:00:00:00:01 --count 1
}

only_ethernet_carries_frames() {
	no_ethernet lo
	trap 'lab exec -- ip link del tun7' EXIT
	lab exec -- ip tuntap add dev tun7 mode tun
	no_ethernet tun7
}

# A link on which others send without end, as DPDK's null device does.
generator_ends_in_a_flood() {
	timeout -k 5 60 "$gen" transmit --vdev net_null0 --count 5 --idle 100ms --mac 02:00:00:00:00:01
}

read_only_state() {
	mkdir "$scratch/ro"
	within "mount -t tmpfs -o ro none '$scratch/ro'"
	daemon=("$build/control/wiremilld" --interface port0 --socket "$scratch/s.sock" --state "$scratch/ro/state")
	controller 'state directory.*Read-only.*--state' "${unshare_setup[@]}"
}

# The limit of a file's size, as the user's shell had it: said, and nobody dies of it.
file_limit_fails_the_job_alone() {
	local pid
	pid=$(cut -d' ' -f1 "/run/wiremill/$lab/ctl.pid")
	make_data "$scratch/input" $((4 * mib))
	prlimit --pid "$pid" --fsize=$((2 * mib)):unlimited
	! submit "$scratch/input" "$scratch/output" 2>"$scratch/stderr" || return 1
	grep 'File too large.*ulimit -f' "$scratch/stderr"
	prlimit --pid "$pid" --fsize=unlimited:unlimited
	rm -f "$scratch"/output*
	job_is_exact "$mib"
}

file_limit_fails_a_key_alone() {
	local said
	# Of the shell's files, that of stderr too: so it is a pipe.
	! said=$(bash -c 'ulimit -f 0; exec "$@" 2>&1' - "$wiremill" key "$scratch/key") || return 1
	grep 'ulimit -f' <<<"$said"
}

lab_up --nodes 1 --mtu 1500
check "a job beyond the limit of a file's size fails with that reason" file_limit_fails_the_job_alone
check "so does a key" file_limit_fails_a_key_alone
lab kill --controller --signal TERM
lab kill --node 1 --signal TERM
check "a system call that seccomp refuses" seccomp_is_not_the_sysctl
check "another call that seccomp refuses" any_call_that_seccomp_refuses
check "a sysctl that is not in the way" sysctl_is_not_seccomp
check "a user namespace" user_namespaces_are_named
check "no /sys, no /proc" no_sys_is_not_no_hugepages
check "no file system of BPF, and none is needed" no_bpffs_is_needed
check "capabilities that are missing" capabilities_are_named
check "limits of the process" limits_are_named
check "cores that may not be used" cores_are_checked
check "devices that are not there" devices_are_checked
check "an interface that is no Ethernet" only_ethernet_carries_frames
check "wiremill-gen ends though frames come without end" generator_ends_in_a_flood
check "a state directory that is read-only" read_only_state
finish
