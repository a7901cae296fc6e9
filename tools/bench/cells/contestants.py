"""Who takes part: DiskSync in its ways, the peers, and the references that aims are measured by."""
import json
import os
import shutil
import subprocess

from stage import PORTS

FRESH = ("W1", "W1r", "W2", "W6", "W6d")  # the destination is empty


class Contestant:
    """prepare() is before the clock, commands() what is timed: groups in turn, the commands of a group at once."""

    kind = "peer"
    good = (0,)
    hashes = False  # it hashes or encrypts what it copies
    copies = True   # it leaves a copy that must be the source, byte for byte
    gauge = False   # it measures the link; what it costs says nothing about the image

    def __init__(self, name, note=""):
        self.name, self.note = name, note

    def prepare(self, stage):
        pass

    def commands(self, stage):
        raise NotImplementedError

    def wire(self, stage, commands, counted):
        """Bytes that passed: what the namespace counted, unless the contestant goes another way and says so itself."""
        return counted

    def seconds(self, stage, commands, measured):
        return measured


class Rsync(Contestant):
    hashes = True

    def __init__(self, name, options, daemon=False, note=""):
        super().__init__(name, note)
        self.options, self.daemon = options, daemon

    def prepare(self, stage):
        stage.put_old()
        self.to = stage.rsync_daemon() if self.daemon else f"far:{stage.target}"
        self.shell = [] if self.daemon else ["-e", stage.sshd()]

    def commands(self, stage):
        return [[["rsync", "--fsync", *self.options, *self.shell, stage.workload.source, self.to]]]


class Scp(Contestant):
    hashes = True

    def __init__(self, name, *options, note=""):
        super().__init__(name, note)
        self.options = options

    def prepare(self, stage):
        stage.put_old()
        self.shell = stage.sshd().split()[1:]

    def commands(self, stage):
        return [[["scp", "-q", *self.shell, *self.options, stage.workload.source, f"far:{stage.target}"]]]


class NbdCopy(Contestant):
    """The destination is an empty file of the image's length, except where it has an old image."""

    def prepare(self, stage):
        fresh = stage.workload.old is None
        (stage.empty_target if fresh else stage.put_old)()
        self.options = ["--destination-is-zero"] if fresh else []
        self.source = stage.nbdkit("source", stage.workload.source, "-r", near=True)
        self.to = stage.nbdkit("target", stage.target, tcp=stage.link.device != "lo")

    def commands(self, stage):
        return [[["nbdcopy", "--flush", *self.options, self.source, self.to]]]

    def wire(self, stage, commands, counted):
        return None if self.to.startswith("nbd+unix") else counted


class QemuConvert(NbdCopy):
    def prepare(self, stage):
        super().prepare(stage)
        self.options = ["--target-is-zero"] if self.options else []

    def commands(self, stage):
        return [[["qemu-img", "convert", "-f", "raw", "-O", "raw", "-n", "-t", "writeback", *self.options, stage.workload.source, self.to]]]


class Casync(Contestant):
    """make at the source, extract at the destination; both share a store, which has the old image's chunks already."""

    hashes = True

    def prepare(self, stage):
        stage.put_old()
        self.store, self.old = stage.path("store.castr"), stage.path("old.caibx")
        if stage.workload.old:
            stage.aside("casync", "make", f"--store={self.store}", self.old, stage.workload.old)
            os.rename(stage.target, stage.path("seed.img"))
        self.before = stored(self.store)

    def commands(self, stage):
        index = stage.path("new.caibx")
        seed = [f"--seed={stage.path('seed.img')}"] if stage.workload.old else []
        return [[["casync", "make", f"--store={self.store}", index, stage.workload.source]],
                [["casync", "extract", f"--store={self.store}", *seed, index, stage.target]]]

    def wire(self, stage, commands, counted):
        return {"there": stored(self.store) - self.before + os.path.getsize(stage.path("new.caibx")), "back": 0,
                "as": "new chunks and the index"}


def stored(folder):
    return sum(os.path.getsize(os.path.join(where, name)) for where, _, names in os.walk(folder) for name in names)


class Zsync(Contestant):
    """zsyncmake at the source, nginx in between, zsync at the destination with the old image as its seed."""

    hashes = True

    def prepare(self, stage):
        if stage.link.device != "lo":
            # It fetches: its client runs at the destination, which is the side that has the address to serve from here.
            raise RuntimeError("zsync is measured on L0 only")
        stage.put_old()
        os.rename(stage.target, stage.path("seed.img"))
        self.url = stage.nginx()
        os.symlink(stage.workload.source, stage.path("web/image.img"))

    def commands(self, stage):
        return [[["zsyncmake", "-u", "image.img", "-o", stage.path("web/image.zsync"), stage.workload.source]],
                # It works in its current folder and renames at the end.
                [["env", "-C", stage.root, "zsync", "-q", "-i", stage.path("seed.img"), "-o", "image.img", f"{self.url}/image.zsync"]]]


