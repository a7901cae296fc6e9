"""tools/bench/run's driver: see there."""
import argparse
import os
import shutil
import signal
import sys
import time

import codecs_bench as codecs
import links
import machine
import plan
import report
from machine import say
from runner import Runner, empty_row
from workloads import SLICES, Images, changed_pieces


def options():
    parser = argparse.ArgumentParser(prog="tools/bench/run")
    parser.add_argument("what", nargs="?", default="cells", choices=("cells", "codecs"))
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--workloads", type=lambda text: text.split(","))
    parser.add_argument("--links", type=lambda text: text.split(","))
    parser.add_argument("--contestants", type=lambda text: text.split(","))
    parser.add_argument("--runs", type=int)
    parser.add_argument("--scale", type=int, default=1)
    parser.add_argument("--place")
    parser.add_argument("--timeout", type=float, default=900)
    parser.add_argument("--patience", type=float, default=300)
    parser.add_argument("--name")
    parser.add_argument("--artifacts", required=True)
    parser.add_argument("--disksync", required=True)
    asked = parser.parse_args()
    asked.name = asked.name or {"cells": "report"}.get(asked.what, asked.what)
    return asked


def cells(asked):
    if asked.what == "codecs":
        listed = [(workload, link, 30, 30) for workload, link in codecs.CELLS]
    else:
        listed = plan.FULL if asked.full or asked.workloads or asked.links else plan.QUICK if asked.quick else plan.CORE
    return [(workload, link, asked.runs or runs, peers_runs and (asked.runs or peers_runs)) for workload, link, runs, peers_runs in listed
            if (not asked.workloads or workload in asked.workloads) and (not asked.links or link in asked.links)]


def memory(folder):
    """A tmpfs of our own, in the mount namespace that tools/bench/run has made: the kernel takes it away after us. Not
    /dev/shm: what lies below /dev is a device for disksync, and other programs' images lie there, too."""
    path = os.path.join(folder, "memory")
    os.makedirs(path, exist_ok=True)
    machine.run("mount", "-t", "tmpfs", "-o", "size=95%", "disksync-bench", path)
    return path


def upgrade_facts(workload, disksync):
    """What the bound of W4 on L3 is made of: the changed blocks, packed, and the local scan."""
    say("counting what changed between the Debian images")
    changed, packed = changed_pieces(workload)
    started = time.perf_counter()
    machine.run(disksync, "map", workload.source, "--quiet")
    return {"changed": changed, "packed": packed, "scanSeconds": time.perf_counter() - started}


def stop(*_):
    """So that whoever ends this also ends what it started: each "finally" runs, and a second signal does not cut it short."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(143)


def main():
    signal.signal(signal.SIGTERM, stop)
    asked = options()
    folder = os.path.join(asked.artifacts, "bench")
    place = os.path.join(asked.place or memory(folder), f"disksync-bench-{os.getpid()}")
    images = Images(os.path.join(folder, "work"), place, os.path.join(asked.artifacts, "images"), asked.scale,
                    codecs.SLICES if asked.what == "codecs" else SLICES)
    about = machine.about(place)
    about |= {"versions": machine.versions(asked.disksync), "scale": asked.scale, "place": asked.place or "of the run's own"}
    if about["loadBefore"] > 0.5:
        say(f"the machine is busy (load {about['loadBefore']}): the figures will be worse than they are")
    rows, text = [], "no cell was asked for"
    runner = Runner(place, asked.disksync, asked.timeout, asked.patience)
    try:
        for workload_name, link_name, runs, peers_runs in cells(asked):
            everybody = codecs.contestants(asked.disksync, link_name) if asked.what == "codecs" else \
                plan.contestants(workload_name, link_name, asked.disksync, asked.full)
            contestants = [one for one in everybody
                           if not asked.contestants or any(word in one.name for word in asked.contestants)]
            if not contestants:
                continue
            try:
                workload = images.workload(workload_name, link_name)
                if asked.what == "cells" and (workload_name, link_name) == ("W4", "L3"):
                    images.facts["W4"] = upgrade_facts(workload, asked.disksync)
                link = links.open_link(link_name)
                try:
                    rows += runner.cell(workload, link, link_name, contestants, runs, peers_runs)
                finally:
                    link.close()
                images.forget({workload.source, workload.old})
            except (RuntimeError, OSError) as error:
                say(f"{workload_name} {link_name}: {error}")
                rows += [empty_row(workload_name, link_name, one) | {"failed": str(error)} for one in contestants]
            # After each cell, so that a run that is ended early leaves what it has measured.
            text = codecs.write(folder, asked.name, about, rows) if asked.what == "codecs" else \
                report.write(folder, asked.name, about, rows, images.facts)
        print(text)
    finally:
        shutil.rmtree(place, ignore_errors=True)


if __name__ == "__main__":
    main()
