"""Which cells there are, and who takes part in each."""
from contestants import (Casync, DiskSync, DiskSyncDiff, Iperf, NbdCopy, QemuCompare, QemuConvert, Rsync, Scp, TwoSums, Zsync,
                         knows)

# (workload, link, runs, the peers' runs): the core, what --quick has of it, and what --full adds. 0: once, without a
# warm-up, since a slow link leaves no time for more and hides what a warm-up is for.
CORE = [("W1", "L0", 5, 5), ("W2", "L0", 5, 5), ("W3", "L0", 5, 5), ("W3d", "L0", 5, 5), ("W4", "L0", 5, 5), ("W5", "L0", 5, 5),
        ("W6", "L0", 5, 5), ("W6d", "L0", 5, 5),
        ("W5h", "L0", 5, 5), ("W1r", "L1", 5, 5), ("W1", "L1", 5, 5), ("W3", "L1", 5, 5), ("W4", "L1", 5, 5)]
QUICK = [("W1", "L0", 2, 2), ("W3", "L0", 2, 2), ("W4", "L1", 2, 2)]
FULL = CORE + [("W1r", "L2", 3, 3), ("W1", "L2", 3, 3), ("W4", "L2", 3, 3), ("W1", "L3", 3, 0), ("W4", "L3", 3, 0)]

SLOW = ("L2", "L3")
DELTA = ["--inplace", "--no-whole-file", "--ignore-times"]


def disksyncs(disksync, link, inplace):
    ways = [("disksync (unix)", "unix")] if link == "L0" else []
    if knows(disksync, "--insecure"):
        ways += [("disksync (TLS)", "tls"), ("disksync (TCP, --insecure)", "plain")]
    ways += [("disksync (ssh)", "ssh")]
    found = [DiskSync(name, way) for name, way in ways]
    if inplace:
        found.insert(1, DiskSync(ways[0][0].replace(")", ", --inplace)"), ways[0][1], "--inplace",
                                 note="writes the image itself, as the peers do here"))
    return found


def contestants(workload, link, disksync, everyone):
    """Who takes part in a cell; everyone: slow variants, too, which --full has."""
    if workload == "W3d":
        return diffs()
    ours = disksyncs(disksync, link, inplace=workload in ("W3", "W4") and link not in SLOW)
    if workload == "W5h":
        return unchanged(disksync, ours[:1])
    if workload == "W5":
        return unchanged(disksync, ours[:2]) + [
            Rsync("rsync, by size and time (ssh)", ["-t"], note="looks at no content"),
            Rsync("rsync --checksum (ssh)", ["--checksum"], note="hashes both sides"),
            Rsync("rsync --inplace (ssh)", DELTA)]
    if workload in ("W6", "W6d"):
        slow = [Rsync("rsync -S (ssh)", ["-W", "-S"])] if everyone and workload == "W6" else []
        return ours[:1] + [NbdCopy("nbdcopy"), QemuConvert("qemu-img convert")] + slow
    if workload in ("W3", "W4"):
        return ours + deltas(workload, link, everyone)
    if workload == "W1r":
        return ours + [NbdCopy("nbdcopy")] + gauges(link)
    return ours + copies(workload, link, everyone) + gauges(link)


def copies(workload, link, everyone):
    """Peers that copy all of it to where nothing is."""
    sparse = ["-S"] if workload == "W2" else []
    found = [NbdCopy("nbdcopy"), QemuConvert("qemu-img convert"), Rsync("rsync -W (ssh)", ["-W", *sparse]),
             Rsync("rsync -W (daemon)", ["-W", *sparse], daemon=True), Scp("scp")]
    if link in SLOW:
        found += [Rsync("rsync -z (ssh)", ["-z", *DELTA]), Scp("scp -C", "-C")]
    if everyone and link == "L0":
        found += [Scp("scp -c aes128-gcm", "-c", "aes128-gcm@openssh.com"), Casync("casync")]
    return found


def deltas(workload, link, everyone):
    """Peers that know how to use the old image, and one that does not."""
    sparse = ["-S"] if workload == "W4" else []
    found = [Rsync("rsync --inplace (ssh)", [*DELTA, *sparse]), Rsync("rsync --inplace (daemon)", [*DELTA, *sparse], daemon=True)]
    if link in SLOW:
        found.append(Rsync("rsync -z (ssh)", ["-z", *DELTA, *sparse]))
    if link != "L3":
        # At 5 Mbit/s all of the image would take hours.
        found.append(NbdCopy("nbdcopy", note="copies all of it"))
    if workload == "W3" and link == "L0":
        found.append(TwoSums("two b3sum", note="--num-threads 1, at once"))
    if everyone and link == "L0":
        found += [Casync("casync"), Zsync("zsync")]
    return found


def unchanged(disksync, ours):
    """The push before the clock, of the same image, has saved its map, where this disksync saves one."""
    if not knows(disksync, "--rescan"):
        return ours
    return [DiskSync(f"{one.name[:-1]}, {label})", one.way, *options) for one in ours
            for label, options in (("saved map", []), ("--rescan", ["--rescan"]))]


def diffs():
    return [DiskSyncDiff("disksync diff"), QemuCompare("qemu-img compare", False, note="stops at the first difference"),
            QemuCompare("qemu-img compare, equal images", True, note="has to read all"),
            TwoSums("two b3sum", note="--num-threads 1, at once")]


def gauges(link):
    return {"L1": [Iperf("iperf3")], "L2": [Iperf("iperf3 -P 16", "-P", "16", "-t", "20")], "L3": [Iperf("iperf3", "-t", "20")]}.get(link, [])
