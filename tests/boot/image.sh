# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash disable=SC2154
# An initramfs with the built programs, the libraries that this machine runs them with,
# busybox, and the drivers of a kernel that tools/kernels has fetched.
#
#   image_make FILE KERNEL INIT DRIVER... -- PROGRAM...
#
# KERNEL is a folder with boot/, lib/modules/ and version. DRIVERs bring those that they
# need; one that the kernel has built in, or does not know, is left out. INIT becomes
# /init. /etc/drivers names them all, what is needed before what needs it.

# copy_file ROOT PATH: with the links on the way to it, each as it is. DPDK's EAL panics
# where the same driver is there as two files.
copy_file() {
	local tree=$1 path=$2 folder
	while :; do
		folder=$(realpath "$(dirname "$path")")
		path=$folder/$(basename "$path")
		[[ ! -e $tree$path && ! -L $tree$path ]] || return 0
		mkdir -p "$tree$folder"
		cp -P --preserve=mode "$path" "$tree$path"
		[[ -L $path ]] || return 0
		path=$(cd "$folder" && realpath -s "$(readlink "$path")")
	done
}

# copy_program ROOT PROGRAM: to /bin, and the libraries of it to where they are here.
copy_program() {
	local tree=$1 program=$2 library
	cp "$program" "$tree/bin/"
	ldd "$program" | awk '/=> \// { print $3 } /^\t\/lib/ { print $1 }' |
		while read -r library; do
			copy_file "$tree" "$library"
		done
}

# copy_dpdk ROOT: what EAL loads at run time: buses, mempools, and the network drivers of
# the cards that QEMU has.
copy_dpdk() {
	local tree=$1 driver folder library
	folder=$(dirname "$(find /usr/lib -name 'librte_bus_pci.so.*' -path '*/pmds-*' | head -n 1)")
	for driver in bus_pci bus_vdev mempool_ring net_e1000 net_virtio net_af_packet; do
		for library in "$folder/librte_$driver".so.*; do
			copy_file "$tree" "$library"
			ldd "$library" | awk '/=> \// { print $3 }' | while read -r needed; do
				copy_file "$tree" "$needed"
			done
		done
	done
	# pthread_cancel() and exceptions look for it only when they happen.
	copy_file "$tree" "$(ldconfig -p | awk '/libgcc_s.so.1.*x86-64/ { print $NF; exit }')"
}

# drivers_in_order MODULES.DEP DRIVER...: files, what is needed before what needs it.
drivers_in_order() {
	awk -v wanted="${*:2}" '
		function name_of(file) {
			sub(/.*\//, "", file)
			sub(/\.ko.*/, "", file)
			gsub(/-/, "_", file)
			return file
		}
		function take(file, count, list, i) {
			if (!file || file in taken)
				return
			taken[file] = 1
			count = split(needs[file], list, " ")
			for (i = 1; i <= count; i++)
				take(list[i])
			print file
		}
		{ split($0, part, ":"); needs[part[1]] = part[2]; files[name_of(part[1])] = part[1] }
		END {
			count = split(wanted, drivers, " ")
			for (d = 1; d <= count; d++)
				take(files[name_of(drivers[d])])
		}' "$1"
}

# copy_drivers ROOT KERNEL DRIVER...: unpacked, where modprobe looks for them; and
# /etc/drivers.
copy_drivers() {
	local tree=$1 kernel=$2 version modules file copy
	version=$(<"$kernel/version")
	modules=$kernel/lib/modules/$version
	shift 2
	drivers_in_order "$modules/modules.dep" "$@" | while read -r file; do
		copy=$tree/lib/modules/$version/${file%.xz}
		mkdir -p "$(dirname "$copy")"
		case $file in
		*.xz) busybox xz -dc "$modules/$file" ;;
		*) cat "$modules/$file" ;;
		esac >"$copy"
		basename "$copy" .ko >>"$tree/etc/drivers"
	done
	busybox depmod -b "$tree" "$version"
}

image_make() {
	local file=$1 kernel=$2 init=$3 tree drivers=() program applet
	shift 3
	while [[ $1 != -- ]]; do
		drivers+=("$1")
		shift
	done
	shift
	tree=$(mktemp -d "$file.XXXXXX")
	mkdir -p "$tree"/{bin,dev,etc,mnt,proc,root,run,share,sys,tmp,usr/lib,usr/lib64,var/lib}
	# The merged /usr of Debian.
	ln -s usr/lib "$tree/lib"
	ln -s usr/lib64 "$tree/lib64"
	ln -s ../run "$tree/var/run"
	cp "$(type -P busybox)" "$tree/bin/busybox"
	for applet in $(busybox --list); do
		[[ $applet == busybox ]] || ln -s busybox "$tree/bin/$applet"
	done
	for program in "$@"; do
		copy_program "$tree" "$program"
	done
	copy_dpdk "$tree"
	copy_drivers "$tree" "$kernel" "${drivers[@]}"
	install -m 755 "$init" "$tree/init"
	(cd "$tree" && find . | cpio --quiet -o -H newc) >"$file"
	rm -rf "$tree"
}
