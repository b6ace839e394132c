# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# What the commands that port_test.sh gives to the guest share. For busybox's shell.

export WIREMILL_SOCKET=/run/wiremilld.sock
log=/share/controller.log

# eventually SECONDS COMMAND...: it ends with 0 within that time.
eventually() {
	deadline=$(($(cut -d. -f1 /proc/uptime) + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$(cut -d. -f1 /proc/uptime)" -lt $deadline ] || break
		usleep 100000
	done
	"$@"
}

# mount_drive SERIAL: at /mnt/SERIAL. Which drive is which comes out as it may.
mount_drive() {
	controller=$(grep -l "^$1 *\$" /sys/class/nvme/nvme*/serial)
	mkdir -p "/mnt/$1"
	mount -t ext4 "/dev/$(basename "$(dirname "$controller")")n1" "/mnt/$1"
}

is_bound() {
	[ "$(basename "$(readlink "/sys/bus/pci/devices/$1/driver")")" = vfio-pci ]
}

# bind ADDRESS: to vfio-pci, whoever has it.
bind() {
	device=/sys/bus/pci/devices/$1
	[ "$(cat "$device/driver_override")" != vfio-pci ] || return 0
	[ ! -e "$device/driver" ] || echo "$1" >"$device/driver/unbind"
	modprobe vfio-pci
	echo vfio-pci >"$device/driver_override"
	echo "$1" >/sys/bus/pci/drivers_probe
	is_bound "$1"
}

# order_hugepages: see hugepage_order.c.
order_hugepages() {
	hugepage_order "$(cat /sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages)"
}

nodes_are_there() {
	[ "$(wiremill node list | grep -cE ' (admitted|ready) ')" = 2 ]
}

# controller_launch ADDRESS [OPTION...]: until it can be asked.
controller_launch() {
	! [ -d "/proc/$(cat /run/controller.pid 2>/dev/null || echo none)" ] || {
		echo "another controller runs"
		return 1
	}
	rm -f "$WIREMILL_SOCKET" /run/controller.status
	order_hugepages
	(
		status=0
		wiremilld --pci "$@" --socket "$WIREMILL_SOCKET" --state /mnt/out/state \
			--key /share/key >>$log 2>&1 &
		echo $! >/run/controller.pid
		wait $! || status=$?
		echo $status >/run/controller.status
	) &
	eventually 60 [ -S "$WIREMILL_SOCKET" ] || {
		tail -n 3 $log
		return 1
	}
}

# controller_start ADDRESS [OPTION...]: until it has both nodes.
controller_start() {
	controller_launch "$@"
	eventually 60 nodes_are_there
}

# What the IOMMU kept a card from: memory that was not the controller's any more.
dma_faults() {
	dmesg | grep -c 'DMAR:.* fault addr' || true
}

# controller_end SIGNAL: and its exit status.
controller_end() {
	kill "-$1" "$(cat /run/controller.pid)"
	eventually 60 [ -e /run/controller.status ]
	return "$(cat /run/controller.status)"
}
