# SPDX-License-Identifier: BSD-3-Clause
"""What else a user might take for the same job, in the same rack: tools/bench/peers.

    with peer_rack.PeerRack("free") as lab:
        lab.offloads(False)
        lab.udp(source, sink, vectors=256, window=32)

Each run gives {"gbps": of input, "cpu_s_per_gb": of controller and nodes, ...} with what
the peer itself reports; its output is verified by 'wiremill verify'.
"""
import json
import os
import signal
import subprocess
import time

import bench
import rack

FOLDER = os.path.join(bench.top, "tools", "bench", "peers")
CONTROLLER = "10.87.0.1"
NETWORK = "10.87.0.0/16"
LIMIT_S = 120
# What a veth may pass on in one piece though no wire does.
OFFLOADS = ("tso", "gso", "gro", "tx-udp-segmentation")


class PeerRack(rack.Rack):
    """The namespaces of a lab with IP addresses, and none of Wiremill's programs."""

    def __init__(self, name, nodes=12, mtu=9000, options=()):
        super().__init__(name, nodes, mtu, ["--no-controller", *options])

    def __enter__(self):
        super().__enter__()
        try:
            self.address("ctl", CONTROLLER)
            for node in range(1, self.nodes + 1):
                # Its XDP program would stand in the peers' way.
                self.lab("kill", "--node", node, "--signal", "TERM")
                self.address(f"n{node}", self.node_address(node))
        except BaseException:
            self.__exit__()
            raise
        return self

    def address(self, machine, address):
        bench.run("ip", "-n", self.namespace(machine), "addr", "add", f"{address}/16", "dev", "port0")

    @staticmethod
    def node_address(node):
        return f"10.87.1.{node}"

    def namespace(self, machine):
        return f"wm-{self.name}-{machine}"

    def inside(self, machine, *words):
        # Not 'tools/lab exec': the time of its shell would count.
        return ["nsenter", f"--net=/run/netns/{self.namespace(machine)}", "--", *(str(word) for word in words)]

    def offloads(self, on):
        """Of every link, at both ends: off, each frame is one that a wire could carry."""
        words = [word for name in OFFLOADS for word in (name, "on" if on else "off")]
        ports = {"ctl": rack.UPLINK_PORT} | {f"n{node}": f"n{node}" for node in range(1, self.nodes + 1)}
        for machine, port in ports.items():
            bench.run(*self.inside(machine, "ethtool", "-K", "port0", *words))
            bench.run(*self.inside("sw", "ethtool", "-K", port, *words))

    # ---- the peers -----------------------------------------------------------

    def udp(self, source, sink, vectors=256, window=32, trains=1, compute=True):
        node = [bench.program("tools/bench/peers/wm-peer-udp-node")]
        node += ["--trains"] if trains > 1 else []
        node += [] if compute else ["--no-compute"]
        lead = [bench.program("tools/bench/peers/wm-peer-udp"), "--input", source, "--output", sink, "--vectors",
                vectors, "--window", window, "--trains", trains]
        with Nodes(self, lambda _: node) as nodes:
            self.wait_for_sockets()
            report = self.lead(lead + [self.node_address(node) for node in range(1, self.nodes + 1)])
        return self.judge(report | {"cpu_seconds_nodes": nodes.cpu_seconds}, source, sink)

    def mpi(self, source, sink, vectors=8192, ways=4, nap=False, compute=True):
        environment = os.environ | {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
                                    "WM_PEER_LAB": self.name}
        hosts = [CONTROLLER, *(self.node_address(node) for node in range(1, self.nodes + 1))]
        settings = {"plm_rsh_agent": os.path.join(FOLDER, "mpi_agent.sh"), "pml": "ob1", "btl": "tcp,self",
                    "btl_tcp_if_include": NETWORK, "oob_tcp_if_include": NETWORK, "mpi_yield_when_idle": 1}
        lead = ["mpirun", "--host", ",".join(f"{host}:1" for host in hosts), "-np", len(hosts), "--bind-to", "none"]
        lead += [word for key, value in settings.items() for word in ("--mca", key, value)]
        lead += [bench.program("tools/bench/peers/wm-peer-mpi"), "--input", source, "--output", sink, "--vectors",
                 vectors, "--ways", ways]
        lead += (["--nap"] if nap else []) + ([] if compute else ["--no-compute"])
        return self.judge(self.lead(lead, env=environment), source, sink)

    def dask(self, source, sink, chunk=4 << 20, ways=2, compute=True):
        program = os.path.join(FOLDER, "dask_peer.py")
        ready = os.path.join(bench.work, "dask-ready")
        lead = [program, "controller", "--address", CONTROLLER, "--ready", ready, "--nodes", self.nodes, "--input",
                source, "--output", sink, "--chunk", chunk, "--ways", ways] + ([] if compute else ["--no-compute"])
        process = subprocess.Popen(self.inside("ctl", *lead), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            wait_until(lambda: os.path.exists(ready) or process.poll() is not None)
            with Nodes(self, lambda node: [program, "node", "--controller", CONTROLLER, "--address",
                                           self.node_address(node)]):
                output, errors = process.communicate(timeout=LIMIT_S)
        finally:
            process.kill()
            process.wait()
        if process.returncode != 0:
            bench.fail(f"the peer dask failed: {(errors.strip().splitlines() or ['it said nothing'])[-1]}")
        os.unlink(ready)
        return self.judge(json.loads(output.splitlines()[-1]), source, sink)

    # ---- a run ---------------------------------------------------------------

    def lead(self, words, **options):
        return json.loads(bench.run(*self.inside("ctl", *words), timeout=LIMIT_S, **options).splitlines()[-1])

    def wait_for_sockets(self):
        """A datagram to a port that nobody has is lost: UDP port 8818 is 2272 in hexadecimal."""
        def all_listen():
            return all(":2272 " in bench.run(*self.inside(f"n{node}", "cat", "/proc/net/udp"))
                       for node in range(1, self.nodes + 1))
        wait_until(all_listen)

    def judge(self, report, source, sink):
        self.verify(source, sink)
        gigabytes = report["bytes"] / 1e9
        cpu_s = report["cpu_seconds_controller"] + report["cpu_seconds_nodes"]
        return report | {"gbps": gigabytes / report["seconds"], "cpu_s_per_gb": cpu_s / gigabytes}


class Nodes:
    """A program in each node's namespace; cpu_seconds: what they used, once they are ended."""

    def __init__(self, lab, command):
        self.lab = lab
        self.command = command
        self.processes = []
        self.cpu_seconds = 0.0

    def __enter__(self):
        for node in range(1, self.lab.nodes + 1):
            self.processes.append(subprocess.Popen(self.lab.inside(f"n{node}", *self.command(node)),
                                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        return self

    def __exit__(self, *_):
        for process in self.processes:
            # Not process.kill(), which may reap it, and its figures with it.
            os.kill(process.pid, signal.SIGKILL)
        for process in self.processes:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            self.cpu_seconds += usage.ru_utime + usage.ru_stime


def wait_until(condition):
    deadline = time.monotonic() + 60
    while not condition():
        if time.monotonic() > deadline:
            bench.fail("a peer is not ready after a minute")
        time.sleep(0.02)
