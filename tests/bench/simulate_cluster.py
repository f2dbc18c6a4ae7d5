#!/usr/bin/env python3
"""simulate_cluster.py: how long a run of many images takes on a cluster, with the constants of docs/scaling.md.

Shards are taken by free nodes in order. A node is taken away at random (exponential, --mean-time-between-losses hours of one
node), which costs the block under way, the wait in the queue and a new start. The merge and the last job's looks at files
come after. Prints, for each number of shards: files, calls to the metadata server, hours of extraction (median and 95th
percentile of the simulated runs), of the merge, and of the last job's look at files and rows.
"""
import argparse, heapq, random, statistics

BLOCK = 256


def makespan(shard_rows, nodes, rate, start, queue, between_losses, source):
    """Seconds until every shard is done."""
    free = [0.0] * nodes
    heapq.heapify(free)
    last = 0.0
    waiting = [(0.0, rows) for rows in shard_rows]
    heapq.heapify(waiting)
    while waiting:
        ready, rows = heapq.heappop(waiting)
        begin = max(heapq.heappop(free), ready)
        need = start + rows / rate
        loss = source.expovariate(1 / between_losses) if between_losses else float("inf")
        if loss >= need:
            heapq.heappush(free, begin + need)
            last = max(last, begin + need)
            continue
        kept = int(max(0.0, loss - start) * rate) // BLOCK * BLOCK
        heapq.heappush(free, begin + loss)  # another node, or the same one again
        heapq.heappush(waiting, (begin + loss + queue, rows - kept))
    return last


def piece(images, shards):
    return min(BLOCK, max(1, images // (64 * shards)))


def parts(images, shards):
    unit = piece(images, shards)
    units, short = divmod(images, unit)
    sizes = [(units // shards + (i < units % shards)) * unit for i in range(shards)]
    sizes[units % shards] += short
    return sizes


def main():
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    number = lambda name, value, what: words.add_argument(f"--{name}", type=float, default=value, help=f"{what} [{value}]")
    number("images", 1e6, "how many")
    number("nodes", 32, "nodes that run at a time")
    number("rate", 12, "images a second of a node, all backbones together")
    number("keys", 8, "backbones x layers x pools")
    number("dim", 2048, "values a row")
    number("folders", 1000, "folders that the images lie in")
    number("start", 10, "seconds to start a job's program: stats of its share, weights, networks")
    number("queue", 120, "seconds that a requeued job waits")
    number("mean-time-between-losses", 24, "hours until a node is taken away; 0: never")
    number("merge-cpu", 4.5e-9, "seconds of a merge's own work a byte")
    number("merge-bytes", 500e6, "bytes a second that the file system reads, or writes, for one node")
    number("stats", 5e3, "calls a second that the metadata server answers one client")
    number("runs", 200, "simulated runs")
    words.add_argument("--shards", default="1,8,32,128,512,1000")
    given = words.parse_args()
    images, nodes, keys = int(given.images), int(given.nodes), int(given.keys)
    print(f"{images:,} images, {keys} keys of {int(given.dim)} values, {nodes} nodes of {given.rate:g} images/s: "
          f"{images * keys * given.dim * 4 / 1e9:,.0f} GB of rows, {images / given.rate / nodes / 3600:.2f} h if nothing were lost")
    print("| shards | images a shard | files of the stores | calls to the metadata server | extraction, h (95 %) | merge, h | last look, h |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for shards in map(int, given.shards.split(",")):
        source = random.Random(shards)
        sizes = parts(images, shards)
        times = [makespan(sizes, nodes, given.rate, given.start, given.queue, given.mean_time_between_losses * 3600, source)
                 for _ in range(int(given.runs))]
        hours = sorted(t / 3600 for t in times)
        folders_touched = min(given.folders, images / shards / piece(images, shards) + 1)
        files = shards * (4 * keys + 2 + folders_touched)
        calls = images * 6 + 2 * keys * images / BLOCK * 2  # 4 stats, open, close; 2 syncs a block, of the shard and the merge
        data = images * keys * given.dim * 4
        merge = data * given.merge_cpu + 2 * data / given.merge_bytes  # read once (again from memory), written once
        look = images / given.stats + data / given.merge_bytes  # a stat an image, every block checked
        print(f"| {shards} | {images // shards:,} | {files:,.0f} | {calls:,.0f} | {statistics.median(hours):.2f} "
              f"({hours[int(0.95 * (len(hours) - 1))]:.2f}) | {merge / 3600:.2f} | {look / 3600:.2f} |")


if __name__ == "__main__":
    main()
