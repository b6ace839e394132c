# SPDX-License-Identifier: BSD-3-Clause
"""What is aimed at: for a ratio or figure its meaning, and the bound that it is to keep."""
import collections

Goal = collections.namedtuple("Goal", "text bound value")

GOALS = {
    "capped_mtu9000": Goal("capped rack, MTU 9000: goodput over the line's", ">=", 0.98),
    "capped_mtu1500": Goal("capped rack, MTU 1500: goodput over the line's", ">=", 0.95),
    "capped_resends_mtu9000": Goal("capped rack, MTU 9000: share sent again", "<=", 0.0001),
    "capped_resends_mtu1500": Goal("capped rack, MTU 1500: share sent again", "<=", 0.0001),
    "capped_loss1": Goal("capped rack, 1 % lost each way, over no loss", ">=", 0.97),
    "capped_killed_stuck_s": Goal("capped rack, a node killed: longest wait, s", "<=", 2),
    "capped_killed_recovery_s": Goal("the same: until goodput is back at 11/12, s", "<=", 2),
    "lane_vs_testpmd_8266": Goal("one lane over testpmd, 8266-byte frames", ">=", 0.85),
    "storage_vs_fio": Goal("source and sink alone over fio", ">=", 0.95),
    "free_vs_echo": Goal("free rack over the echo", ">=", 0.6),
    "free_nocompute_vs_echo": Goal("free rack over the echo, no compute", ">=", 0.85),
    "free_vs_best_peer": Goal("free rack over the best peer, GB/s", ">=", 1.0),
    "cpu_vs_best_peer": Goal("free rack over the best peer, CPU, no compute", "<=", 1.0),
    "dispatch_ns": Goal("dispatch, ns a batch", "<=", 150),
    "copies_mtu9000": Goal("free rack: copies a byte, controller, MTU 9000", "<=", 0),
}


def met(goal, value):
    return value >= goal.value if goal.bound == ">=" else value <= goal.value
