#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The controller on the poll-mode drivers of real cards, on Debian's kernels: QEMU boots
# them, with the cards behind an IOMMU and on the switch of a lab, and files on NVMe.
# shellcheck disable=SC2317,SC2064  # the steps are called by check; traps expand at once
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/../lab/lib.sh"
# shellcheck source=tests/boot/image.sh
. "$root/tests/boot/image.sh"
# shellcheck source=tests/boot/guest.sh
. "$root/tests/boot/guest.sh"

kernels=${WM_KERNELS:-/var/cache/wiremill/kernels}
e1000e=0000:00:05.0
virtio=0000:00:06.0
nvme=0000:00:07.0
e1000e_mac=02:57:4d:00:00:f0
virtio_mac=02:57:4d:00:00:f1
bytes=$((64 * mib))

# no_kernel NAME: why not.
no_kernel() {
	echo "no kernel '$1': $(cat "$kernels/$1.reason" 2>/dev/null || echo "run 'sudo tools/kernels'")"
}

for program in qemu-system-x86_64 busybox cpio; do
	[[ $(type -P "$program") ]] || skip_all "there is no $program"
done
[[ -e $kernels/stable/version ]] ||
	skip_all "$(no_kernel stable)"
[[ -c /dev/net/tun ]] || skip_all "the kernel has no TUN/TAP"

skip() {
	test_count=$((test_count + 1))
	echo "ok $test_count - $1 # SKIP $2"
}

# step TITLE COMMAND...: as check, and what the controller said if it fails.
step() {
	local before=$failed_count
	check "$@"
	((failed_count == before)) || [[ ! -e $guest_share/controller.log ]] ||
		tail -n 20 "$guest_share/controller.log" | sed 's/^/# /'
}

# rig COMMAND...: in the guest, with controller.sh.
rig() {
	guest ". /share/controller.sh" "$@"
}

# A file system that holds what is in a folder.
make_disk() {
	truncate -s 320M "$1"
	mkfs.ext4 -q -F -E lazy_itable_init=1 -d "$2" "$1"
}

# The state is kept with the outputs.
make_disks() {
	mkdir -p "$scratch/in" "$scratch/out/state"
	make_data "$scratch/in/input" "$bytes"
	make_disk "$scratch/in.img" "$scratch/in"
	make_disk "$scratch/out.img" "$scratch/out"
	rm -r "$scratch/out"
}

