#!/usr/bin/env python3
"""Reads the runs that run.sh has gathered, a line of JSON each, and adds them up.

  summary.py best RUNS PEER
      Prints the configurations of round 0 to measure: the cheapest in which the server fans out, and the
      cheapest in which it does not and the client does.
  summary.py phones ROUND FIGURES STAT
      Prints a run from what phones --json wrote and the echo server's /proc/PID/stat.
  summary.py table RUNS VERSIONS WORLD [JSON]
      Prints the tables as Markdown, and writes all figures. Fails if a peer delivered something else.
"""

import json
import os
import statistics
import sys

REPORTS_PER_S = 334_000
FRIENDS = 40
# Peers that work in parallel may take two reports of one second in another order.
TOLERANCE = 1e-3
# A server that makes fewer pushes than this share of the pairs leaves the fan-out to its client.
FAN_OUT_SHARE = 0.5

DOES = {
    "nearby": ("expiry, hysteresis, pages, hiding, order and versions checked for each report",
               "no sockets here, no processes, nothing kept on disk"),
    "textbook": ("an expiry test for each pair", "no sockets, no hiding, no order, no disconnects"),
    "rtree": ("nothing: it finds strangers in the box, and drops them", "no sockets, no expiry, no hiding"),
    "redis": ("sockets, connections of their own, any client may join, a location cache with expiry",
              "no filter, no friend graph, no order across channels, no delivery kept for who is away"),
    "nats": ("sockets, connections of their own, any client may join, clusters",
             "no location cache, no filter, no friend graph, nothing kept"),
    "erlang": ("isolation of each user, preemption, distribution over machines by the same send",
               "deliveries are counted only, not made; no sockets here, no expiry, no hiding, nothing kept"),
}


def load(path):
    runs = []
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            run = json.loads(line)
            round_text, run["configuration"] = run.pop("label").split(" ", 1)
            run["round"] = int(round_text)
            runs.append(run)
    return runs


def cpu(run):
    return run["client_cpu_s"] + run["server_cpu_s"]


def pairs_per_core_s(run):
    return run["pairs"] / max(cpu(run), 1e-9)


def server_cpu(run):
    """At least a tick: a short run may seem to have taken nothing."""
    return max(run["server_cpu_s"], 0.01)


def deliveries(run):
    return run["enters"] + run["moves"] + run["leaves"]


def fans_out(run):
    """Whether the peer itself, not the client, brings a report to each friend."""
    return run["peer"] not in ("redis", "nats") or run["pushes"] >= FAN_OUT_SHARE * run["pairs"]


def best(path, peer):
    tried = [run for run in load(path) if run["round"] == 0 and run["peer"] == peer]
    for kind in (True, False):
        of_kind = [run for run in tried if fans_out(run) == kind]
        if of_kind:
            print(max(of_kind, key=pairs_per_core_s)["configuration"])


def phones(round_text, figures_path, stat_path):
    with open(figures_path, encoding="utf-8") as file:
        figures = json.load(file)
    with open(stat_path, encoding="utf-8") as file:
        fields = file.read().rpartition(")")[2].split()
    ticks = int(fields[11]) + int(fields[12])
    print(json.dumps({
        "peer": "echo_server", "label": round_text + " sockets", "reports": figures["reports"],
        "enters": figures["enters"], "moves": figures["moves"], "leaves": figures["leaves"],
        "errors": figures["errors"], "violations": figures["violations"],
        "server_cpu_s": ticks / os.sysconf("SC_CLK_TCK"), "client_cpu_s": figures["load"]["cpu_s"],
        "wall_s": figures["elapsed_s"], "events_per_s": figures["load"]["events_per_s"],
        "reports_per_s": figures["load"]["reports_per_s"],
    }))


def median(values):
    return statistics.median(values) if values else 0


