"""Python's worker pools, doing one piece of work as often as the benchmark asks.

    peer.py WORK ppe|pool fork|spawn|forkserver COUNT

Says {"version": …} once it is ready; then answers every line on standard input by one figure, {"value": …} in the unit of the
work, or {"never": why}. Ends with its standard input. Every payload is checked: a wrong one ends the program.
"""
import json
import multiprocessing
import os
import platform
import select
import signal
import statistics
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor

WORKERS = 2
PAGE = 4096
MEGABYTE = 1 << 20
GIVE_UP = 5  # seconds until a task that did not start is said never to start


def same(x):
    return x


def double(x):
    return x * 2


def checksum(block):
    return sum(block[::PAGE])  # touches every page


def hold(folder):
    """Occupies a worker until it is killed or the folder says that it is over."""
    open(os.path.join(folder, str(os.getpid())), "w").close()
    while not os.path.exists(os.path.join(folder, "over")):
        time.sleep(0.001)


def now(_):
    return time.monotonic_ns()


class Pool:
    """The two pools of the standard library behind one face."""

    def __init__(self, kind, start, workers=WORKERS):
        context = multiprocessing.get_context(start)
        self.is_executor = kind == "ppe"
        self.pool = ProcessPoolExecutor(workers, mp_context=context) if self.is_executor else context.Pool(workers)

    def submit(self, function, argument):
        if self.is_executor:
            return self.pool.submit(function, argument).result
        return self.pool.apply_async(function, (argument,)).get

    def call(self, function, argument):
        if self.is_executor:
            return self.pool.submit(function, argument).result()
        return self.pool.apply(function, (argument,))

    def map(self, function, items, chunk):
        if self.is_executor:
            return list(self.pool.map(function, items, chunksize=chunk or -(-len(items) // (4 * WORKERS))))
        return self.pool.map(function, items, chunksize=chunk)  # None: its own rule, n / (4 workers)

    def pids(self):
        return list(self.pool._processes) if self.is_executor else [process.pid for process in self.pool._pool]

    def close(self):
        if self.is_executor:
            self.pool.shutdown()
        else:
            self.pool.terminate()
            self.pool.join()


def round_trip(pool, count, rest=0):
    times = []
    for i in range(count):
        if rest:
            time.sleep(rest)
        started = time.perf_counter_ns()
        answer = pool.call(same, i)
        times.append(time.perf_counter_ns() - started)
        assert answer == i
    return statistics.median(times) / 1e3


def round_trip_rested(pool, count):
    return round_trip(pool, count, 0.002)


def tasks(pool, count):
    started = time.perf_counter()
    answers = pool.map(same, range(count), 1)
    took = time.perf_counter() - started
    assert answers == list(range(count))
    return count / took


def map_ints(pool, count):
    started = time.perf_counter()
    answers = pool.map(double, range(count), None)
    took = time.perf_counter() - started
    assert sum(answers) == count * (count - 1) and len(answers) == count
    return count / took


BLOCKS = []


def megabyte(pool, count):
    if not BLOCKS:
        BLOCKS.extend(bytes([k]) * MEGABYTE for k in range(1, 9))
    started = time.perf_counter()
    answers = pool.map(checksum, [BLOCKS[i % 8] for i in range(count)], 1)
    took = time.perf_counter() - started
    assert answers == [(i % 8 + 1) * (MEGABYTE // PAGE) for i in range(count)]
    return count * MEGABYTE / 1e6 / took


def first_result(kind, start):
    started = time.perf_counter()
    pool = Pool(kind, start)
    answer = pool.call(double, 21)
    took = time.perf_counter() - started
    assert answer == 42
    return took * 1e3, pool


def proportional_memory(pid):
    with open(f"/proc/{pid}/smaps_rollup") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("Pss:"))


def idle_memory(kind, start):
    pool = Pool(kind, start, 8)
    pool.map(same, range(800), 1)
    time.sleep(0.2)
    pids = pool.pids()
    assert len(pids) == 8, pids
    value = statistics.mean(proportional_memory(pid) for pid in pids) / 1e6
    pool.close()
    return value


def kill(kind, start):
    """Both workers are busy and a task waits; one worker is killed: how long after the kernel's notice does the waiting task start?"""
    pool = Pool(kind, start)
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(WORKERS):
            pool.submit(hold, folder)
        while len(os.listdir(folder)) < WORKERS:
            time.sleep(0.001)
        waiting = pool.submit(now, 0)
        victim = int(os.listdir(folder)[0])
        notice = os.pidfd_open(victim)
        os.kill(victim, signal.SIGKILL)
        select.select([notice], [], [])
        noticed = time.monotonic_ns()
        os.close(notice)
        try:
            answer = {"value": (waiting(GIVE_UP) - noticed) / 1e6}
        except Exception as error:
            answer = {"never": type(error).__name__}
        open(os.path.join(folder, "over"), "w").close()
        time.sleep(0.05)
        if "never" in answer and kind == "ppe":
            pool.pool.shutdown(wait=False, cancel_futures=True)
        else:
            pool.close()
    return answer


def main():
    work, kind, start, count = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
    if work == "first-result":  # a fresh program for every figure
        value, pool = first_result(kind, start)
        print(json.dumps({"value": value}), flush=True)
        pool.close()
        return

    shared = {
        "round-trip": round_trip, "round-trip-rested": round_trip_rested, "tasks": tasks, "map": map_ints, "megabyte": megabyte
    }
    pool = None
    if work in shared:
        pool = Pool(kind, start)
        pool.map(same, range(200), 1)
    print(json.dumps({"version": f"Python {platform.python_version()}"}), flush=True)
    for _ in sys.stdin:
        if pool:
            answer = {"value": shared[work](pool, count)}
        elif work == "idle-memory":
            answer = {"value": idle_memory(kind, start)}
        else:
            answer = kill(kind, start)
        print(json.dumps(answer), flush=True)
    if pool:
        pool.close()


if __name__ == "__main__":
    main()
