"""tools/bench/run --self-check: the bench's own arithmetic, on made-up runs."""
import os
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree

import aims
import chart
import codecs_bench
import export_bench
import figures
import processes
import report
import runner
import workloads

ABOUT = {"processor": "P", "cores": 2, "memory": 1 << 30, "kernel": "K", "fileSystem": "tmpfs", "loadBefore": 0.1, "date": "D",
         "versions": {"rsync": "3"}, "scale": 1, "place": "/dev/shm"}


def row(workload, link, contestant, seconds, kind="peer", hashes=True, there=1000, back=0, cpu=1.0, data=1 << 30, **more):
    return {"workload": workload, "link": link, "contestant": contestant, "kind": kind, "hashes": hashes, "gauge": False, "note": "",
            "bytes": data, "dataBytes": data, "imageNote": "", "congestionControl": "cubic",
            "runs": [{"seconds": one, "wire": {"there": there, "back": back}, "cpu": cpu, "peakNear": 1, "peakFar": 200 << 20}
                     for one in seconds], **more}


def verdicts(rows, facts=None):
    return {one["aim"]: one["met"] for one in aims.judge(rows, facts or {})}


class Export(unittest.TestCase):
    @staticmethod
    def rows(ours, nbdkit, qemu):
        return [{"cell": "read-32", "contestant": name, "runs": [{"requests": 1000, "perSecond": rate, "p99": 1, "cpu": 0.01} for rate in rates]}
                for name, rates in ((export_bench.PLAIN, ours), ("nbdkit file", nbdkit), ("qemu-nbd", qemu))]

    def test_the_better_peer_is_what_counts(self):
        one, = export_bench.judge(self.rows([130, 90, 140], [100, 100, 100], [50, 60, 70]))
        self.assertEqual((one["peer"], one["ratio"], one["verdict"]), ("nbdkit file", 1.3, "met"))
        one, = export_bench.judge(self.rows([130], [100], [101]))
        self.assertEqual((one["peer"], one["verdict"]), ("qemu-nbd", "**not met**"))

    def test_processor_time_is_of_all_requests(self):
        one = export_bench.summary(self.rows([1, 1], [1], [1])[0])
        self.assertAlmostEqual(one["cpuPer100k"], 1.0)


class Figures(unittest.TestCase):
    def test_median_and_spread_are_of_all_runs(self):
        one = figures.summary(row("W1", "L0", "scp", [5.0, 1.0, 3.0], cpu=4.0, data=2 << 30))
        self.assertEqual((one["median"], one["min"], one["max"], one["runs"], one["cpuPerGib"]), (3.0, 1.0, 5.0, 3, 2.0))

    def test_a_failed_contestant_has_no_figures_even_after_good_runs(self):
        self.assertEqual(figures.summary(row("W1", "L0", "scp", [1.0], failed="timed out")), {})

    def test_who_begins_moves_on_and_everybody_runs(self):
        self.assertEqual([runner.turns(["a", "b", "c"], one) for one in range(4)],
                         [["a", "b", "c"], ["b", "c", "a"], ["c", "a", "b"], ["a", "b", "c"]])