def rows_of(runs):
    """A row for each peer and way of using it: medians over the rounds, ratios within a round."""
    rows = {}
    before = {}
    for run in runs:
        if run["round"] == 0 or run["configuration"] == "sockets":
            continue
        key = (run["peer"], fans_out(run))
        row = rows.setdefault(key, {"runs": [], "ratios": {"nearby": [], "nearby-skipping": []}})
        row["runs"].append(run)
        if run["peer"].startswith("nearby"):
            before[run["peer"]] = run
            continue
        for mode, ratios in row["ratios"].items():
            ratios.append(pairs_per_core_s(before[mode]) / pairs_per_core_s(run))
    return rows


def name_of(peer, fan_out, configuration):
    names = {
        "nearby": "nearby, every pair checked", "nearby-skipping": "nearby, skipping far pairs",
        "textbook": "textbook", "rtree": "Boost R-tree and friend sets",
    }
    if peer in names:
        return names[peer]
    parts = configuration.split("/")
    if peer == "erlang":
        return f"Erlang/OTP, a process per user, {parts[0]} scheduler" + ("s" if parts[0] != "1" else "")
    where = "Redis, io-threads " if peer == "redis" else "NATS, GOMAXPROCS "
    text = f"{where}{parts[0]}, {parts[1]} connection" + ("s" if parts[1] != "1" else "")
    if peer == "nats" and parts[2] == "1":
        text += ", a subscription per friend"
    return text if fan_out else text + ", fan-out by the client"


def figures_of(key, row, reference):
    peer, fan_out = key
    runs = row["runs"]
    last = runs[-1]
    per_core = median([pairs_per_core_s(run) for run in runs])
    total = median([run["client_bytes"] + run["server_bytes"] for run in runs])
    edges = 2 * last["friendships"]
    is_server = peer in ("redis", "nats")
    return {
        "peer": peer, "name": name_of(peer, fan_out, last["configuration"]),
        "configuration": last["configuration"], "fan_out_by_peer": fan_out,
        "pairs_per_core_s": per_core,
        "deliveries_per_s": median([deliveries(run) / run["wall_s"] for run in runs]),
        "server_cpu_share": median([run["server_cpu_s"] / max(cpu(run), 1e-9) for run in runs]),
        "pushes_per_pair": last["pushes"] / last["pairs"],
        "pushes_per_server_core_s": median([run["pushes"] / server_cpu(run) for run in runs]) if is_server else None,
        "skipped_share": last.get("checks_skipped", 0) / last["pairs"],
        "bytes_per_user": total / last["users"],
        "bytes_per_subscription": (median([run["server_bytes"] for run in runs]) / last["subscriptions"]
                                   if is_server else total / edges),
        "cores_for_the_load": REPORTS_PER_S * FRIENDS / per_core,
        "deliveries": deliveries(last),
        "deliveries_off_by": max(abs(deliveries(run) - reference) for run in runs) / reference,
        "nearby_is_faster": median(row["ratios"]["nearby"]),
        "nearby_skipping_is_faster": median(row["ratios"]["nearby-skipping"]),
        "spread": [min(row["ratios"]["nearby"], default=0), max(row["ratios"]["nearby"], default=0)],
    }


