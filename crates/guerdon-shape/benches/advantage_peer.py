"""Group-relative advantages in numpy: how a trainer's vectorised code, and its dictionary of groups, do the same work.

    python advantage_peer.py ROLLOUTS GROUP ATTEMPTS

Prints one JSON line per figure.
"""

import json
import sys
import time
from collections import defaultdict

import numpy as np

rollouts, group, attempts = (int(a) for a in sys.argv[1:4])
rng = np.random.default_rng(0)
rewards = rng.random(rollouts)
index = np.repeat(np.arange(rollouts // group), group)
rewards = rewards[: len(index)]


def reshaped():
    """Groups of equal size, end to end: one reshape."""
    table = rewards.reshape(-1, group)
    return ((table - table.mean(1, keepdims=True)) / (table.std(1, ddof=1, keepdims=True) + 1e-6)).ravel()


def by_index():
    """Groups named by an index per row, vectorised by counting."""
    count = np.bincount(index)
    mean = np.bincount(index, rewards) / count
    centred = rewards - mean[index]
    std = np.sqrt(np.bincount(index, centred * centred) / np.maximum(count - 1, 1))
    return centred / (std[index] + 1e-6)


def by_dictionary():
    """Groups gathered in a dictionary of lists, a loop over rows."""
    groups = defaultdict(list)
    for name, reward in zip(index, rewards):
        groups[name].append(reward)
    moments = {name: (np.mean(own), np.std(own, ddof=1)) for name, own in groups.items()}
    return np.array([(r - moments[n][0]) / (moments[n][1] + 1e-6) for n, r in zip(index, rewards)])


for work in (reshaped, by_index, by_dictionary):
    for attempt in range(attempts if work is not by_dictionary else 1):
        start = time.perf_counter()
        work()
        seconds = time.perf_counter() - start
        line = {"peer": "numpy", "work": f"grpo {work.__name__}", "n": len(rewards), "attempt": attempt}
        print(json.dumps(line | {"seconds": seconds}), flush=True)
