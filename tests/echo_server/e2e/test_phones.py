"""The program phones against the server, as README's first command runs the two."""

import json
import os
import subprocess
import tempfile
import unittest

from server import PATIENCE_S, Server

PHONES = os.environ["NEARBY_PHONES"]
USERS = 60


def run_phones(*options):
    return subprocess.run([PHONES, *options], capture_output=True, text=True, timeout=2 * PATIENCE_S)


class PhonesTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.city = ("--city", "--users", str(USERS), "--seed", "1")
        friends = os.path.join(directory.name, "friends.tsv")
        written = run_phones(*self.city, "--write-friends", friends)
        self.assertEqual(written.returncode, 0, written.stderr)
        self.server = Server(
            "--friends", friends, "--calls-per-second", "100000", "--call-burst", "100000",
            "--drain-timeout", "5", "--drain-spread", "1")
        self.addCleanup(self.server.close)

    def phones(self, *options):
        return run_phones(
            "--server", f"127.0.0.1:{self.server.port}", "--secret-file", self.server.secret_file, *options)

    def figures(self, run):
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertNotIn("Sanitizer", run.stderr)
        figures = json.loads(run.stdout)
        self.assertEqual(figures["phones"], USERS)
        self.assertGreaterEqual(figures["sessions"], USERS)
        for fault in ("violations", "errors", "failed_connects"):
            self.assertEqual(figures[fault], 0, fault)
        return figures

    def test_a_city_walks_and_the_table_shows_friends(self):
        run = self.phones(*self.city, "--pace", "60", "--minutes", "3", "--once")
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertRegex(run.stdout, r"\b[1-9]\d* of \d+ friends in sight")
        self.assertIn(f"{USERS} phones", run.stderr)
        self.assertNotIn(" 0 enters", run.stderr)

    def test_a_load_over_two_event_loops_is_heard(self):
        for form in ("protobuf", "json"):
            with self.subTest(form):
                figures = self.figures(self.phones(
                    "--load", *self.city[1:], "--threads", "2", "--seconds", "1", "--format", form, "--json", "-"))
                self.assertGreater(figures["load"]["reports"], USERS)
                self.assertGreater(figures["load"]["events"], 0)

    def test_a_load_gives_up_when_the_server_has_no_room_for_all(self):
        with Server("--max-connections", str(USERS // 2)) as small:
            run = run_phones(
                "--load", *self.city[1:], "--server", f"127.0.0.1:{small.port}", "--secret-file", small.secret_file,
                "--seconds", "1", "--patience-s", "1")
        self.assertEqual(run.returncode, 1, run.stderr)
        self.assertIn(f"{USERS // 2} of {USERS} phones got in", run.stderr)


if __name__ == "__main__":
    unittest.main()
