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
    """everyone: slow variants, too, which --full has."""
    if workload == "W3d":
        return [DiskSyncDiff("disksync diff"),
                QemuCompare("qemu-img compare", False, note="stops at the first difference"),
                QemuCompare("qemu-img compare, equal images", True, note="has to read all"), TwoSums("two b3sum", note="--num-threads 1, at once")]
    ours = disksyncs(disksync, link, workload in ("W3", "W4"))
    nbd = [NbdCopy("nbdcopy"), QemuConvert("qemu-img convert")]
    sparse = ["-S"] if workload in ("W2", "W4", "W6") else []
    squeeze = [Rsync("rsync -z (ssh)", ["-z", *DELTA, *sparse])] if link in ("L2", "L3") else []
    gauge = {"L1": [Iperf("iperf3")], "L2": [Iperf("iperf3 -P 16", "-P", "16", "-t", "20")],
             "L3": [Iperf("iperf3", "-t", "20")]}.get(link, []) if workload[:2] == "W1" else []
    if workload in ("W1", "W1r", "W2"):
        found = ours + nbd + [Rsync("rsync -W (ssh)", ["-W", *sparse]), Rsync("rsync -W (daemon)", ["-W", *sparse], daemon=True)] + squeeze
        found += [Scp("scp")] + ([Scp("scp -C", "-C")] if squeeze else []) + gauge
        if workload == "W1r":
            found = [one for one in found if one.kind in ("disksync", "reference") or one.name == "nbdcopy"]
        elif everyone and link == "L0":
            found += [Scp("scp -c aes128-gcm", "-c", "aes128-gcm@openssh.com"), Casync("casync")]
        return found
    if workload in ("W3", "W4"):
        found = ours + [Rsync("rsync --inplace (ssh)", [*DELTA, *sparse]),
                        Rsync("rsync --inplace (daemon)", [*DELTA, *sparse], daemon=True)] + squeeze
        # At 5 Mbit/s all of the image would take hours.
        found += [NbdCopy("nbdcopy", note="copies all of it")] if link != "L3" else []
        if workload == "W3" and link == "L0":
            found.append(TwoSums("two b3sum", note="--num-threads 1, at once"))
        if everyone and link == "L0":
            found += [Casync("casync"), Zsync("zsync")]
        return found
    if workload[:2] == "W5":
        # The push before the clock, of the same image, has saved the map, where this disksync saves one.
        if knows(disksync, "--rescan"):
            ways = [(way, name[:-1]) for name, way in ((one.name, one.way) for one in ours[:2 if workload == "W5" else 1])]
            ours = [DiskSync(f"{name}, {label})", way, *more) for way, name in ways
                    for label, more in (("saved map", []), ("--rescan", ["--rescan"]))]
        if workload == "W5h":
            return ours
        return ours + [Rsync("rsync, by size and time (ssh)", ["-t"], note="looks at no content"),
                       Rsync("rsync --checksum (ssh)", ["--checksum"], note="hashes both sides"),
                       Rsync("rsync --inplace (ssh)", DELTA)]
    slow = [Rsync("rsync -S (ssh)", ["-W", "-S"])] if everyone and workload == "W6" else []
    return ours[:1] + nbd + slow
