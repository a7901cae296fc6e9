"""What it must reach: each aim of the project with what was measured. Ratios are of medians of one cell."""
from figures import cells, size, summary
from machine import MIB

LINE_RATE = 1e9 / 8
SLOW_RATE, SLOW_ROUND_TRIP = 5e6 / 8, 0.1


class Table:
    def __init__(self, rows):
        self.rows = {(row["workload"], row["link"], row["contestant"]): row for row in rows}

    def find(self, workload, link, *names):
        """The first of the names that took part in the cell: (name, summary), where {} is a failure; None if none did."""
        for name in names:
            row = self.rows.get((workload, link, name))
            if row:
                return name, summary(row)
        return None


def aim(text, measured, met):
    return {"aim": text, "measured": measured, "met": met,
            "verdict": {True: "met", False: "**not met**", None: "not measured"}[met]}


def compared(table, text, workload, link, ours, theirs, limit, key="median"):
    """ours / theirs at most limit; each is a name or several, of which the first that took part counts."""
    one = table.find(workload, link, *([ours] if isinstance(ours, str) else ours))
    other = table.find(workload, link, *([theirs] if isinstance(theirs, str) else theirs))
    if not one or not other:
        return aim(text, "", None)
    if not one[1] or not other[1]:
        return aim(text, f"{one[0] if not one[1] else other[0]} failed", False if not one[1] else None)
    if key not in one[1] or key not in other[1]:
        return aim(text, "not counted", None)
    ratio = one[1][key] / other[1][key]
    shown = size if key == "wire" else "{:.3f} s".format
    return aim(text, f"{ratio:.3f} ({one[0]} {shown(one[1][key])}, {other[0]} {shown(other[1][key])})", ratio <= limit)


OVER_LINK = ("disksync (TLS)", "disksync (TCP, --insecure)", "disksync (ssh)")
UNIX, TLS = "disksync (unix)", "disksync (TLS)"


def judge(rows, facts):
    table = Table(rows)
    found = [
        compared(table, "W1 L0: over a Unix socket at most 1.0 of nbdcopy", "W1", "L0", UNIX, "nbdcopy", 1.0),
        compared(table, "W1 L0: over TLS at most 1.4 of our own Unix socket", "W1", "L0", TLS, UNIX, 1.4),
        compared(table, "W1 L0: over TLS at most 0.35 of scp", "W1", "L0", TLS, "scp", 0.35),
        compared(table, "W1 L0: over TLS at most 0.35 of rsync -W over ssh", "W1", "L0", TLS, "rsync -W (ssh)", 0.35)]
    for ours, theirs in ((UNIX, "rsync --inplace (daemon)"), ("disksync (unix, --inplace)", "rsync --inplace (daemon)"),
                         (TLS, "rsync --inplace (ssh)")):
        found += [compared(table, f"W3 L0: {ours} at most 0.1 of {theirs}", "W3", "L0", ours, theirs, 0.1),
                  compared(table, f"W3 L0: bytes of {ours} at most 0.25 of {theirs}", "W3", "L0", ours, theirs, 0.25, "wire")]
    found += [compared(table, f"W3 L0: {ours} at most 1.3 of two concurrent b3sum", "W3", "L0", ours, "two b3sum", 1.3)
              for ours in (UNIX, "disksync (unix, --inplace)")]
    found += [
        compared(table, "W1r L1: at least 97% of iperf3 (time at most 1.031 of it)", "W1r", "L1", OVER_LINK, "iperf3", 1 / 0.97),
        faster_than_the_line(table),
        compared(table, "W1r L2: at least 95% of iperf3 -P 16 (time at most 1.053 of it)", "W1r", "L2", OVER_LINK, "iperf3 -P 16", 1 / 0.95),
        compared(table, "W1 L2: at least 95% of iperf3 -P 16, as it is", "W1", "L2", OVER_LINK, "iperf3 -P 16", 1 / 0.95),
        slow_upgrade(table, facts.get("W4")),
        *unchanged(table),
        huge(table),
        *memory(table), *processor(rows)]
    return found


