"""tools/bench/run export: disksync export beside qemu-nbd and nbdkit, on the same warm file, through fio's nbd engine.

A round of a cell: each server is started, asked for a while (the warm-up), then measured; who begins moves on by one each
round, so that all of a cell have the same minutes of the machine. The ratio to a peer is that of the medians; tracking's
cost is that of pairs, with a 95% interval, as in codecs_bench. CPU seconds are the server's alone (/proc/PID/stat).
"""
import argparse
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import machine
from codecs_bench import interval
from machine import MIB, say
from processes import Failed, Server, spent

# Well above the processor's caches; each attempt that writes is followed by a sync of what it wrote.
SIZE = 512 * MIB
# name: (what, fio's own words, bytes of a request); the aim is the least ratio to the better peer.
CELLS = {
    "read-1": ("4 KiB random reads, depth 1", ["--rw=randread", "--bs=4k", "--iodepth=1"], 4096, 1.0),
    "read-32": ("4 KiB random reads, depth 32", ["--rw=randread", "--bs=4k", "--iodepth=32"], 4096, 1.3),
    "write-1": ("4 KiB random writes, depth 1", ["--rw=randwrite", "--bs=4k", "--iodepth=1"], 4096, 1.0),
    "write-32": ("4 KiB random writes, depth 32", ["--rw=randwrite", "--bs=4k", "--iodepth=32"], 4096, 1.0),
    "seq-read": ("1 MiB sequential reads, depth 4", ["--rw=read", "--bs=1m", "--iodepth=4"], MIB, 1.0),
    "seq-write": ("1 MiB sequential writes, depth 4", ["--rw=write", "--bs=1m", "--iodepth=4"], MIB, 1.0),
}
# What 16 connections at depth 32 ask for; the large ones want 512 MiB at once.
MEMORY = {"4 KiB random reads and writes": ["--rw=randrw", "--bs=4k"], "1 MiB random reads and writes": ["--rw=randrw", "--bs=1m"]}
MEMORY_LIMIT = 200 * MIB
PLAIN, TRACKED = "disksync export", "disksync export --track"


def options():
    parser = argparse.ArgumentParser(prog="tools/bench/run export")
    parser.add_argument("what", choices=("export",))
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--pairs", type=int, default=30, help="of tracking; 0 for none")
    parser.add_argument("--cells", type=lambda text: text.split(","), default=list(CELLS))
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--place")
    parser.add_argument("--name", default="export")
    parser.add_argument("--artifacts", required=True)
    parser.add_argument("--disksync", required=True)
    return parser.parse_args()


class Contestant:
    """A server of the image on a Unix socket."""

    def __init__(self, name, *command):
        self.name, self.command = name, command

    def start(self, place):
        path = os.path.join(place, "socket")
        if os.path.exists(path):
            os.remove(path)
        words = [word.format(socket=path, image=os.path.join(place, "image")) for word in self.command]
        return Server(words, lambda: os.path.exists(path)), path


def contestants(disksync, place):
    ours = [disksync, "export", "{image}", "--listen", "unix:{socket}", "--state", os.path.join(place, "state")]
    found = [Contestant(PLAIN, *ours)]
    text = subprocess.run([disksync, "export", "--help"], capture_output=True, text=True, check=False).stdout
    if re.search(r"(?m)^\s*--track\b", text):
        found.append(Contestant(TRACKED, *ours, "--track"))
    for aio in ("threads", "io_uring"):
        found.append(Contestant(f"qemu-nbd, aio={aio}", "qemu-nbd", "-k", "{socket}", "-f", "raw", "--shared=16", "-t",
                                "--cache=writeback", f"--aio={aio}", "{image}"))
    return [*found, Contestant("nbdkit file", "nbdkit", "-f", "-U", "{socket}", "file", "{image}")]


def fio(path, words, seconds, jobs=1):
    """What fio says of its requests: how many, and how many a second."""
    text = machine.run("fio", "--name=bench", "--ioengine=nbd", f"--uri=nbd+unix:///?socket={path}", f"--size={SIZE}", "--time_based",
                       f"--runtime={seconds}", f"--numjobs={jobs}", "--group_reporting", "--randrepeat=0", "--output-format=json", *words)
    job = json.loads(text[text.index("{"):])["jobs"][0]
    if job["error"]:
        raise Failed(f"fio: error {job['error']}")
    found = [job[way] for way in ("read", "write") if job[way]["total_ios"]]
    return {"requests": sum(one["total_ios"] for one in found), "perSecond": sum(one["iops"] for one in found),
            "p99": max(one["clat_ns"].get("percentile", {}).get("99.000000", 0) for one in found) / 1e3}


