#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# tools/test.d/build on a small project that may use a library, and has kernels: it uses both
# as soon as they are there, and goes without them again. build_test.sh PATH_OF_BUILD
# shellcheck disable=SC2317  # the steps are called by check
set -u
build=$1
suite=build
# shellcheck source=tests/unit/check.sh
. "$(dirname "$0")/check.sh"

# The packages of this machine are what stands in a file.
mkdir "$work/bin" "$work/pc"
cat >"$work/bin/dpkg-query" <<-TEXT
	#!/bin/sh
	cat '$work/installed'
TEXT
chmod +x "$work/bin/dpkg-query"
export PATH=$work/bin:$PATH PKG_CONFIG_PATH=$work/pc
cat >"$work/meson.build" <<-'TEXT'
	project('late', 'c')
	late = dependency('wm-late', required: false)
	custom_target('made', output: late.found() ? 'with' : 'without', capture: true,
	  command: ['echo'], build_by_default: true)
TEXT

# builds WITH-OR-WITHOUT
builds() {
	rm -f "$work/out/with" "$work/out/without"
	(cd "$work" && "$build" gcc out) && [[ -e $work/out/$1 ]]
}

installed() {
	echo "$1" >"$work/installed"
}

late_comes() {
	installed "wm-late 1 install ok installed"
	printf 'Name: late\nDescription: late\nVersion: 1\n' >"$work/pc/wm-late.pc"
}

late_goes() {
	installed "nothing"
	rm "$work/pc/wm-late.pc"
}

# What meson writes at each configuration.
configured() {
	stat -c %y "$work/out/meson-private/coredata.dat"
}

is_not_configured_again() {
	local before
	before=$(configured)
	builds with && [[ $(configured) == "$before" ]]
}

kernel_comes() {
	mkdir -p "$work/gpu/kernels/late"
}

kernel_goes() {
	rmdir "$work/gpu/kernels/late"
}

is_configured_again() {
	local before
	before=$(configured)
	builds with && [[ $(configured) != "$before" ]]
}

installed nothing
check "a fresh folder is configured" builds without
late_comes
check "a library that has come is used" builds with
check "without a change nothing is configured again" is_not_configured_again
kernel_comes
check "a kernel whose folder has come is looked for" is_configured_again
kernel_goes
check "a kernel whose folder has gone is not" is_configured_again
late_goes
check "a library that has gone is not" builds without
late_comes
rm "$work/out/looked-for"
check "a folder that was configured by hand is configured once more" builds with
finish