class DiskSync(Contestant):
    kind = "disksync"
    hashes = True

    def __init__(self, name, way, *options, note=""):
        super().__init__(name, note)
        self.way, self.options = way, options

    def prepare(self, stage):
        getattr(self, self.way)(stage)
        if stage.workload.old:
            stage.aside(*self.push(stage, stage.workload.old))

    def push(self, stage, image, *options):
        return [stage.disksync, "push", image, self.to, "--json", "--state", stage.path("state-near"), *self.more, *options]

    def commands(self, stage):
        return [[self.push(stage, stage.workload.source, *self.options)]]

    def wire(self, stage, commands, counted):
        report = json.loads(commands[-1].printed())
        return counted if self.way != "unix" else {"there": report["bytesSent"], "back": report["bytesReceived"], "as": "its own report"}

    def unix(self, stage):
        socket = stage.path("socket")
        stage.receiver(f"unix:{socket}")
        self.to, self.more = f"unix:{socket}:image.img", []

    def ssh(self, stage):
        shell = stage.sshd()
        self.to, self.more = f"far:{stage.target}", ["--rsh", shell, "--remote-path", stage.disksync]

    def tls(self, stage):
        """Each side has made a key and trusts the other's, as the manual says."""
        near, far = stage.path("keys-near"), stage.path("keys-far")
        prints = [json.loads(stage.aside(stage.disksync, "keygen", "--json", "--keys", folder))["fingerprint"] for folder in (near, far)]
        stage.aside(stage.disksync, "trust", "source", prints[0], "--keys", far)
        stage.aside(stage.disksync, "trust", f"{stage.link.address}:{PORTS['disksync']}", prints[1], "--keys", near)
        stage.receiver(f"tcp:{stage.link.address}:{PORTS['disksync']}", "--keys", far)
        self.to, self.more = f"disksync://{stage.link.address}:{PORTS['disksync']}/image.img", ["--keys", near]

    def plain(self, stage):
        stage.receiver(f"tcp:{stage.link.address}:{PORTS['disksync']}", "--insecure")
        self.to, self.more = f"disksync://{stage.link.address}:{PORTS['disksync']}/image.img", ["--insecure"]


class TwoSums(Contestant):
    """What reading and hashing both images costs at least: the judge of the first issue."""

    kind, copies = "reference", False

    def commands(self, stage):
        return [[["b3sum", "--no-mmap", "--num-threads", "1", path] for path in (stage.workload.old, stage.workload.source)]]

    def wire(self, stage, commands, counted):
        return None


class DiskSyncDiff(TwoSums):
    kind, good = "disksync", (0, 1)

    def commands(self, stage):
        return [[[stage.disksync, "diff", stage.workload.old, stage.workload.source, "--quiet"]]]


class QemuCompare(TwoSums):
    """It stops at the first difference; given the old image twice, it has to read all."""

    kind, good = "peer", (0, 1)

    def __init__(self, name, equal, note=""):
        super().__init__(name, note)
        self.equal = equal

    def commands(self, stage):
        other = stage.workload.old if self.equal else stage.workload.source
        return [[["qemu-img", "compare", "-f", "raw", "-F", "raw", stage.workload.old, other]]]


class Iperf(Contestant):
    """What TCP gets on the link; its seconds are those that the image's length would take at its rate."""

    kind, copies, gauge = "reference", False, True

    def __init__(self, name, *options, note=""):
        super().__init__(name, note)
        self.options = options

    def prepare(self, stage):
        stage.serve(["iperf3", "-s", "-B", stage.link.address, "-p", PORTS["iperf3"]], stage.listening(PORTS["iperf3"]))

    def commands(self, stage):
        return [[["iperf3", "-c", stage.link.address, "-p", PORTS["iperf3"], "-J", *self.options]]]

    def seconds(self, stage, commands, measured):
        return stage.workload.length * 8 / json.loads(commands[-1].printed())["end"]["sum_received"]["bits_per_second"]

    def wire(self, stage, commands, counted):
        return None


def knows(disksync, word):
    """Whether the installed disksync's help speaks of it: contestants appear with the version that brings them."""
    return any(word in subprocess.run([disksync, command, "--help"], capture_output=True, text=True, check=False).stdout
               for command in ("push", "receive"))


def missing(*programs):
    return [name for name in programs if not shutil.which(name)]