# boots NAME [APPEND QEMU-ARGUMENT...]: that kernel, all cards and drives, and the
# controller's files; with an IOMMU, if not told otherwise.
boots() {
	local kernel=$kernels/$1 append="intel_iommu=on iommu=pt hugepages=200"
	local machine=(-machine "q35,kernel-irqchip=split"
		-device "intel-iommu,intremap=on,caching-mode=on,aw-bits=48,device-iotlb=on")
	if (($# > 1)); then
		append=$2
		machine=("${@:3}")
	fi
	image_make "$scratch/image" "$kernel" "$root/tests/boot/init" "${drivers[@]}" -- \
		"$build/control/wiremilld" "$build/control/cli/wiremill" "$build/tools/gen/wiremill-gen" \
		"$build/tests/boot/hugepage_order"
	guest_boot "$kernel" "$scratch/image" "$append" "${machine[@]}" \
		-netdev tap,id=tap0,ifname=card0,script=no,downscript=no \
		-device "e1000e,id=card0,netdev=tap0,mac=$e1000e_mac,addr=5,romfile=" \
		-netdev tap,id=tap1,ifname=card1,script=no,downscript=no \
		-device "virtio-net-pci,id=card1,netdev=tap1,mac=$virtio_mac,addr=6,disable-legacy=on,iommu_platform=on,ats=on,host_mtu=9000,romfile=" \
		-drive "id=in,if=none,file=$scratch/in.img,format=raw,cache=none,aio=io_uring" \
		-device nvme,serial=in,drive=in,addr=7 \
		-drive "id=out,if=none,file=$scratch/out.img,format=raw,cache=none,aio=io_uring" \
		-device nvme,serial=out,drive=out,addr=8
	cp "$root/tests/boot/controller.sh" "/run/wiremill/$lab/key" "$guest_share/"
}

is_up() {
	guest_waits_for up 120
	rig "uname -r" "mount_drive in" "mount_drive out"
}

# ---- jobs, by lib.sh's words for them -----------------------------------------

ctl() {
	rig "timeout 100 wiremill $*"
}

# begin_slowly: the nodes' links leave time to do something in the middle.
begin_slowly() {
	link_rate 1 20mbit
	link_rate 2 20mbit
	rig "rm -f /mnt/out/output*"
	value 'it["job"]' "$(ctl job submit --kernel xor --input /mnt/in/input --output /mnt/out/output --json)" >"$scratch/job"
	job=$(<"$scratch/job")
	eventually 60 job_holds '8 < it["extents_done"]'
	job_holds 'it["extents_done"] < 48'
}

full_speed() {
	lab exec --switch -- tc qdisc del dev n1 root 2>/dev/null || true
	lab exec --switch -- tc qdisc del dev n2 root 2>/dev/null || true
}

# What the guest has written, compared with what it must be.
is_exact() {
	rig "fsfreeze --freeze /mnt/out"
	rm -f "$scratch/output"
	debugfs -R "dump /output $scratch/output" "$scratch/out.img"
	rig "fsfreeze --unfreeze /mnt/out"
	matches_reference "$scratch/in/input" "$scratch/output"
	rm "$scratch/output"
}

# commands: writes that the drive of the outputs has been given.
commands() {
	rig "stat=/sys/class/block/\$(awk '\$2 == \"/mnt/out\" { print \$1 }' /proc/mounts | sed 's|.*/||')/stat" \
		"awk '{ print \$5 }' \$stat"
}

# Results are written from where they arrived, and that costs the drive a few commands an
# extent of 1 MiB, not one a frame.
job_is_done_and_exact() {
	local before after
	rig "rm -f /mnt/out/output*"
	before=$(commands)
	ctl job submit --kernel xor --input /mnt/in/input --output /mnt/out/output --wait
	after=$(commands)
	is_exact
	ctl stats | tee "$scratch/stats"
	grep -q 'receive in place' "$scratch/stats"
	echo "$((after - before)) commands for $((bytes / mib)) extents"
	((after - before < 16 * bytes / mib))
}

# goes_on ADDRESS [START]: a new life of the controller, with what the one before has left.
goes_on() {
	full_speed
	"${2:-starts_on}" "$1"
	job=$(<"$scratch/job")
	ends "done"
	job_holds '0 < it["resumed_bytes"] < it["output_bytes"]'
	is_exact
}

# ---- steps --------------------------------------------------------------------

# log_is_read: what is there by now is not looked at again.
log_is_read() {
	wc -l <"$guest_share/controller.log" >"$scratch/logged" 2>/dev/null || echo 0 >"$scratch/logged"
}

# log_grows WORDS: a line with them.
log_grows() {
	tail -n "+$(($(<"$scratch/logged") + 1))" "$guest_share/controller.log" | grep -E "$1"
}

# A card takes a while until its link is up, which is not worth a warning.
starts_on() {
	log_is_read
	rig "bind $1" "controller_start $1" "wiremill stats"
	eventually 30 log_grows "link up"
	equal "links that are down" "$(log_grows "link down" || true)" ""
}

# starts_without_link ADDRESS: of the e1000e, which says when it is down for longer.
starts_without_link() {
	trap "qmp set_link name=card0 up=true" EXIT
	qmp set_link name=card0 up=false
	log_is_read
	rig "bind $1" "controller_launch $1"
	eventually 30 log_grows "link down"
	qmp set_link name=card0 up=true
	eventually 30 log_grows "link up"
	rig "eventually 60 nodes_are_there"
}

# ends_with STATUS WORDS OPTION...: in one line, and none of DPDK's own.
ends_with() {
	rig "status=0" \
		"wiremilld ${*:3} --socket /run/other.sock --state /run/other >/run/said 2>&1 || status=\$?" \
		"echo \$status" "cat /run/said" >"$scratch/said"
	cat "$scratch/said"
	equal "exit status" "$(head -n 1 "$scratch/said")" "$1"
	equal "lines" "$(tail -n +2 "$scratch/said" | wc -l)" 1
	grep -qE -- "$2" "$scratch/said"
}

# refuses ADDRESS WORDS [STATUS]
refuses() {
	ends_with "${3:-1}" "$2" --pci "$1"
	grep -qF -- "$1" "$scratch/said"
}

refuses_what_is_no_card() {
	refuses eth0 "lspci" 2
	refuses 0000:00:1e.0 "there is no PCI device"
	refuses "$nvme" "no network card"
}

# mends ADDRESS: the command that the line says, and nothing else, makes a port of it.
mends() {
	local command
	command=$(sed -n "s/.*: run '\(.*\)' as root.*/\1/p" "$scratch/said")
	[[ $command ]]
	rig "$command"
	rig "is_bound $1"
}

# to_uio ADDRESS: which nobody has.
to_uio() {
	rig "device=/sys/bus/pci/devices/$1" "echo uio_pci_generic >\$device/driver_override" \
		"echo $1 >/sys/bus/pci/drivers_probe" \
		"[ \$(basename \$(readlink \$device/driver)) = uio_pci_generic ]"
}

binds_as_it_is_told() {
	refuses "$e1000e" "no driver"
	to_uio "$e1000e"
	refuses "$e1000e" "bound to uio_pci_generic, which passes the IOMMU by"
	mends "$e1000e"
	refuses "$virtio" "virtio-pci"
	mends "$virtio"
}

has_no_iommu() {
	rig "[ ! -e /sys/bus/pci/devices/$e1000e/iommu_group ]"
	refuses "$e1000e" "has no IOMMU.*intel_iommu=on iommu=pt.*--interface"
	refuses "$virtio" "has no IOMMU"
}

# An interface that is at no node has its memory where the core of its lane is, core 1.
pages_elsewhere_do_not_count() {
	local folder=/sys/devices/system/node/node1/hugepages/hugepages-2048kB
	rig "cd /sys/devices/system/node" "echo 0 >node1/hugepages/hugepages-2048kB/nr_hugepages" \
		"echo 160 >node0/hugepages/hugepages-2048kB/nr_hugepages" "ip link set dummy0 up"
	ends_with 1 "needed on NUMA node 1, where the port is, there are 0: run 'echo [0-9]+ > $folder/nr_hugepages'" \
		--interface dummy0 --lcores 0,1
}

# What all ports share is where the main core is.
main_core_has_its_own_pages() {
	local folder=/sys/devices/system/node/node0/hugepages/hugepages-2048kB
	rig "cd /sys/devices/system/node" "echo 0 >node0/hugepages/hugepages-2048kB/nr_hugepages" \
		"echo 160 >node1/hugepages/hugepages-2048kB/nr_hugepages"
	ends_with 1 "needed on NUMA node 0, where the main core .* is, there are 0: run 'echo 2 > $folder/nr_hugepages'" \
		--interface dummy0 --lcores 0,1
	rig "echo 2 >$folder/nr_hugepages" \
		"wiremilld --interface dummy0 --lcores 0,1 --socket /run/other.sock --state /run/other \
			--key /share/key >/run/said 2>&1 &" "pid=\$!" \
		"eventually 60 [ -S /run/other.sock ] || { cat /run/said; exit 1; }" \
		"kill -TERM \$pid" "wait \$pid"
}

# The generator's frames go through the same port.
generator_loses_nothing() {
	rig "order_hugepages" "wiremill-gen roundtrip --pci $1 --key /share/key --nodes 2 \
		--op map --size 110,jumbo --window 4 --count 500 --json /share/generator.json >/dev/null"
	holds 'len(it) == 6 and all(r["lost"] == r["damaged"] == 0 and
		r["received"]["frames"] == r["sent"]["frames"] > 0 for r in it)' \
		"$(value 'json.dumps(it["results"])' "$(<"$guest_share/generator.json")")"
}

link_is() {
	holds "it['lanes'][0]['port']['link'] == '$1'" "$(stats)"
}

# loses_its_link CARD: in the middle of a job, which says what it waits for.
loses_its_link() {
	trap "full_speed; qmp set_link name=$1 up=true" EXIT
	begin_slowly
	log_is_read
	qmp set_link "name=$1" up=false
	eventually 30 log_grows "link down"
	eventually 30 job_holds '"link" in it["waiting"] and "down" in it["waiting"]'
	link_is down
	full_speed
	qmp set_link "name=$1" up=true
	eventually 30 log_grows "link up"
	link_is up
	ends "done"
	is_exact
}

is_killed() {
	begin_slowly
	rig "controller_end KILL || [ \$? = 137 ]"
}

# Its card is silent before its memory is given back.
ends_by_sigterm() {
	rig "before=\$(dma_faults)" "controller_end TERM" "[ ! -e \$WIREMILL_SOCKET ]" \
		"dmesg | grep DMAR: | tail -n 3" "[ \$(dma_faults) = \$before ]"
}

is_stopped_in_the_middle() {
	begin_slowly
	ends_by_sigterm
}

drivers=(virtio_pci 9pnet_virtio 9p crc32c_generic crct10dif_generic crc64_rocksoft_generic
	nvme ext4 vfio_iommu_type1 vfio_pci uio_pci_generic dummy)
lab_up --nodes 2 --mtu 9000 --no-controller
guest_card card0 "$e1000e_mac"
guest_card card1 "$virtio_mac"
make_disks

boots stable
step "Debian's own kernel boots" is_up
step "an address that is no card is one line" refuses_what_is_no_card
step "a card of nobody, of uio or of the kernel is one line, whose command mends it" \
	binds_as_it_is_told
step "the generator gets all frames back from an e1000e" generator_loses_nothing "$e1000e"
step "it starts on an e1000e" starts_on "$e1000e"
step "a job on an e1000e is exact" job_is_done_and_exact
step "a job on an e1000e waits for its link, and goes on" loses_its_link card0
step "it is killed in the middle of a job on an e1000e" is_killed
step "it goes on with that job after a restart" goes_on "$e1000e"
step "it ends by SIGTERM on an e1000e" ends_by_sigterm
step "it starts on a virtio-net" starts_on "$virtio"
step "a job on a virtio-net is exact" job_is_done_and_exact
step "it ends by SIGTERM on a virtio-net" ends_by_sigterm
guest_end

boots stable "hugepages=200" -machine q35 \
	-object memory-backend-ram,id=memory0,size=1G -numa node,memdev=memory0,cpus=0 \
	-object memory-backend-ram,id=memory1,size=1G -numa node,memdev=memory1,cpus=1
step "a machine without an IOMMU and with two NUMA nodes boots" guest_waits_for up 120
step "a card without an IOMMU is one line" has_no_iommu
step "hugepages at another NUMA node are none" pages_elsewhere_do_not_count
step "two where the main core is, and the others where the lane is, are enough" \
	main_core_has_its_own_pages
guest_end

if [[ ! -e $kernels/backports/version ]]; then
	skip "the controller on the kernel of backports" "$(no_kernel backports)"
	finish
fi
boots backports
step "the kernel of backports boots" is_up
step "it starts on a virtio-net there" starts_on "$virtio"
step "a job on a virtio-net waits for its link, and goes on" loses_its_link card1
step "it is killed in the middle of a job on a virtio-net" is_killed
step "it goes on with that job after a restart there" goes_on "$virtio"
step "it ends by SIGTERM in the middle of a job on a virtio-net" is_stopped_in_the_middle
step "it goes on with that job after a restart, on the other card, once that has its link" \
	goes_on "$e1000e" starts_without_link
step "it ends by SIGTERM on an e1000e there" ends_by_sigterm
guest_end
finish