def settle(place):
    """What was written before is not written back in somebody else's time."""
    file = os.open(os.path.join(place, "image"), os.O_RDWR)
    os.fsync(file)
    os.close(file)


def attempt(one, place, words, seconds):
    server, path = one.start(place)
    try:
        fio(path, words, max(seconds / 3, 0.5))
        before = spent(server.command.process.pid)
        run = fio(path, words, seconds)
        run["cpu"] = spent(server.command.process.pid) - before
    finally:
        server.end()
        settle(place)
    return run


def rounds(listed, place, cell, runs, seconds):
    """Rows of one cell."""
    rows = {one.name: [] for one in listed}
    failed = {}
    for number in range(runs):
        for one in listed[number % len(listed):] + listed[:number % len(listed)]:
            if one.name in failed:
                continue
            try:
                rows[one.name].append(attempt(one, place, CELLS[cell][1], seconds))
            except (Failed, RuntimeError) as error:
                failed[one.name] = str(error)
        say(f"{cell}: round {number + 1} of {runs}")
    return [{"cell": cell, "contestant": name, "runs": found} | ({"failed": failed[name]} if name in failed else {})
            for name, found in rows.items()]


def summary(row):
    if "failed" in row or not row["runs"]:
        return {}
    rates = [run["perSecond"] for run in row["runs"]]
    requests = sum(run["requests"] for run in row["runs"])
    cpu = sum(run["cpu"] for run in row["runs"])
    return {"median": statistics.median(rates), "min": min(rates), "max": max(rates), "p99": statistics.median(run["p99"] for run in row["runs"]),
            "cpuPer100k": cpu / requests * 1e5, "cpuPerGib": cpu / (requests * CELLS[row["cell"]][2] / 2 ** 30)}


def judge(rows):
    """Of each cell: what ours reaches of the better peer."""
    found = []
    for cell in dict.fromkeys(row["cell"] for row in rows):
        shown = {row["contestant"]: summary(row).get("median") for row in rows if row["cell"] == cell}
        peers = {name: rate for name, rate in shown.items() if rate and not name.startswith("disksync")}
        for name in (PLAIN, TRACKED):
            if shown.get(name) and peers:
                better = max(peers, key=peers.get)
                ratio = shown[name] / peers[better]
                found.append({"cell": cell, "contestant": name, "peer": better, "ratio": ratio, "aim": CELLS[cell][3],
                              "verdict": "met" if ratio >= CELLS[cell][3] else "**not met**"})
    return found


def tracking(listed, place, pairs, seconds):
    """What --track costs: pairs in one round each, per cell of small writes, where there is most to mark."""
    both = [one for one in listed if one.name in (PLAIN, TRACKED)]
    found = []
    for cell in ("write-1", "write-32") if len(both) == 2 and pairs else ():
        rows = rounds(both, place, cell, pairs, seconds)
        if any("failed" in row for row in rows):
            continue
        plain, tracked = ({row["contestant"]: row["runs"] for row in rows}[name] for name in (PLAIN, TRACKED))
        line = {"cell": cell, "pairs": len(plain), "time": interval([1 / run["perSecond"] for run in tracked], [1 / run["perSecond"] for run in plain])}
        line["cpu"] = interval([run["cpu"] / run["requests"] for run in tracked], [run["cpu"] / run["requests"] for run in plain])
        found.append(line)
    return found


def high_water(process):
    with open(f"/proc/{process}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM:"))


def memory(listed, place, seconds):
    """VmHWM of ours, a fresh process each, with 16 connections at depth 32."""
    found = []
    for one in [one for one in listed if one.name in (PLAIN, TRACKED)]:
        for what, words in MEMORY.items():
            server, path = one.start(place)
            try:
                run = fio(path, [*words, "--iodepth=32"], 2 * seconds, jobs=16)
                found.append({"contestant": one.name, "what": what, "peak": high_water(server.command.process.pid), "requests": run["requests"]})
                say(f"memory of {one.name}, {what}: {found[-1]['peak'] / MIB:.0f} MiB")
            finally:
                server.end()
                settle(place)
    return found


