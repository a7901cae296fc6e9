"""What every table states: the machine, its kernel, where the files lie, and which peers ran."""
import os
import platform
import re
import subprocess
import sys
import time

MIB = 1 << 20
GIB = 1 << 30


def say(text):
    print(f"==> {text}", file=sys.stderr, flush=True)


def run(*command, **more):
    """Runs a command of the set-up, to its end; what it prints is returned, a failure ends the bench with its words."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, **more)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}: exit code {done.returncode}: {(done.stderr or done.stdout).strip()}")
    return done.stdout


def load():
    with open("/proc/loadavg", encoding="ascii") as file:
        return float(file.read().split()[0])


def file_system(path):
    return run("stat", "-f", "-c", "%T", path).strip()


def about(place):
    with open("/proc/cpuinfo", encoding="ascii") as file:
        model = next((line.split(":")[1].strip() for line in file if line.startswith("model name")), platform.machine())
    with open("/proc/meminfo", encoding="ascii") as file:
        memory = int(file.readline().split()[1]) * 1024
    return {"processor": model, "cores": len(os.sched_getaffinity(0)), "memory": memory, "kernel": platform.release(),
            "fileSystem": file_system(place), "loadBefore": load(),
            "date": time.strftime("%Y-%m-%d %H:%M")}


def versions(disksync):
    """One line a program, as it states itself; a program that is missing is left out."""
    asked = {"disksync": [disksync, "--version"], "nbdcopy": ["nbdcopy", "--version"], "nbdkit": ["nbdkit", "--version"],
             "rsync": ["rsync", "--version"], "ssh": ["ssh", "-V"], "qemu-img": ["qemu-img", "--version"],
             "casync": ["casync", "--version"], "zsync": ["zsync", "-V"], "b3sum": ["b3sum", "--version"],
             "lz4": ["lz4", "--version"], "fio": ["fio", "--version"], "iperf3": ["iperf3", "--version"]}
    found = {}
    for name, command in asked.items():
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        except FileNotFoundError:
            continue
        number = re.search(r"v?\d+(?:\.\d+)+\S*|casync \d+", done.stdout + done.stderr)
        found[name] = number.group(0).strip(",").removeprefix("v").removeprefix("casync ") if number else "?"
    return found
