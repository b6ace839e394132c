#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""The job by Dask distributed: chunks go straight to a worker and their results
straight back (the scheduler only sees keys), several under way to each worker.

usage: dask_peer.py controller --address A --ready FILE --nodes N --input FILE --output FILE
                               [--chunk BYTES] [--ways N] [--no-compute]
       dask_peer.py node --controller A --address A

The controller starts a scheduler at that address, port 8786, creates the file
--ready, waits for the nodes, and prints one JSON object. A node ends with its
scheduler.
"""
import argparse
import asyncio
import json
import os
import resource
import sys
import time

import dask
import numpy

# Before it is imported, since it sets up its log then. What is no part of the job is off.
dask.config.set({"logging": {"distributed": "error"}, "distributed.comm.compression": None,
                 "distributed.scheduler.work-stealing": False, "distributed.worker.profile.enabled": False})

from distributed import Client, Scheduler, Worker  # noqa: E402

VECTOR = 32
PORT = 8786


def xor(chunk):
    words = chunk.view(numpy.uint64)
    return words[:-VECTOR // 8] ^ words[VECTOR // 8:]


def zeroes(chunk):
    return numpy.zeros(len(chunk) - VECTOR, numpy.uint8)


def cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


async def one_way(client, worker, compute, chunks, source, sink):
    """Takes chunk after chunk through one worker, one at a time. How many it took."""
    taken = 0
    for offset, size in chunks:
        data = numpy.frombuffer(os.pread(source, size + VECTOR, offset), numpy.uint8)
        remote = await client.scatter(data, workers=[worker], direct=True, hash=False)
        result = client.submit(compute, remote, workers=[worker], pure=False)
        os.pwrite(sink, await client.gather(result, direct=True), offset)
        taken += 1
    return taken


def cut(size, chunk):
    """An iterator that all ways share: (offset, bytes) of output."""
    length = size - VECTOR
    for offset in range(0, length, chunk):
        yield offset, min(chunk, length - offset)


async def stream(client, options):
    size = os.path.getsize(options.input)
    workers = list((await client.scheduler.identity())["workers"])
    source = os.open(options.input, os.O_RDONLY)
    sink = os.open(options.output, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o644)
    chunks = cut(size, options.chunk)
    compute = zeroes if options.no_compute else xor
    counts = await asyncio.gather(*(one_way(client, worker, compute, chunks, source, sink)
                                    for _ in range(options.ways) for worker in workers))
    os.fsync(sink)
    os.close(sink)
    os.close(source)
    return size, sum(counts)


async def controller(options):
    async with Scheduler(host=options.address, port=PORT, dashboard=False) as scheduler:
        open(options.ready, "w", encoding="utf-8").close()
        async with Client(scheduler.address, asynchronous=True) as client:
            await client.wait_for_workers(options.nodes)
            own, nodes = cpu_seconds(), sum((await client.run(cpu_seconds)).values())
            began = time.monotonic()
            size, chunks = await stream(client, options)
            seconds = time.monotonic() - began
            own, nodes = cpu_seconds() - own, sum((await client.run(cpu_seconds)).values()) - nodes
            print(json.dumps({"bytes": size, "seconds": seconds, "cpu_seconds_controller": own,
                              "cpu_seconds_nodes": nodes, "nodes": options.nodes, "chunk": options.chunk,
                              "window": options.ways, "chunks": chunks, "resent": 0}), flush=True)


async def node(options):
    async with Worker(f"tcp://{options.controller}:{PORT}", host=options.address, nthreads=1, dashboard=False,
                      memory_limit=0) as worker:
        await worker.finished()


def parse():
    parser = argparse.ArgumentParser(description="The job of tools/bench by Dask distributed.", allow_abbrev=False)
    roles = parser.add_subparsers(dest="role", required=True)
    lead = roles.add_parser("controller")
    lead.add_argument("--address", required=True, help="IPv4, of the scheduler")
    lead.add_argument("--ready", required=True, help="a file that appears when nodes may start")
    lead.add_argument("--nodes", type=int, required=True)
    lead.add_argument("--input", required=True)
    lead.add_argument("--output", required=True)
    lead.add_argument("--chunk", type=int, default=4 << 20, help="bytes of output (4 MiB)")
    lead.add_argument("--ways", type=int, default=2, help="chunks under way to a node (2)")
    lead.add_argument("--no-compute", action="store_true", help="nodes answer zeroes")
    follow = roles.add_parser("node")
    follow.add_argument("--controller", required=True, help="IPv4")
    follow.add_argument("--address", required=True, help="IPv4, its own")
    options = parser.parse_args()
    if options.role == "controller" and (options.chunk < VECTOR or options.chunk % VECTOR or options.ways < 1
                                         or options.nodes < 1):
        parser.error("--chunk is a multiple of 32, --ways and --nodes are 1 or more")
    return options


def main():
    options = parse()
    asyncio.run(controller(options) if options.role == "controller" else node(options))


if __name__ == "__main__":
    sys.exit(main())
