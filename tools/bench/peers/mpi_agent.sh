#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What mpirun calls in place of ssh: runs its daemon in a node's network namespace,
# under a host name of its own.
#
# usage: WM_PEER_LAB=NAME mpi_agent.sh ADDRESS COMMAND...     (10.87.1.I is node I)
set -euo pipefail

node=${1##*.}
shift
# shellcheck disable=SC2016  # expanded inside
exec nsenter --net="/run/netns/wm-$WM_PEER_LAB-n$node" -- \
	unshare --uts bash -c 'hostname "$0" && eval "$*"' "n$node" "$@"