class Aims(unittest.TestCase):
    unix = "W1 L0: over a Unix socket at most 1.0 of nbdcopy"

    def test_a_ratio_at_the_limit_is_met_and_one_above_is_not(self):
        nbd = row("W1", "L0", "nbdcopy", [2.0], hashes=False)
        self.assertIs(verdicts([row("W1", "L0", "disksync (unix)", [2.0], "disksync"), nbd])[self.unix], True)
        self.assertIs(verdicts([row("W1", "L0", "disksync (unix)", [2.1], "disksync"), nbd])[self.unix], False)

    def test_what_did_not_run_is_not_measured_and_our_failure_is_not_met(self):
        self.assertIsNone(verdicts([])[self.unix])
        nbd = row("W1", "L0", "nbdcopy", [2.0], hashes=False)
        failed = row("W1", "L0", "disksync (unix)", [], "disksync", failed="exit code 5")
        self.assertIs(verdicts([failed, nbd])[self.unix], False)

    def test_bytes_are_judged_by_both_directions(self):
        text = "W3 L0: bytes of disksync (unix) at most 0.25 of rsync --inplace (daemon)"
        theirs = row("W3", "L0", "rsync --inplace (daemon)", [9.0], there=1000, back=1000)
        self.assertIs(verdicts([row("W3", "L0", "disksync (unix)", [1.0], "disksync", there=400, back=100), theirs])[text], True)
        self.assertIs(verdicts([row("W3", "L0", "disksync (unix)", [1.0], "disksync", there=400, back=101), theirs])[text], False)

    def test_the_bound_of_the_slow_upgrade_is_rate_round_trips_and_scan(self):
        facts = {"W4": {"changed": 10, "packed": 5_000_000, "scanSeconds": 1.0}}
        text = "W4 L3: within its changed blocks by lz4 -1, the map bytes sent, 10 round trips and the local scan"
        # (5,000,000 + 1,250,000) bytes at 625,000 a second are 10 s; 10 round trips of 0.1 s; the scan.
        for seconds, met in ((12.0, True), (12.01, False)):
            ours = row("W4", "L3", "disksync (TLS)", [seconds], "disksync", back=1_250_000)
            self.assertIs(verdicts([ours], facts)[text], met)

    def test_memory_of_either_side_counts(self):
        found = verdicts([row("W6", "L0", "disksync (unix)", [1.0], "disksync")])
        self.assertIs(found["W6 L0: VmHWM of the source under 150 MiB"], True)
        self.assertIs(found["W6 L0: VmHWM of the destination under 150 MiB"], False)

    def test_processor_time_is_judged_by_the_cheapest_peer_that_hashes(self):
        rows = [row("W2", "L0", "disksync (unix)", [1.0], "disksync", cpu=2.0), row("W2", "L0", "scp", [1.0], cpu=3.0),
                row("W2", "L0", "nbdcopy", [1.0], hashes=False, cpu=0.1)]
        text = "W2 L0: CPU seconds of disksync (unix) below every peer that hashes or encrypts"
        self.assertIs(verdicts(rows)[text], True)
        self.assertIs(verdicts(rows + [row("W2", "L0", "casync", [1.0], cpu=2.0)])[text], False)


class Report(unittest.TestCase):
    rows = [row("W1", "L0", "disksync (unix)", [2.0, 2.2, 2.1], "disksync"), row("W1", "L0", "scp", [4.2]),
            row("W1", "L0", "zsync <old>", [], failed="timed out\nafter 900 s")]

    def test_the_table_has_ratios_and_failures(self):
        text = report.markdown(ABOUT, self.rows, aims.judge(self.rows, {}))
        self.assertIn("| disksync (unix) | 2.100 s | 2.000..2.200 | 3 | 1.00 |", text)
        self.assertIn("| scp | 4.200 s | 4.200..4.200 | 1 | 2.00 |", text)
        self.assertIn("| zsync <old> | **timed out after 900 s** |", text)
        self.assertNotIn("Scaled", text)
        self.assertIn("**Scaled", report.markdown(ABOUT | {"scale": 8}, self.rows, []))

    def test_the_chart_is_xml_with_a_bar_for_each_that_ran_and_words_for_each_that_failed(self):
        tree = ElementTree.fromstring(chart.draw(ABOUT, self.rows))
        words = [one.text for one in tree.iter("{http://www.w3.org/2000/svg}text")]
        self.assertTrue({"disksync (unix)", "scp", "zsync <old>"} <= set(words))
        self.assertTrue(any("timed out" in one for one in words))
        bars = [one for one in tree.iter("{http://www.w3.org/2000/svg}rect") if one.get("height") == str(chart.BAR)]
        self.assertEqual(len(bars), 2)


