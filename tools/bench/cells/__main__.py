"""tools/bench/run's driver: see there."""
import argparse
import os
import shutil
import signal
import sys

import links
import machine
import plan
import report
from machine import say
from runner import Runner
from workloads import Images


def options():
    parser = argparse.ArgumentParser(prog="tools/bench/run")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--workloads", type=lambda text: text.split(","))
    parser.add_argument("--links", type=lambda text: text.split(","))
    parser.add_argument("--contestants", type=lambda text: text.split(","))
    parser.add_argument("--runs", type=int)
    parser.add_argument("--scale", type=int, default=1)
    parser.add_argument("--place", default="/dev/shm")
    parser.add_argument("--timeout", type=float, default=900)
    parser.add_argument("--patience", type=float, default=600)
    parser.add_argument("--name", default="report")
    parser.add_argument("--artifacts", required=True)
    parser.add_argument("--disksync", required=True)
    return parser.parse_args()


def cells(asked):
    listed = plan.FULL if asked.full or asked.workloads or asked.links else plan.QUICK if asked.quick else plan.CORE
    return [(workload, link, asked.runs or runs) for workload, link, runs in listed
            if (not asked.workloads or workload in asked.workloads) and (not asked.links or link in asked.links)]


def main():
    # So that whoever ends this also ends what it started: each "finally" runs.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    asked = options()
    place = os.path.join(asked.place, f"disksync-bench-{os.getpid()}")
    folder = os.path.join(asked.artifacts, "bench")
    images = Images(os.path.join(folder, "work"), place, os.path.join(asked.artifacts, "images"), asked.scale)
    about = machine.about(place)
    about |= {"versions": machine.versions(asked.disksync), "scale": asked.scale, "place": asked.place}
    if about["loadBefore"] > 0.5:
        say(f"the machine is busy (load {about['loadBefore']}): the figures will be worse than they are")
    rows, text = [], "no cell was asked for"
    try:
        for workload_name, link_name, runs in cells(asked):
            workload = images.workload(workload_name, link_name)
            contestants = [one for one in plan.contestants(workload_name, link_name, asked.disksync, asked.full)
                           if not asked.contestants or any(word in one.name for word in asked.contestants)]
            if not contestants:
                continue
            link = links.open_link(link_name)
            try:
                rows += Runner(place, asked.disksync, runs, asked.timeout, asked.patience).cell(workload, link, link_name, contestants)
            finally:
                link.close()
            images.forget({workload.source, workload.old})
            # After each cell, so that a run that is ended early leaves what it has measured.
            text = report.write(folder, asked.name, about, rows, images.facts)
        print(text)
    finally:
        shutil.rmtree(place, ignore_errors=True)


if __name__ == "__main__":
    main()