def markdown(about, rows, peaks, costs):
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items() if name in ("disksync", "nbdkit", "qemu-img", "fio"))
    lines = ["# disksync export and its peers, measured", "",
             f"{about['date']}: {about['processor']}, {about['cores']} cores, Linux {about['kernel']}; one raw file of {SIZE // MIB} MiB on "
             f"{about['fileSystem']} ({about['place']}), in the page cache; load before the start {about['loadBefore']}. {versions}.", "",
             "fio's nbd engine (libnbd) on a Unix socket, one connection. Requests a second, medians; CPU seconds of the server.", ""]
    judged = judge(rows)
    if judged:
        lines += ["| aim | measured | |", "| --- | ---: | --- |"]
        lines += [f"| {CELLS[one['cell']][0]}, {one['contestant']}: {one['aim']} of the better peer ({one['peer']}) | {one['ratio']:.2f} | {one['verdict']} |"
                  for one in judged]
    lines += [f"| memory of {one['contestant']}, 16 connections at depth 32, {one['what']}: {MEMORY_LIMIT // MIB} MiB | {one['peak'] / MIB:.0f} MiB | "
              f"{'met' if one['peak'] < MEMORY_LIMIT else '**not met**'} |" for one in peaks]
    lines += [f"| tracking, {CELLS[one['cell']][0]}, {one['pairs']} pairs: under 1.03 of the time (CPU seconds) | "
              "{:.3f} ({:.3f}..{:.3f}), CPU {:.3f} ({:.3f}..{:.3f})".format(*one["time"], *one["cpu"])
              + f" | {'met' if one['cpu'][2] <= 1.03 or one['time'][2] <= 1.03 else '**not met**' if one['cpu'][1] > 1.03 else 'undecided'} |" for one in costs]
    for cell in dict.fromkeys(row["cell"] for row in rows):
        group = [row for row in rows if row["cell"] == cell]
        first = summary(group[0]).get("median")
        lines += ["", f"### {CELLS[cell][0]}", "", "| contestant | a second | min..max | runs | ours to it | p99 | CPU s per 100k | CPU s per GiB |",
                  "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"]
        for row in group:
            one = summary(row)
            lines.append(f"| {row['contestant']} | {one['median']:,.0f} | {one['min']:,.0f}..{one['max']:,.0f} | {len(row['runs'])} | "
                         f"{first / one['median'] if first else 0:.2f} | {one['p99']:.0f} µs | {one['cpuPer100k']:.2f} | {one['cpuPerGib']:.2f} |"
                         if one else f"| {row['contestant']} | **{row.get('failed', 'not run')}** | | | | | | |".replace("\n", " "))
    return "\n".join(lines)


def prepare(place, asked):
    """The image: noise, on ext4, in the page cache. Where the place is no ext4, one in a file of its own."""
    if machine.file_system(place) != "ext2/ext3":
        say("the place is no ext4: making one in a file")
        disk, mounted = os.path.join(place, "ext4"), os.path.join(place, "mounted")
        machine.run("truncate", "-s", str(2 * SIZE), disk)
        machine.run("mkfs.ext4", "-q", "-F", disk)
        os.mkdir(mounted)
        # In the mount namespace that tools/bench/run has made.
        machine.run("mount", "-o", "loop", disk, mounted)
        place = mounted
    with open(os.path.join(place, "image"), "wb") as file:
        for _ in range(SIZE // MIB):
            file.write(os.urandom(MIB))
    settle(place)
    about = machine.about(place) | {"versions": machine.versions(asked.disksync)}
    about["place"] = "a loop device" if place.endswith("mounted") else "the machine's own"
    return place, about


def write(asked, about, rows, peaks, costs):
    text = markdown(about, rows, peaks, costs)
    kept = {"machine": about, "rows": [row | {"summary": summary(row)} for row in rows], "aims": judge(rows), "memory": peaks, "tracking": costs}
    for extension, content in ((".md", text), (".json", json.dumps(kept, indent=2))):
        with open(os.path.join(asked.artifacts, "bench", asked.name + extension), "w", encoding="utf-8") as file:
            file.write(content + "\n")
    return text


def main():
    # So that whoever ends this also ends what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    asked = options()
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    with tempfile.TemporaryDirectory(prefix="disksync-bench-", dir=asked.place or os.path.join(asked.artifacts, "bench")) as folder:
        place, about = prepare(folder, asked)
        if about["loadBefore"] > 0.5:
            say(f"the machine is busy (load {about['loadBefore']}): look at the ratios only")
        rows, peaks, costs = [], [], []
        try:
            listed = contestants(asked.disksync, folder)
            for cell in asked.cells:
                rows += rounds(listed, place, cell, asked.runs, asked.seconds)
                write(asked, about, rows, peaks, costs)
            peaks = memory(listed, place, asked.seconds)
            costs = tracking(listed, place, asked.pairs, asked.seconds)
            print(write(asked, about, rows, peaks, costs))
        finally:
            if place != folder:
                machine.run("umount", place)


if __name__ == "__main__":
    main()