class Codecs(unittest.TestCase):
    def test_the_interval_is_students(self):
        for freedom, expected in ((9, 2.262), (19, 2.093), (29, 2.045)):
            self.assertAlmostEqual(codecs_bench.student(freedom), expected, delta=0.001)

    def test_a_choice_is_met_not_met_or_undecided_and_needs_thirty_pairs(self):
        fixed = [1.0, 1.02, 0.98] * 10
        for ours, verdict in ((fixed, "met"), ([one * 1.1 for one in fixed], "**not met**"), ([0.6, 1.5, 1.1] * 10, "undecided")):
            for pairs, shown in ((30, verdict), (29, f"too few pairs ({verdict})")):
                found = codecs_bench.pairs([row("W1", "L1", "--compress auto", ours[:pairs], "disksync"),
                                            row("W1", "L1", "--compress never", fixed, "disksync")])
                self.assertEqual([one["verdict"] for one in found], [shown])


class Images(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def file(self, name, content, length=None):
        path = os.path.join(self.folder, name)
        with open(path, "wb") as file:
            for offset, data in content:
                file.seek(offset)
                file.write(data)
            if length:
                file.truncate(length)
        return path

    def test_a_huge_copy_is_compared_where_either_side_has_data(self):
        length = 20 << 30
        source = self.file("a", [(4096, b"x" * 4096), (9 << 30, b"y")], length)
        self.assertTrue(workloads.same(source, self.file("b", [(4096, b"x" * 4096), (9 << 30, b"y")], length)))
        self.assertFalse(workloads.same(source, self.file("c", [(4096, b"x" * 4096), (9 << 30, b"z")], length)))
        self.assertFalse(workloads.same(source, self.file("d", [(4096, b"x" * 4096), (9 << 30, b"y"), (15 << 30, b"more")], length)))
        self.assertFalse(workloads.same(source, self.file("e", [(4096, b"x" * 4096), (9 << 30, b"y")], length - 1)))

    def test_content_never_repeats_and_has_no_zeros(self):
        os.mkdir(os.path.join(self.folder, "files"))
        blocks = [bytes([n]) * 4096 for n in range(1, 6)]
        self.file("files/1", [(0, blocks[0] + bytes(8192) + blocks[1] + b"tail")])
        self.file("files/2", [(0, blocks[1] + blocks[2] + blocks[0] + blocks[3])])
        output = os.path.join(self.folder, "out")
        program = os.path.join(os.path.dirname(os.path.abspath(__file__)), "content.py")
        subprocess.run([sys.executable, program, output, str(1 << 20), os.path.join(self.folder, "files")], check=True, capture_output=True)
        with open(output, "rb") as file:
            self.assertEqual(file.read(), b"".join(blocks[:4]))

    def test_ranges_that_touch_are_one(self):
        self.assertEqual(workloads.merged([(5, 9), (0, 3), (3, 4), (8, 12)]), [[0, 4], [5, 12]])


class Commands(unittest.TestCase):
    def test_a_command_that_takes_too_long_is_ended_and_named(self):
        command = processes.Command(["sleep", "100"])
        with self.assertRaisesRegex(processes.Failed, "timed out"):
            command.wait(0.05)

    def test_a_failure_has_the_last_words_and_of_json_events_the_message(self):
        for words, expected in (("echo one; echo two; exit 3", "exit code 3: one / two"),
                                ("echo progress >&2; echo '{\"message\":\"lost\"}' >&2; exit 5", "exit code 5: lost")):
            with self.assertRaisesRegex(processes.Failed, expected):
                processes.Command(["sh", "-c", words]).wait(10)

    def test_processor_time_is_that_of_children_too(self):
        command = processes.Command(["sh", "-c", "sh -c 'i=0; while [ $i -lt 200000 ]; do i=$((i + 1)); done'; true"])
        command.wait(30)
        self.assertGreater(command.cpu, 0.01)
