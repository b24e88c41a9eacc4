"""Who plans a fleet has a rollout worked out: as a table, JSON, CSV and a plot."""
import csv
import io
import json
import subprocess
import unittest
import xml.etree.ElementTree

from support import settings
from support.scenario import Scenario

SCENARIOS = settings.ROOT / "bench/scenarios"
SMALL = SCENARIOS / "flash-crowd-small.yaml"


@unittest.skipIf(settings.foreign, "needs the program alone")
class Simulate(Scenario):
    def simulate(self, *arguments, code=0):
        done = subprocess.run([settings.binary, "simulate", *map(str, arguments)], capture_output=True, text=True,
                              timeout=120, check=False)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def scenario(self, text):
        file = self.work / "mine.yaml"
        file.write_text(text)
        return file

    def test_a_crowd_is_shown_in_every_form(self):
        files = {kind: self.work / f"result.{kind}" for kind in ("json", "csv", "svg")}
        done = self.simulate(*(part for kind, file in files.items() for part in (f"--{kind}", file)), SMALL)
        self.assertIn("flash-crowd-small: simulated, seed 1", done.stdout)
        self.assertIn("Times are those of 40 nodes", done.stdout)
        self.assertEqual(done.stderr, "")

        whole = json.loads(files["json"].read_text())
        self.assertIs(whole["simulated"], True)
        (run,) = whole["runs"]
        self.assertEqual(run["scenario"]["nodes"], 40)
        self.assertEqual(run["result"]["nodes"]["never_finished"], 0)
        self.assertGreater(run["result"]["done_of_bound"]["p50"], 0.9)
        self.assertLess(run["result"]["done_of_bound"]["p99"], 1.3)
        self.assertLess(run["result"]["origin_copies"], 3)

        rows = list(csv.DictReader(io.StringIO(files["csv"].read_text())))
        self.assertEqual(len(rows), 40)
        slowest = max(float(row["done_s"]) for row in rows)
        self.assertAlmostEqual(slowest, run["result"]["done_seconds"]["last"], places=5)

        plot = xml.etree.ElementTree.fromstring(files["svg"].read_text())
        self.assertEqual(plot.tag, "{http://www.w3.org/2000/svg}svg")
        self.assertEqual(len(plot.findall("{http://www.w3.org/2000/svg}polyline")), 1)

    def test_what_was_run_can_be_run_again(self):
        first = json.loads(self.simulate("--nodes", 20, "--seed", 7, "--json", "-", SMALL).stdout)["runs"][0]
        again = self.scenario(json.dumps(first["scenario"]))
        second = json.loads(self.simulate("--json", "-", again).stdout)["runs"][0]
        del first["result"]["cost"], second["result"]["cost"]
        self.assertEqual(first, second)
        other = json.loads(self.simulate("--seed", 8, "--json", "-", again).stdout)["runs"][0]
        self.assertNotEqual(first["result"]["done_seconds"], other["result"]["done_seconds"])

    def test_a_grid_is_a_row_for_each_combination(self):
        done = self.simulate("--nodes", 10, "--set", "image.size=8 MB", "--csv", self.work / "rows.csv",
                             SCENARIOS / "layers-40.yaml")
        self.assertIn("layers-40 image.layers=40", done.stdout)
        rows = list(csv.DictReader((self.work / "rows.csv").open()))
        self.assertEqual([row["layers"] for row in rows], ["1", "4", "10", "40"])

    def test_mistakes_are_named_with_file_key_and_line(self):
        for text, said in (("nodes: 40\nimage: {size: 1 MB}\nnode: {up: 3 horses}\n", "line 3: node.up: '3 horses' is"),
                           ("nodes: 40\nimages: {size: 1 MB}\n", "line 2: images.size: there is no such key"),
                           ("nodes: [\n", "is not valid YAML")):
            file = self.scenario(text)
            done = self.simulate(file, code=78)
            self.assertIn(f"entrepot: {file}: ", done.stderr)
            self.assertIn(said, done.stderr)
            self.assertEqual(done.stdout, "")
        self.assertIn("--set: nodes: must be from 1", self.simulate("--nodes", 0, SMALL, code=78).stderr)
        self.assertIn("can't be read", self.simulate(self.work / "none.yaml", code=1).stderr)
        self.assertIn("can't be read", self.simulate(self.work, code=1).stderr)
        self.assertIn("can't be written", self.simulate("--csv", self.work / "no/such.csv", SMALL, code=1).stderr)
        self.assertIn("--set takes KEY=VALUE", self.simulate("--set", "nodes", SMALL, code=64).stderr)
        self.assertIn("SCENARIO is required", self.simulate(code=64).stderr)
        self.simulate("--json", "-", "--csv", "-", SMALL, code=64)

    def test_nodes_that_never_finish_are_a_failure(self):
        file = self.scenario("nodes: 20\nimage: {size: 8 MB}\nnode: {up: 100 MB/s}\n"
                             "arrivals: {kind: spread, over: 1 s}\nfaults: {tracker: {dies_at: 500 ms}}\n")
        done = self.simulate(file, code=3)
        self.assertIn("NEVER FINISHED", done.stdout)
        self.assertIn("nodes never finished", done.stderr)
