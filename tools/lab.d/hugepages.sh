# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash disable=SC2154,SC2034
# Hugepages of 2 MiB for the controllers. Labs may start at the same time: who
# counts free pages holds the lock until its controller has taken them.

pages_file=/proc/sys/vm/nr_hugepages

# A directory that is there on any machine, so that the lock leaves no file.
hugepages_lock() {
	exec 9</run
	flock 9
}

hugepages_unlock() {
	exec 9<&-
}

hugepages_free() {
	awk '/^HugePages_Free:/ { free = $2 } /^HugePages_Rsvd:/ { reserved = $2 }
		END { print free - reserved }' /proc/meminfo
}

# hugepages_ensure COUNT: under the lock. Remembers what was added, to give back.
hugepages_ensure() {
	local wanted=$1 free before after
	free=$(hugepages_free)
	((free < wanted)) || return 0
	before=$(<"$pages_file")
	echo $((before + wanted - free)) >"$pages_file"
	after=$(<"$pages_file")
	state_set hugepages $(($(state_get hugepages 0) + after - before))
	free=$(hugepages_free)
	((free >= wanted)) ||
		fail "the controller needs $wanted hugepages of 2 MiB and only $free could be had: free some memory, then 'echo $((before + wanted)) > $pages_file'"
}

# Gives back what was added, but never a page that somebody uses.
hugepages_give_back() {
	local added free
	added=$(state_get hugepages 0)
	((added > 0)) || return 0
	hugepages_lock
	free=$(hugepages_free)
	((added <= free)) || added=$free
	((added <= 0)) || echo $(($(<"$pages_file") - added)) >"$pages_file"
	hugepages_unlock
}
