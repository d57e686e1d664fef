"""The attack by subtraction on real data: does any release give a hidden cell away?

Every data set is run under every rule that gives its conversations to accounts, and gated under
every setting of the thresholds. The attacker (`tests/attacks/attacker.py`) shares no code with
Clio: it reads the release, sets up what adds up, and bounds what is not printed.

    python benchmarks/privacy/attack.py --data wildchat --accounts tail --settings default few
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import clio
from clio.errors import TooSmallError

sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "attacks"))
from attacker import Released, attack

DATA = {
    "clinc": "clinc150.jsonl.gz",
    "harmless": "hh_harmless.jsonl.gz",
    "wildchat": "wildchat_agency_a.jsonl.gz",
    "pii": "pii_a.jsonl.gz",
}
"""Files of the folder of shared data."""


def own(row: int, _rng: random.Random) -> str:
    """Each conversation has an account of its own."""
    return f"own-{row}"


def tail(_row: int, rng: random.Random) -> str:
    """A few accounts have many conversations, many have one or two: a Pareto tail of 1.2."""
    return f"tail-{int(3 * rng.paretovariate(1.2)) % 6000}-{rng.randrange(300)}"


def blocks(row: int, rng: random.Random) -> str:
    """Rows share their accounts with neighbours and with far ones, a few conversations each."""
    return f"block-{row // rng.choice((1, 1, 3, 9))}-{row % 2}"


ACCOUNTS: dict[str, Callable[[int, random.Random], str]] = {
    "own": own,
    "tail": tail,
    "blocks": blocks,
}

SETTINGS: dict[str, dict[str, object]] = {
    "default": {},
    "few": {"min_accounts": 10, "min_conversations": 20},
    "many": {"min_accounts": 50, "min_conversations": 100},
    "index": {"privacy": "index", "min_accounts": 50, "min_conversations": 100},
    "strict": {"privacy": "strict", "min_accounts": 40, "min_conversations": 80, "round": 1},
}
"""What changes of the settings; the presets are made for larger corpora than these."""


def write_input(source: Path, to: Path, rule: Callable[[int, random.Random], str]) -> None:
    rng = random.Random(7)
    with gzip.open(source, "rt", encoding="utf-8") as lines, to.open("w") as file:
        for number, line in enumerate(lines):
            row = json.loads(line)
            row["user_id"] = rule(number, rng)
            # Labels are the texts' own truth, and make wide tables with many small cells.
            file.write(json.dumps(row) + "\n")


def coverage(run: Path) -> str:
    """Share of conversations in a named row, by level from the leaves up."""
    released = Released(run)
    clusters = released.clusters
    whole = clusters.loc["__root__", "conversations"]
    levels = sorted(set(clusters["level"]) - {-1})
    return " ".join(
        f"{clusters.loc[clusters['level'] == level, 'conversations'].sum() / whole:.3f}"
        for level in levels
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("folder", type=Path, help="where the shared data lie")
    parser.add_argument("--data", nargs="*", default=list(DATA), choices=DATA)
    parser.add_argument("--accounts", nargs="*", default=list(ACCOUNTS), choices=ACCOUNTS)
    parser.add_argument("--settings", nargs="*", default=list(SETTINGS), choices=SETTINGS)
    options = parser.parse_args()
    labels = {"clinc": ("domain",), "wildchat": ("category",)}
    hits = 0
    for data in options.data:
        source = options.folder / DATA[data]
        if not source.exists():
            print(f"{data}: not there")
            continue
        for accounts in options.accounts:
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder)
                write_input(source, path / "input.jsonl", ACCOUNTS[accounts])
                for name in options.settings:
                    hits += attempt(path, f"{data} {accounts} {name}", labels.get(data, ()), name)
    return 1 if hits else 0


def attempt(path: Path, title: str, labels: tuple[str, ...], name: str) -> int:
    settings = clio.Settings(breakdown=labels, **SETTINGS[name])
    started = time.process_time()
    try:
        # One run a rule: with other thresholds only the last stages are done again.
        clio.run(path / "input.jsonl", out=path / "run", settings=settings)
    except TooSmallError:
        print(f"{title}: nothing is released", flush=True)
        return 0
    ran = time.process_time() - started
    found = attack(path / "run")
    print(
        f"{title}: shown {found.shown}, hidden {found.hidden}, hits {found.hits} (small ones "
        f"shown {found.small_shown}, found out {found.found_out}, bounded {found.bounded}), "
        f"coverage {coverage(path / 'run')}; CPU {ran:.0f} s and "
        f"{time.process_time() - started - ran:.0f} s for {found.programmes} programmes",
        flush=True,
    )
    return found.hits


if __name__ == "__main__":
    raise SystemExit(main())
