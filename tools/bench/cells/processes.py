"""Running contestants and their servers, and what they cost.

CPU seconds are user and system time of a contestant's commands and servers, whatever they start included: commands by
wait4, which counts the children that were waited for; servers by wait4 when they are ended, less what /proc/PID/stat
said when the clock started. Work that the kernel does in soft interrupts for nobody in particular is not in it.
"""
import contextlib
import json
import os
import signal
import subprocess
import tempfile
import threading
import time

TICKS = os.sysconf("SC_CLK_TCK")


class Failed(Exception):
    """A contestant that failed or took too long: shown in the table as just that."""


def spent(process):
    """CPU seconds of a process so far, those of its ended children included."""
    with open(f"/proc/{process}/stat", encoding="utf-8") as file:
        fields = file.read().rpartition(")")[2].split()
    return sum(int(field) for field in fields[11:15]) / TICKS


def children(process):
    try:
        with open(f"/proc/{process}/task/{process}/children", encoding="ascii") as file:
            return file.read().split()
    except FileNotFoundError:
        return []


def last_words(text):
    """The end of what a program said; of disksync's JSON events the message."""
    lines = text.strip().splitlines()
    try:
        return json.loads(lines[-1])["message"]
    except (ValueError, KeyError, TypeError, IndexError):
        return " / ".join(line.strip() for line in lines[-3:])[-300:]


def ended(process):
    """Whether it has ended; it stays a zombie, so that its account can still be read."""
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None


def end_group(process, number):
    try:
        os.killpg(process, number)
    except ProcessLookupError:
        pass


@contextlib.contextmanager
def deadline(seconds, late):
    """Calls late() if what is inside takes longer; never after it, whatever ended it."""
    timer = threading.Timer(max(seconds, 0.001), late)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


class Command:
    """One timed command in a network namespace, in a process group of its own."""

    def __init__(self, arguments, namespace=None, environment=None):
        self.arguments = [str(argument) for argument in arguments]
        inside = ["nsenter", f"--net=/run/netns/{namespace}", *self.arguments] if namespace else self.arguments
        self.output, self.errors = tempfile.TemporaryFile(), tempfile.TemporaryFile()
        self.process = subprocess.Popen(inside, stdin=subprocess.DEVNULL, stdout=self.output, stderr=self.errors,
                                        start_new_session=True, env=environment)
        self.cpu = self.peak = 0

    def wait(self, seconds, good=(0,)):
        """Waits for the end; too long or a wrong exit code is Failed, with the last words of the command."""
        late = []

        def give_up():
            late.append(True)
            end_group(self.process.pid, signal.SIGKILL)
        with deadline(seconds, give_up):
            _, status, usage = os.wait4(self.process.pid, 0)
        self.process.returncode = os.waitstatus_to_exitcode(status)
        self.cpu, self.peak = usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024
        if late:
            raise Failed("timed out")
        if self.process.returncode not in good:
            raise Failed(f"{os.path.basename(self.arguments[0])}: exit code {self.process.returncode}: "
                         f"{last_words(self.text(self.errors) or self.text(self.output))}")

    def end(self):
        """Kills what was not waited for, as after a failure of its neighbour."""
        if self.process.returncode is None:
            end_group(self.process.pid, signal.SIGKILL)
            self.process.wait()

    @staticmethod
    def text(file):
        file.seek(0)
        return file.read().decode(errors="replace")

    def printed(self):
        return self.text(self.output)


class Server:
    """A program that serves during one attempt; started before the clock, ended after it by its id."""

    def __init__(self, arguments, ready, namespace=None, environment=None):
        self.command = Command(arguments, namespace, environment)
        self.before = 0
        patience = time.monotonic() + 60
        while not ready():
            if ended(self.command.process) or time.monotonic() > patience:
                self.end()
                raise Failed(f"{os.path.basename(str(arguments[0]))} did not start: {self.said()}")
            time.sleep(0.005)

    def said(self):
        return last_words(Command.text(self.command.errors))

    def mark(self):
        """The clock starts: what was spent until here is not counted."""
        self.before = spent(self.command.process.pid)

    def end(self):
        """Ends it; returns (CPU seconds since mark, peak memory of its largest process). May be called again."""
        if self.command.process.returncode is not None:
            return 0, 0
        patience = time.monotonic() + 3
        # A session that the server still waits for would be missing in its account.
        while children(self.command.process.pid) and time.monotonic() < patience:
            time.sleep(0.005)
        self.command.process.send_signal(signal.SIGTERM)
        with deadline(20, lambda: end_group(self.command.process.pid, signal.SIGKILL)):
            # As long as it is a zombie, its group cannot be another's.
            os.waitid(os.P_PID, self.command.process.pid, os.WEXITED | os.WNOWAIT)
        end_group(self.command.process.pid, signal.SIGKILL)
        _, status, usage = os.wait4(self.command.process.pid, 0)
        self.command.process.returncode = os.waitstatus_to_exitcode(status)
        return max(usage.ru_utime + usage.ru_stime - self.before, 0), usage.ru_maxrss * 1024
