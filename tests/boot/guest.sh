# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash disable=SC2154,SC2034
# A virtual machine with its network cards on the switch of a lab. QEMU without KVM, which
# many machines do not have: the same everywhere, and slow.
#
#   guest_boot KERNEL IMAGE APPEND QEMU-ARGUMENT...     guest COMMAND...     guest_end
#
# shares the folder $guest_share with it, where init (beside this file) takes commands.

guest_pid=
guest_share=$scratch/share
# In the guest, a minute is not a minute.
guest_patience_s=150

# guest_card PORT ADDRESS: a port of the lab's switch, which nothing is plugged in yet.
guest_card() {
	lab exec --switch -- ip tuntap add dev "$1" mode tap
	lab exec --switch -- ip link set "$1" mtu 9000 master br0 up
	lab exec --switch -- bridge link set dev "$1" learning off flood off mcast_flood off
	lab exec --switch -- bridge fdb replace "$2" dev "$1" master static
}

# The last things that kernel and init said, where nothing else can tell.
guest_last_words() {
	tail -n 20 "$scratch/serial.log" "$scratch/qemu.log" 2>/dev/null || true
}

guest_runs() {
	[[ -d /proc/$guest_pid ]] && [[ $(ps -o stat= -p "$guest_pid") != Z* ]]
}

# guest_waits_for FILE SECONDS: in the shared folder. 1: not in time, or it is dead.
guest_waits_for() {
	local deadline=$((SECONDS + $2))
	until [[ -e $guest_share/$1 ]]; do
		if ((SECONDS >= deadline)) || ! guest_runs; then
			guest_last_words
			return 1
		fi
		sleep 0.05
	done
}

# guest_boot KERNEL IMAGE APPEND QEMU-ARGUMENT... The kernel takes a timer that is late, as
# on a machine with much else to do, for one that does not work, unless told not to check.
guest_boot() {
	local kernel=$1 image=$2 append=$3
	shift 3
	rm -rf "$guest_share"
	mkdir "$guest_share"
	echo 0 >"$guest_share/count"
	: >"$scratch/serial.log"
	nsenter --net="/run/netns/wm-$lab-sw" -- qemu-system-x86_64 \
		-accel tcg,thread=multi -cpu max -smp 2 -m 2G \
		-nodefaults -display none -no-reboot \
		-kernel "$kernel"/boot/vmlinuz-* -initrd "$image" \
		-append "console=ttyS0 quiet panic=-1 no_timer_check $append" -serial "file:$scratch/serial.log" \
		-qmp "unix:$scratch/qmp.sock,server=on,wait=off" \
		-fsdev "local,id=share,path=$guest_share,security_model=none" \
		-device virtio-9p-pci,fsdev=share,mount_tag=share "$@" \
		>"$scratch/qemu.log" 2>&1 </dev/null &
	guest_pid=$!
	processes+=("$guest_pid")
}

# guest COMMAND...: lines for its shell; what they say, and the status they end with.
# Counted in a file, since each step is a shell of its own.
guest() {
	local number
	[[ ! -e $guest_share/silent ]] || {
		echo "the guest has not answered before"
		return 1
	}
	number=$(($(<"$guest_share/count") + 1))
	echo "$number" >"$guest_share/count"
	printf '%s\n' "$@" >"$guest_share/next"
	mv "$guest_share/next" "$guest_share/$number.sh"
	guest_waits_for "$number.status" "$guest_patience_s" || {
		echo "the guest does not answer: $*"
		: >"$guest_share/silent"
		cat "$guest_share/$number.out" 2>/dev/null || true
		return 1
	}
	cat "$guest_share/$number.out"
	return "$(<"$guest_share/$number.status")"
}

# qmp COMMAND ARGUMENT=VALUE...: asks QEMU itself.
qmp() {
	python3 "$root/tests/boot/qmp.py" "$scratch/qmp.sock" "$@"
}

guest_end() {
	[[ -n $guest_pid ]] || return 0
	kill "$guest_pid" 2>/dev/null || true
	wait "$guest_pid" 2>/dev/null || true
	guest_pid=
	processes=()
}
