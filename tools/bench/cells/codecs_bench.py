"""tools/bench/run codecs: --compress auto beside each fixed choice, in interleaved rounds.

The ratio of a pair is auto's seconds to the fixed choice's in the same round; of the pairs' logarithms the mean and its
95% interval (Student's t) are taken. "met" needs the whole interval at most 1.03, "not met" the whole above it, and both 30 pairs.
"""
import json
import math
import os
import re
import statistics
import subprocess

from contestants import DiskSync, knows
from machine import MIB

# (workload, link) and the slice of W1: short enough for 30 rounds of everybody.
CELLS = [("W1", "L0"), ("W1r", "L0"), ("W2", "L0"), ("W4", "L0"), ("W1", "L1"), ("W1r", "L1"), ("W4", "L1"), ("W1", "L2"), ("W1r", "L2"),
         ("W4", "L2"), ("W1", "L3")]
SLICES = {"L0": 512 * MIB, "L1": 256 * MIB, "L2": 64 * MIB, "L3": 4 * MIB}
LIMIT, PAIRS = 1.03, 30


def choices(disksync, link):
    """What this disksync's --compress knows, auto first; on slow links a high level, too."""
    text = subprocess.run([disksync, "push", "--help"], capture_output=True, text=True, check=False).stdout
    section = re.search(r"--compress .*?(?=\n  --)", text, re.DOTALL).group(0)
    known = [word for word in ("never", "lz4", "zstd") if re.search(rf"\b{word}\b", section)]
    if "zstd:LEVEL" in section and link in ("L2", "L3"):
        known.append("zstd:9")
    return ["auto", *(known if "lz4" in known else ["never", "always"])]


def contestants(disksync, link):
    way = "unix" if link == "L0" else "tls" if knows(disksync, "--insecure") else "ssh"
    return [DiskSync(f"--compress {choice}", way, "--compress", choice) for choice in choices(disksync, link)]


def student(freedom):
    """The 97.5% point of Student's t: the normal one, corrected (Abramowitz and Stegun 26.7.5)."""
    z = statistics.NormalDist().inv_cdf(0.975)
    return (z + (z ** 3 + z) / (4 * freedom) + (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * freedom ** 2)
            + (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / (384 * freedom ** 3))


def interval(ours, theirs):
    """(ratio, low, high) of pairs."""
    logarithms = [math.log(one / other) for one, other in zip(ours, theirs)]
    mean = statistics.mean(logarithms)
    half = student(len(logarithms) - 1) * statistics.stdev(logarithms) / math.sqrt(len(logarithms))
    return math.exp(mean), math.exp(mean - half), math.exp(mean + half)


def pairs(rows):
    """One line a fixed choice of each cell: seconds and CPU seconds of auto to it."""
    found = []
    for auto in [row for row in rows if row["contestant"] == "--compress auto"]:
        for fixed in rows:
            if (fixed["workload"], fixed["link"]) != (auto["workload"], auto["link"]) or fixed is auto:
                continue
            line = {"workload": auto["workload"], "link": auto["link"], "fixed": fixed["contestant"],
                    "pairs": min(len(auto["runs"]), len(fixed["runs"]))}
            if "failed" in auto or "failed" in fixed or line["pairs"] < 2:
                line["verdict"] = auto.get("failed") or fixed.get("failed") or "too few pairs"
            else:
                for key in ("seconds", "cpu"):
                    line[key] = interval([run[key] for run in auto["runs"]], [run[key] for run in fixed["runs"]])
                low, high = line["seconds"][1:]
                line["verdict"] = "met" if high <= LIMIT else "**not met**" if low > LIMIT else "undecided"
                if line["pairs"] < PAIRS:
                    line["verdict"] = f"too few pairs ({line['verdict']})"
            found.append(line)
    return found


def markdown(about, rows):
    lines = ["# The adaptive codec beside each fixed choice", "",
             f"{about['date']}: {about['processor']}, {about['cores']} cores, Linux {about['kernel']}; files on {about['fileSystem']}; "
             f"load before the start {about['loadBefore']}.{' SCALED: not the real figures.' if about['scale'] != 1 else ''}", "",
             f"Ratios of auto to the fixed choice in the same round, with 95% intervals; at most {LIMIT} is the aim.", "",
             "| workload | link | beside | pairs | seconds | CPU seconds | |", "| --- | --- | --- | ---: | --- | --- | --- |"]
    for line in pairs(rows):
        shown = ["{:.3f} ({:.3f}..{:.3f})".format(*line[key]) if key in line else "" for key in ("seconds", "cpu")]
        lines.append(f"| {line['workload']} | {line['link']} | {line['fixed']} | {line['pairs']} | {shown[0]} | {shown[1]} | {line['verdict']} |")
    return "\n".join(lines)


def write(folder, name, about, rows):
    text = markdown(about, rows)
    for extension, content in ((".md", text), (".json", json.dumps({"machine": about, "pairs": pairs(rows), "rows": rows}, indent=2))):
        with open(os.path.join(folder, name + extension), "w", encoding="utf-8") as file:
            file.write(content + "\n")
    return text
