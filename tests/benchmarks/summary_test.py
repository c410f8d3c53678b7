"""Holds benchmarks/report/summary.py to what it says, by figures made up here."""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree

SUMMARY = pathlib.Path(__file__).resolve().parents[2] / "benchmarks" / "report" / "summary.py"
SVG = "{http://www.w3.org/2000/svg}"


def capacity_run(users, skipping, cost, with_baseline=True, void=False):
    return {
        "users": users, "skipping": skipping, "report_cost_to_reference": cost, "reference_users": 10_000, "ratio_to_ceiling": 0.25,
        "ratio_to_baseline": 20 if with_baseline else None, "baseline_to_ceiling": 0.01 if with_baseline else None,
        "checks_skipped_share": 0.8 if skipping == "on" else 0, "bytes_per_user_rss": 292.0, "core_share_at_334k": 0.2,
        "void": void,
    }


MICRO = {"context": {"host_name": "somebody's"},
         "benchmarks": [{"name": "BM_Walk/1", "run_type": "iteration", "iterations": 3, "real_time": 1.5, "speedup": 7.0}]}
PEERS = {"figures": [{"peer": "nearby", "name": "nearby, every pair checked", "nearby_is_faster": 0},
                     {"peer": "redis", "name": "Redis & <others>", "nearby_is_faster": 24.5}]}


def paced(scenario, prefixes):
    return {"scenario": scenario, "void": False,
            **{f"{prefix}p{percentile}_us": 10 * i
               for prefix in prefixes for i, percentile in enumerate((50, 90, 99, 999, 9999))}}


class SummaryTest(unittest.TestCase):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.addCleanup(self.temporary.cleanup)
        self.directory = pathlib.Path(self.temporary.name)

    def write(self, path, content):
        (self.directory / path).parent.mkdir(exist_ok=True)
        (self.directory / path).write_text(json.dumps(content), encoding="utf-8")

    def write_capacity(self, *runs):
        for run in runs:
            self.write(f"capacity/{run['users']}-{run['skipping']}.json", run)

    def run_summary(self):
        return subprocess.run([sys.executable, SUMMARY, self.directory], capture_output=True, text=True, check=False)

    def summary(self):
        return json.loads((self.directory / "summary.json").read_text(encoding="utf-8"))

    def elements(self, name, tag):
        return list(ElementTree.parse(self.directory / name).iter(SVG + tag))

    def test_figures_are_those_of_each_run(self):
        self.write_capacity(capacity_run(100_000, "on", 2), capacity_run(10_000, "on", 1),
                            capacity_run(1_000_000, "on", 4), capacity_run(10_000, "off", 1.25),
                            capacity_run(100_000, "off", 1.5, with_baseline=False))
        self.assertEqual(self.run_summary().returncode, 0)
        growth = [(f["skipping"], f["users"], f["report_cost_to_reference"]) for f in self.summary()["capacity"]]
        self.assertEqual(growth, [("on", 10_000, 1), ("on", 100_000, 2), ("on", 1_000_000, 4), ("off", 10_000, 1.25),
                                  ("off", 100_000, 1.5)])
        lines = self.elements("growth.svg", "polyline")
        self.assertEqual([len(line.get("points").split()) for line in lines], [3, 2])
        # The textbook's share besides.
        self.assertEqual(len(self.elements("ceiling.svg", "polyline")), 3)

    def test_growth_is_drawn_only_where_there_was_a_reference(self):
        self.write_capacity(capacity_run(10_000, "on", None))
        self.assertEqual(self.run_summary().returncode, 0)
        self.assertFalse((self.directory / "growth.svg").exists())
        self.assertTrue((self.directory / "ceiling.svg").exists())

    def test_points_lie_where_their_figures_say(self):
        self.write_capacity(capacity_run(10_000, "on", 1), capacity_run(100_000, "on", 2),
                            capacity_run(1_000_000, "on", 4))
        self.run_summary()
        points = [tuple(map(float, point.split(",")))
                  for point in self.elements("growth.svg", "polyline")[0].get("points").split()]
        # Equal factors are equal ways, to the right and up.
        self.assertAlmostEqual(points[1][0] - points[0][0], points[2][0] - points[1][0], delta=0.2)
        self.assertAlmostEqual(points[0][1] - points[1][1], points[1][1] - points[2][1], delta=0.2)
        self.assertGreater(points[1][0], points[0][0])
        self.assertLess(points[1][1], points[0][1])

    def test_one_world_is_enough(self):
        self.write_capacity(capacity_run(10_000, "on", 1))
        self.assertEqual(self.run_summary().returncode, 0)
        self.assertEqual(len(self.elements("growth.svg", "circle")), 1)

    def test_peers_and_parts_are_named_but_not_the_machine(self):
        self.write("micro/walk_benchmark.json", MICRO)
        self.write("peers.json", PEERS)
        self.assertEqual(self.run_summary().returncode, 0)
        summary = self.summary()
        self.assertEqual(summary["micro"], {"walk_benchmark": {"BM_Walk/1": {"real_time": 1.5, "speedup": 7.0}}})
        self.assertEqual(summary["peers"], [{"name": "Redis & <others>", "nearby_is_faster": 24.5}])
        self.assertNotIn("somebody", (self.directory / "summary.json").read_text(encoding="utf-8"))
        labels = [element.text for element in self.elements("peers.svg", "text")]
        self.assertIn("Redis & <others>", labels)
        self.assertFalse((self.directory / "growth.svg").exists())

    def test_latency_is_drawn_for_each_way_that_was_paced(self):
        self.write("scenarios/latency.json", paced("latency", ("", "idle_", "thread_")))
        self.assertEqual(self.run_summary().returncode, 0)
        lines = self.elements("latency.svg", "polyline")
        self.assertEqual([len(line.get("points").split()) for line in lines], [5, 5, 5])
        self.write("scenarios/runtime-latency.json", paced("runtime-latency", ("", "thread_")))
        self.assertEqual(self.run_summary().returncode, 0)
        self.assertEqual(len(self.elements("latency.svg", "polyline")), 5)
        self.assertEqual(self.summary()["scenarios"]["latency"]["p90_us"], 10)

    def test_charts_can_be_read_in_the_dark(self):
        self.write_capacity(capacity_run(10_000, "on", 1))
        self.run_summary()
        self.assertIn("prefers-color-scheme: dark", self.elements("growth.svg", "style")[0].text)

    def test_a_void_run_fails_it(self):
        self.write_capacity(capacity_run(10_000, "on", 1, void=True))
        result = self.run_summary()
        self.assertEqual(result.returncode, 1)
        self.assertIn("10000-on", result.stderr)


if __name__ == "__main__":
    unittest.main()
