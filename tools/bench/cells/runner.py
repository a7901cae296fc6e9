"""Runs one cell: the contestants of a workload on a link, in turn, after a warm-up, each result checked."""
import os
import time

import processes
import workloads
from machine import say
from stage import Stage


class Runner:
    def __init__(self, place, disksync, timeout, patience):
        self.place, self.disksync, self.timeout, self.patience = place, disksync, timeout, patience

    def cell(self, workload, link, link_name, contestants, runs, peers_runs):
        """Returns one row a contestant; peers_runs 0 is once, without a warm-up. Round 0 is the warm-up; who begins moves
        on by one with each round, so that nobody always follows the same one."""
        about = {"bytes": workload.length, "dataBytes": workload.data, "imageNote": workload.note, "congestionControl": link.congestion()}
        rows = [empty_row(workload.name, link_name, contestant) | about for contestant in contestants]
        for round_number in range(runs + 1):
            for contestant, row in turns(list(zip(contestants, rows)), round_number):
                own = peers_runs if row["kind"] == "peer" else runs
                rounds = range(own + 1) if own else [1]
                if "failed" in row or round_number not in rounds or self.slow(row, round_number):
                    continue
                try:
                    result = self.attempt(contestant, workload, link)
                except (processes.Failed, RuntimeError, OSError, ValueError, KeyError) as error:
                    row["failed"] = str(error)
                    say(f"{workload.name} {link_name}: {contestant.name}: {error}")
                    continue
                if round_number == 0:
                    row["warmUp"] = result
                else:
                    row["runs"].append(result)
                say(f"{workload.name} {link_name}: {contestant.name}: {result['seconds']:.3f} s, {result['cpu']:.2f} s CPU"
                    f"{', warm-up' if round_number == 0 else ''}")
        for row in rows:
            if not row["runs"] and "warmUp" in row and "failed" not in row:
                # Too slow for another round: the warm-up is what we have, and the table says so.
                row["runs"], row["warmUpOnly"] = [row["warmUp"]], True
        return rows

    def slow(self, row, round_number):
        """Whoever takes longer than the patience takes part in as many rounds as fit; the rule is the same for all."""
        spent = sum(run["seconds"] for run in [row["warmUp"], *row["runs"]]) if "warmUp" in row else 0
        return round_number > 0 and spent > self.patience

    def attempt(self, contestant, workload, link):
        stage, done = Stage(workload, link, os.path.join(self.place, "stage"), self.disksync), []
        try:
            contestant.prepare(stage)
            for server in stage.servers:
                server.mark()
            before = link.wire()
            deadline = time.monotonic() + self.timeout
            started = time.perf_counter()
            for group in contestant.commands(stage):
                running = [processes.Command(arguments, link.near, stage.environment) for arguments in group]
                done += running
                for command in running:
                    wait(command, deadline, contestant, stage)
            if contestant.copies:
                flush(stage.target)
            seconds = time.perf_counter() - started
            after = link.wire()
            counted = {side: after[side] - before[side] for side in after}
            result = {"seconds": contestant.seconds(stage, done, seconds), "wire": contestant.wire(stage, done, counted)}
            if contestant.copies and not workloads.same(workload.source, stage.target):
                raise processes.Failed("the copy differs from the source (cmp)")
            cpu, peak = stage.end()
            result |= {"cpu": sum(command.cpu for command in done) + cpu,
                       "peakNear": max(command.peak for command in done), "peakFar": peak}
            return result
        finally:
            for command in done:
                command.end()
            stage.close()


def wait(command, deadline, contestant, stage):
    """Waits for a command; what it failed of is often in the words of the server."""
    try:
        command.wait(deadline - time.monotonic(), contestant.good)
    except processes.Failed as error:
        raise processes.Failed(f"{error}{''.join(stage.said())}") from error


def empty_row(workload_name, link_name, contestant):
    return {"workload": workload_name, "link": link_name, "contestant": contestant.name, "kind": contestant.kind, "hashes": contestant.hashes,
            "gauge": contestant.gauge, "note": contestant.note, "bytes": 0, "dataBytes": 0, "imageNote": "", "congestionControl": "", "runs": []}


def turns(contestants, round_number):
    """Everybody once; who begins moves on by one each round."""
    shift = round_number % len(contestants)
    return contestants[shift:] + contestants[:shift]


def flush(path):
    """Durable at the destination is part of the time for everybody; for those who have flushed it costs nothing."""
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
