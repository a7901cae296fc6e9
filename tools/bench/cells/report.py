"""The table: medians, ratios, spread; as Markdown and JSON, and what must be reached."""
import json
import os

import aims
import chart
import links
import workloads
from figures import cells, size, summary
from machine import GIB


def rate(bytes_per_second):
    megabytes = bytes_per_second / 1e6
    return f"{megabytes:,.0f} MB/s" if megabytes >= 20 else f"{megabytes:.2f} MB/s"


def cell_table(key, rows):
    workload, link = key
    first = next((summary(row)["median"] for row in rows if summary(row)), None)
    note = f" ({rows[0]['imageNote']})" if rows[0]["imageNote"] else ""
    lines = [f"### {workload} on {link}", "",
             f"{workloads.TITLES[workload][0].upper()}{workloads.TITLES[workload][1:]}; {links.TITLES[link]}. "
             f"Image: {size(rows[0]['bytes'])}{note}, {size(rows[0]['dataBytes'])} of data. TCP: {rows[0]['congestionControl']}.", "",
             "| contestant | median | min..max | runs | ratio | image rate | on the wire | CPU s per GiB | memory, source / destination |",
             "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"]
    for row in rows:
        name = row["contestant"] + (f" ({row['note']})" if row["note"] else "")
        one = summary(row)
        if not one:
            lines.append(f"| {name} | **{row.get('failed', 'not run')}** | | | | | | | |".replace("\n", " "))
            continue
        columns = [name, f"{one['median']:.3f} s", f"{one['min']:.3f}..{one['max']:.3f}",
                    f"{one['runs']}{' (the warm-up)' if row.get('warmUpOnly') else ''}", f"{one['median'] / first:.2f}",
                    rate(row["bytes"] / one["median"]), size(one["wire"]) if "wire" in one else "",
                    "" if row["gauge"] else f"{one['cpuPerGib']:.2f}",
                    "" if row["kind"] == "reference" else f"{size(one['peakNear'])} / {size(one['peakFar']) if one['peakFar'] else 'no server'}"]
        lines.append(f"| {' | '.join(columns)} |")
    return lines + [""]


NOTES = """\
- Contestants of a cell took turns, after a warm-up round that is not counted; who began moved on by one each round.
  Ratios are to the first row of their table.
- Same files for all; each copy was compared with its source (`cmp`) after the clock had stopped.
- Destinations are new files for all (fresh pages for all), or have the old image. Time ends when the copy is durable:
  rsync with --fsync, nbdcopy with --flush, qemu-img with -t writeback; then the file is synced for everybody, in the
  time. disksync also reads the copy back and verifies it, and seals it, in the time.
- CPU seconds: user and system time of all processes of both sides (wait4; for servers from the clock's start); what the
  kernel does in soft interrupts for nobody in particular is not in it. Per GiB of the image's data.
- On the wire: bytes of the namespace's interface, both ways, headers as the kernel counts them; over Unix sockets
  disksync's own report, and nothing for nbdcopy and qemu-img, which send all data of the image; casync: new chunks and index.
- Memory: the largest process of each side (ru_maxrss, which is VmHWM). What started them had about 22 MiB, and the
  kernel shows no less for them.
- disksync's destination got its old image by a push before the clock (it has its map); the peers' is a copy.
""".splitlines()


def markdown(about, rows, judged):
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    lines = ["# DiskSync and its peers, measured", "",
             f"{about['date']}: {about['processor']}, {about['cores']} cores, {about['memory'] / GIB:.0f} GiB, Linux {about['kernel']}; "
             f"files on {about['fileSystem']} ({about['place']}); "
             f"load before the start {about['loadBefore']}.", "", f"Versions: {versions}.", ""]
    if about["scale"] != 1:
        lines += [f"**Scaled: every image but Debian's is 1/{about['scale']} of its real size. These are not the real figures.**", ""]
    lines += [*NOTES, ""]
    measured = [aim for aim in judged if aim["met"] is not None or aim["measured"]]
    lines += ["## What it must reach", "", "| aim | measured | |", "| --- | --- | --- |"]
    lines += [f"| {aim['aim']} | {aim['measured']} | {aim['verdict']} |" for aim in measured] + [""]
    lines += ["Not measured in this run:", *[f"- {aim['aim']}" for aim in judged if aim not in measured], ""] if measured != judged else []
    lines += ["## The cells", ""]
    for key, group in cells(rows).items():
        lines += cell_table(key, group)
    return "\n".join(lines)


def write(folder, name, about, rows, facts):
    judged = aims.judge(rows, facts)
    text = markdown(about, rows, judged)
    for extension, content in ((".md", text), (".svg", chart.draw(about, rows)),
                               (".json", json.dumps({"machine": about, "facts": facts, "aims": judged,
                                                     "rows": [row | {"summary": summary(row)} for row in rows]}, indent=2))):
        path = os.path.join(folder, name + extension)
        with open(path + ".new", "w", encoding="utf-8") as file:
            file.write(content + "\n")
        os.rename(path + ".new", path)
    return text