def faster_than_the_line(table):
    text = "W1 L1: as it is, faster than line rate in image bytes"
    one = table.find("W1", "L1", *OVER_LINK)
    if not one:
        return aim(text, "", None)
    if not one[1]:
        return aim(text, f"{one[0]} failed", False)
    rate = table.rows["W1", "L1", one[0]]["bytes"] / one[1]["median"]
    return aim(text, f"{rate / 1e6:.1f} MB/s of image ({one[0]}); the line has {LINE_RATE / 1e6:.0f}", rate > LINE_RATE)


def slow_upgrade(table, facts):
    """The bound: the changed blocks as lz4 -1 packs them and the map that was really sent, at the link's rate; ten round
    trips; the local scan."""
    text = "W4 L3: within its changed blocks by lz4 -1, the map bytes sent, 10 round trips and the local scan"
    one = table.find("W4", "L3", *OVER_LINK)
    if not one or not facts:
        return aim(text, "", None)
    if not one[1]:
        return aim(text, f"{one[0]} failed", False)
    bound = (facts["packed"] + one[1]["back"]) / SLOW_RATE + 10 * SLOW_ROUND_TRIP + facts["scanSeconds"]
    return aim(text, f"{one[1]['median']:.1f} s ({one[0]}); bound {bound:.1f} s: {facts['changed']} blocks packed to {size(facts['packed'])}, "
               f"{size(one[1]['back'])} back (map and acknowledgements), scan {facts['scanSeconds']:.2f} s; sent {size(one[1]['there'])}",
               one[1]["median"] <= bound)


def unchanged(table):
    found = []
    for link, name in [(link, name) for workload, link, name in table.rows if workload == "W5" and "saved map" in name]:
        one = summary(table.rows["W5", link, name])
        text = f"W5 {link}: {name} under 0.2 s"
        found.append(aim(text, f"{one['median']:.3f} s" if one else "failed", bool(one) and one["median"] < 0.2))
    return found or [aim("W5 L0: with a saved map under 0.2 s", "", None)]


def huge(table):
    text = "W6 L0: at most 1.2 of its data alone"
    whole, alone = table.find("W6", "L0", UNIX), table.find("W6d", "L0", UNIX)
    if not whole or not alone:
        return aim(text, "", None)
    if not whole[1] or not alone[1]:
        return aim(text, "failed", False)
    ratio = whole[1]["median"] / alone[1]["median"]
    return aim(text, f"{ratio:.3f} ({whole[1]['median']:.3f} s, alone {alone[1]['median']:.3f} s; two cells of one run)", ratio <= 1.2)


def memory(table):
    one = table.find("W6", "L0", UNIX)
    found = []
    for side, key in (("source", "peakNear"), ("destination", "peakFar")):
        text = f"W6 L0: VmHWM of the {side} under 150 MiB"
        if not one:
            found.append(aim(text, "", None))
        else:
            found.append(aim(text, size(one[1][key]) if one[1] else "failed", bool(one[1]) and one[1][key] < 150 * MIB))
    return found


def processor(rows):
    """In each cell, every way of ours beside the cheapest peer that hashes or encrypts."""
    found = []
    for (workload, link), group in cells(rows).items():
        peers = {row["contestant"]: summary(row)["cpuPerGib"] for row in group
                 if row["kind"] == "peer" and row["hashes"] and summary(row)}
        ours = {row["contestant"]: summary(row)["cpuPerGib"] for row in group if row["kind"] == "disksync" and summary(row)}
        if peers and ours:
            cheapest = min(peers, key=peers.get)
            found += [aim(f"{workload} {link}: CPU seconds of {name} below every peer that hashes or encrypts",
                          f"{value:.2f} per GiB; {cheapest} {peers[cheapest]:.2f}", value < peers[cheapest]) for name, value in ours.items()]
    return found
