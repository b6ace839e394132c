#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What a demo obtained, from jobs.json, nodes.json and stats.json in a folder.
Called when the output has been verified.

usage: summary.py FOLDER
"""
import json
import os
import sys


def load(folder, name):
    with open(os.path.join(folder, name), encoding="utf-8") as file:
        return json.load(file)


def row(title, text):
    print(f"  {title:<20} {text}")


def distinct(values):
    """Each value once, with how often where they differ."""
    values = list(values)
    kinds = sorted(set(values))
    if len(kinds) == 1:
        return kinds[0]
    return ", ".join(f"{kind} ({values.count(kind)})" for kind in kinds)


def total(parts):
    """Objects of numbers, added up by key."""
    sums = {}
    for part in parts:
        for key, number in part.items():
            sums[key] = sums.get(key, 0) + number
    return sums


def per_byte(copied, payload):
    return f"{copied / payload if payload else 0:.2f}"


def node_path(node):
    copy = "zero-copy" if node["zero_copy"] else "copy"
    several = ", multi-buffer" if node["multi_buffer"] else ""
    return f"{node['xdp_mode']}, {copy}{several}"


def print_obtained(lanes, nodes, job):
    row("controller's port", distinct(f"{lane['port']['driver']}, MTU {lane['port']['mtu']}" for lane in lanes))
    row("transmit", distinct(lane["obtained"]["transmit"] for lane in lanes))
    row("receive", distinct(lane["obtained"]["receive"] for lane in lanes))
    row("AF_XDP", distinct(node_path(node) for node in nodes))
    row("GPU", distinct(node["device"] + (" (software)" if node["software"] else "") for node in nodes))
    copied = total(lane["copied_bytes"] for lane in lanes)
    payload = total(lane["payload_bytes"] for lane in lanes)
    row("copies a byte", f"controller {per_byte(copied['transmit'], payload['transmit'])} out, "
        f"{per_byte(copied['receive'], payload['receive'])} in; "
        f"nodes {per_byte(sum(node['copied_bytes'] for node in nodes), job['output_bytes'])} "
        "between UMEM and GPU")


def print_work(lanes, job):
    row("bytes", f"{job['input_bytes']} in, {job['output_bytes']} out"
        + (f", {job['dropped_tail_bytes']} of the tail left out" if job["dropped_tail_bytes"] else ""))
    row("seconds", f"{job['seconds']:.2f}")
    row("GB/s", f"{job['output_bytes'] / job['seconds'] / 1e9:.3f}" if job["seconds"] else "-")
    ports = [lane["port"] for lane in lanes]
    row("frames", f"{sum(port['frames_sent'] for port in ports)} sent, "
        f"{sum(port['frames_received'] for port in ports)} received, "
        f"{job['batch_elements']} vectors in each batch")
    row("resends", f"{job['resends']} of {job['sends']} batches sent; {job['duplicates']} results twice")
    drops = {reason: count for reason, count in total(lane["drops"] for lane in lanes).items() if count}
    row("drops", ", ".join(f"{reason} {count}" for reason, count in sorted(drops.items())) or "none")
    extents = total(lane["extents"] for lane in lanes)
    row("extents", f"{extents['read']} read, {extents['read_direct']} with O_DIRECT; "
        f"{extents['written']} written, {extents['written_direct']} with O_DIRECT")


def print_shares(nodes):
    shares = [node["batches"] for node in nodes]
    mean = sum(shares) / len(shares)
    row("batches a node", f"{min(shares)} least, {mean:.0f} mean, {max(shares)} most, of {len(shares)} nodes")


def main():
    folder = sys.argv[1]
    job = load(folder, "jobs.json")["jobs"][-1]
    nodes = load(folder, "nodes.json")["nodes"]
    lanes = load(folder, "stats.json")["lanes"]
    print("\nobtained")
    print_obtained(lanes, nodes, job)
    print("done")
    print_work(lanes, job)
    print_shares(nodes)
    print(f"verified: all {job['output_bytes']} bytes are right")


main()
