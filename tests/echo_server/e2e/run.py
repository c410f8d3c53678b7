#!/usr/bin/env python3
"""Runs one of the test files beside this one: run.py life."""

import logging
import sys
import unittest


def main(name):
    # The harness waits for processes within its event loop, and asyncio would tell each time.
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    program = unittest.main(module=f"test_{name}", argv=[name, *sys.argv[2:]], verbosity=2, exit=False)
    return 0 if program.result.wasSuccessful() and program.result.testsRun > 0 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
