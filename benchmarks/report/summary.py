#!/usr/bin/env python3
"""Reads what benchmarks/run.sh has gathered in a directory, and adds it up.

  summary.py DIR

DIR has capacity/*.json of nearby_capacity, micro/*.json of Google Benchmark, and where they were
measured scenarios/*.json of nearby_scenarios and peers.json. Writes DIR/summary.json and plots,
DIR/*.svg, and prints a table. Fails if a run was void.
"""

import json
import pathlib
import sys

import svg_chart


def read(directory, pattern):
    found = {}
    for path in sorted(directory.glob(pattern)):
        with open(path, encoding="utf-8") as file:
            found[path.stem] = json.load(file)
    return found


def capacity_figures(runs):
    """By skipping and users: what was compared within a run."""
    return [{
        "users": run["users"], "skipping": run["skipping"], "reference_users": run["reference_users"],
        "report_cost_to_reference": run["report_cost_to_reference"],
        "ratio_to_ceiling": run["ratio_to_ceiling"], "ratio_to_baseline": run["ratio_to_baseline"],
        "baseline_to_ceiling": run["baseline_to_ceiling"], "skipped_share": run["checks_skipped_share"],
        "bytes_per_user": run["bytes_per_user_rss"], "core_share_at_334k": run["core_share_at_334k"],
    } for run in sorted(runs, key=lambda run: (run["skipping"] == "off", run["users"]))]


def micro_figures(files):
    """Google Benchmark's results without what names the machine."""
    return {
        name: {run["name"]: {key: value for key, value in run.items() if isinstance(value, float)}
               for run in content["benchmarks"]}
        for name, content in files.items()
    }


def peer_figures(content):
    return [{"name": f["name"], "nearby_is_faster": f["nearby_is_faster"]}
            for f in content["figures"] if not f["peer"].startswith("nearby")]


def lines_of(figures, key, names):
    """A line for each mode of skipping that was measured, (users, figure) by (users, figure)."""
    lines = []
    for mode, name in names.items():
        line = [(f["users"], f[key]) for f in figures if f["skipping"] == mode and f[key]]
        if line:
            lines.append((name, line))
    return lines


def latency_lines(scenarios):
    """Of each way that was paced: how many reports there are for one that takes longer than so many microseconds."""
    ways = [("latency", "", "engine"), ("latency", "thread_", "engine, core of its own"),
            ("latency", "idle_", "nothing to do"), ("runtime-latency", "", "runtime"),
            ("runtime-latency", "thread_", "runtime, one thread")]
    lines = []
    for scenario, prefix, name in ways:
        run = scenarios.get(scenario)
        if run:
            # Percentiles are whole microseconds; a logarithm wants one at least.
            lines.append((name, [(count, max(1, run[f"{prefix}p{percentile}_us"]))
                                 for count, percentile in ((2, 50), (10, 90), (100, 99), (1000, 999), (10000, 9999))]))
    return lines


def charts_of(summary):
    """File names and what goes into them, for what was measured."""
    engine = {"on": "far pairs skipped", "off": "every pair checked"}
    charts = {}
    growth = lines_of(summary["capacity"], "report_cost_to_reference", engine)
    if growth:
        charts["growth.svg"] = svg_chart.line_chart(
            f"A report's cost, to one with {summary['capacity'][0]['reference_users']:,} users in the same run",
            "users online", "times as much", growth)
    shares = lines_of(summary["capacity"], "ratio_to_ceiling", engine)
    shares += lines_of(summary["capacity"], "baseline_to_ceiling", {"on": "textbook"})
    if shares:
        charts["ceiling.svg"] = svg_chart.line_chart(
            "Pairs served, to random reads of as many records", "users online", "share of the ceiling", shares)
    latency = latency_lines(summary["scenarios"])
    if latency:
        charts["latency.svg"] = svg_chart.line_chart(
            "One report in so many takes longer, from due to the clients' bytes", "one in", "microseconds", latency)
    bars = [(peer["name"], peer["nearby_is_faster"]) for peer in summary["peers"] if peer["nearby_is_faster"] > 0]
    if bars:
        charts["peers.svg"] = svg_chart.bar_chart("Pairs a core: times as many as the peer's", bars)
    return charts


def optional(value):
    return "" if value is None else f"{value:.3g}"


def print_table(figures):
    print("| users | skipping | a report, to the reference | to the textbook | to the ceiling | skipped | bytes a user |")
    print("| ---: | --- | ---: | ---: | ---: | ---: | ---: |")
    for f in figures:
        print(f"| {f['users']:,} | {f['skipping']} | {optional(f['report_cost_to_reference'])} | "
              f"{optional(f['ratio_to_baseline'])} | {f['ratio_to_ceiling']:.3g} | {f['skipped_share']:.0%} | "
              f"{f['bytes_per_user']:.0f} |")


def summarize(directory):
    capacity = read(directory, "capacity/*.json")
    scenarios = read(directory, "scenarios/*.json")
    peers = read(directory, "peers.json")
    summary = {
        "capacity": capacity_figures(list(capacity.values())),
        "scenarios": scenarios,
        "micro": micro_figures(read(directory, "micro/*.json")),
        "peers": peer_figures(peers["peers"]) if peers else [],
    }
    voids = [name for name, run in {**capacity, **scenarios}.items() if run["void"]]
    return summary, voids


def main(arguments):
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    directory = pathlib.Path(arguments[0])
    summary, voids = summarize(directory)
    (directory / "summary.json").write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
    for name, chart in charts_of(summary).items():
        (directory / name).write_text(chart, encoding="utf-8")
        print(f"wrote {directory / name}", file=sys.stderr)
    print_table(summary["capacity"])
    if voids:
        print("summary.py: these runs are void: " + ", ".join(voids), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
