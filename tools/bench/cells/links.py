"""The ways between both sides: network namespaces of our own, so that their counters are only ours."""
import json
import os
import signal
import subprocess

from machine import run

TITLES = {
    "L0": "loopback, unshaped",
    "L1": "1 Gbit/s: two network namespaces, tbf on both ends of a veth pair",
    "L2": "100 Mbit/s, 50 ms round trip, 0.1% loss each way (tools/wanem)",
    "L3": "5 Mbit/s, 100 ms round trip (tools/wanem)",
}


class Link:
    """A near side, where the source is, and a far side, with an address. wire(): bytes that passed, both ways."""

    near = far = address = None

    def wire(self):
        return counted(self.near, self.device)

    def congestion(self):
        return run("ip", "netns", "exec", self.near, "sysctl", "-n", "net.ipv4.tcp_congestion_control").strip()

    def close(self):
        for name in {self.near, self.far} - {None}:
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)


class Loopback(Link):
    device = "lo"

    def __init__(self):
        self.near = self.far = make_namespace("a")
        self.address = "127.0.0.1"


class Gigabit(Link):
    device = "near"

    def __init__(self):
        self.near, self.far = make_namespace("a"), make_namespace("b")
        self.address = "10.77.0.2"
        try:
            run("ip", "link", "add", "near", "netns", self.near, "type", "veth", "peer", "name", "far", "netns", self.far)
            for namespace, device, address in ((self.near, "near", "10.77.0.1"), (self.far, "far", self.address)):
                run("ip", "-n", namespace, "address", "add", address + "/24", "dev", device)
                run("ip", "-n", namespace, "link", "set", device, "up")
                # The burst holds a few of the largest packets that segmentation offload hands down.
                run("tc", "-n", namespace, "qdisc", "add", "dev", device, "root", "tbf", "rate", "1gbit", "burst", "256k",
                    "latency", "20ms")
        except BaseException:
            self.close()
            raise


class Wan(Link):
    """tools/wanem between two namespaces that it makes and takes away."""

    device = "wan0"

    def __init__(self, name):
        program = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "wanem", "run")
        if not os.path.exists(program):
            raise RuntimeError(f"{name} needs tools/wanem, which this checkout has not")
        self.process = subprocess.Popen([program, "--link", name], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)
        said = {}
        for line in self.process.stdout:
            if line.strip() == "ready":
                break
            key, _, said[key] = line.strip().partition("=")
        else:
            raise RuntimeError(f"tools/wanem did not start: {self.process.communicate()[1].strip()[-300:]}")
        self.near, self.far, self.address = said["WANEM_A"], said["WANEM_B"], said["WANEM_B4"]

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate()


def make_namespace(side):
    name = f"disksync-bench-{os.getpid()}-{side}"
    run("ip", "netns", "add", name)
    run("ip", "-n", name, "link", "set", "lo", "up")
    return name


def counted(namespace, device):
    """Bytes of a device: {there, back}; of the loopback device, where both are one, only {there}."""
    statistics = json.loads(run("ip", "-n", namespace, "-s", "-j", "link", "show", "dev", device))[0]["stats64"]
    there, back = statistics["tx"]["bytes"], statistics["rx"]["bytes"]
    return {"there": there, "back": 0 if device == "lo" else back}


def open_link(name):
    return {"L0": Loopback, "L1": Gigabit}[name]() if name in ("L0", "L1") else Wan(name)
