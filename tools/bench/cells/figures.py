"""What is computed of the runs; everything that is shown comes from here."""
import statistics

from machine import GIB, MIB


def summary(row):
    """What the table shows of a row, computed from its runs; {} for a contestant that failed."""
    if "failed" in row or not row["runs"]:
        return {}
    seconds = [run["seconds"] for run in row["runs"]]
    wires = [run["wire"] for run in row["runs"] if run["wire"]]
    found = {"median": statistics.median(seconds), "min": min(seconds), "max": max(seconds), "runs": len(seconds),
             "cpuPerGib": statistics.median(run["cpu"] for run in row["runs"]) / (row["dataBytes"] / GIB),
             "peakNear": max(run["peakNear"] for run in row["runs"]), "peakFar": max(run["peakFar"] for run in row["runs"])}
    if wires:
        found |= {side: statistics.median(wire[side] for wire in wires) for side in ("there", "back")}
        found["wire"] = statistics.median(wire["there"] + wire["back"] for wire in wires)
        found["wireAs"] = wires[0].get("as", "counted by the namespace")
    return found


def cells(rows):
    """Rows by cell, in the order in which they ran."""
    found = {}
    for row in rows:
        found.setdefault((row["workload"], row["link"]), []).append(row)
    return found


def size(value):
    for unit, name in ((GIB, "GiB"), (MIB, "MiB"), (1024, "KiB")):
        if value >= unit:
            return f"{value / unit:,.1f} {name}"
    return f"{value:.0f} B"