def number(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def print_row(cells):
    print("| " + " | ".join(cells) + " |")


def print_table(figures):
    print_row(["", "pairs/s a core", "nearby does times as many", "skipping, times", "cores for 334,000 x 40", "deliveries/s",
               "bytes a user", "bytes a subscription", "server's share of CPU", "deliveries off by"])
    print_row(["---"] + ["---:"] * 9)
    for f in figures:
        is_self = f["peer"].startswith("nearby")
        low, high = f["spread"]
        print_row([
            f["name"], f"{f['pairs_per_core_s'] / 1e6:.2f} M",
            "" if is_self else f"{number(f['nearby_is_faster'])} ({number(low)} to {number(high)})",
            "" if is_self else number(f["nearby_skipping_is_faster"]), number(f["cores_for_the_load"]),
            number(f["deliveries_per_s"]), number(f["bytes_per_user"]), number(f["bytes_per_subscription"]),
            f"{f['server_cpu_share']:.0%}" if f["server_cpu_share"] else "", f"{f['deliveries_off_by']:.1e}"
            if f["deliveries_off_by"] else "0",
        ])
    print()
    print_row(["", "does besides", "does not do"])
    print_row(["---", "---", "---"])
    for peer in dict.fromkeys(f["peer"].partition("-")[0] for f in figures):
        print_row([peer, *DOES[peer]])
    print()


def socket_figures(runs):
    runs = [run for run in runs if run["configuration"] == "sockets"]
    echo = [run for run in runs if run["peer"] == "echo_server"]
    redis = [run for run in runs if run["peer"] == "redis"]
    if not echo or not redis:
        return None
    echo_per_core = [deliveries(run) / server_cpu(run) for run in echo]
    redis_per_core = [run["pushes"] / server_cpu(run) for run in redis]
    echo_reports = [run["reports"] / server_cpu(run) for run in echo]
    redis_reports = [run["reports"] / server_cpu(run) for run in redis]
    return {
        "echo_server_deliveries_per_server_core_s": median(echo_per_core),
        "echo_server_reports_per_server_core_s": median(echo_reports),
        "redis_pushes_per_server_core_s": median(redis_per_core),
        "redis_reports_per_server_core_s": median(redis_reports),
        "redis_useful_pushes_per_server_core_s": median([run["moves"] / server_cpu(run) for run in redis]),
        "deliveries_ratio": median([a / b for a, b in zip(echo_per_core, redis_per_core)]),
        "reports_ratio": median([a / b for a, b in zip(echo_reports, redis_reports)]),
        "echo_server_errors": sum(run["errors"] + run["violations"] for run in echo),
    }


def print_sockets(f):
    print(f"With a socket to each of 1,000 phones, server's CPU alone: Redis makes "
          f"{number(f['redis_pushes_per_server_core_s'])} pushes a core-second, "
          f"{number(f['redis_useful_pushes_per_server_core_s'])} of them about somebody near, for "
          f"{number(f['redis_reports_per_server_core_s'])} reports; the echo server (WebSocket, protobuf, filter, "
          f"acknowledged calls) makes {number(f['echo_server_deliveries_per_server_core_s'])} deliveries, all of them "
          f"about somebody near, for {number(f['echo_server_reports_per_server_core_s'])} reports.\n")


def table(runs_path, versions_path, world, json_path=None):
    runs = load(runs_path)
    rows = rows_of(runs)
    reference = deliveries(rows[("nearby", True)]["runs"][-1])
    order = ["nearby", "nearby-skipping", "redis", "nats", "erlang", "rtree", "textbook"]
    figures = [figures_of(key, row, reference)
               for key, row in sorted(rows.items(), key=lambda item: (order.index(item[0][0]), not item[0][1]))]
    with open(versions_path, encoding="utf-8") as file:
        versions = dict(line.split(" ", 1) for line in file.read().splitlines())
    first = runs[0]
    sockets = socket_figures(runs)
    print(f"World: {world}, {first['users']:,} users, {2 * first['friendships'] / first['users']:.1f} friends each, "
          f"{first['reports']:,} reports measured, {first['pairs']:,} pairs. {os.cpu_count()} processors.")
    print("Versions: " + ", ".join(f"{name} {version}" for name, version in versions.items()) + ".\n")
    print_table(figures)
    if sockets:
        print_sockets(sockets)
    if json_path:
        with open(json_path, "w", encoding="utf-8") as file:
            json.dump({"world": world, "versions": versions, "figures": figures, "sockets": sockets, "runs": runs},
                      file, indent=1)
            file.write("\n")
    wrong = [f["name"] for f in figures if f["deliveries_off_by"] > TOLERANCE]
    # Who works through the reports in order has no excuse.
    wrong += [f["name"] for f in figures if f["peer"] == "nearby-skipping" and f["deliveries_off_by"] > 0]
    if wrong:
        sys.exit("summary.py: delivered something else than nearby: " + "; ".join(wrong))


def main(arguments):
    commands = {"best": best, "phones": phones, "table": table}
    if not arguments or arguments[0] not in commands:
        sys.exit(__doc__)
    commands[arguments[0]](*arguments[1:])


if __name__ == "__main__":
    main(sys.argv[1:])
