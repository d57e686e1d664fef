"""Run Clio on generated conversations and look at the release from Python.

Usage: python examples/explore.py [DIRECTORY]
"""

import sys
from pathlib import Path

import clio
from clio.testing import write_jsonl


def main(folder: Path) -> None:
    source = folder / "conversations.jsonl"
    folder.mkdir(parents=True, exist_ok=True)
    write_jsonl(source, 3_000, seed=1)

    result = clio.run(source, out=folder / "RUN", settings=clio.Settings(breakdown=("product",)))
    print("rows by outcome:", result.outcomes)

    release = result.release()
    for cluster in sorted(release.children(), key=lambda c: -c.conversations):
        low, high = cluster.share_low, cluster.share_high
        print(f"{cluster.share:6.1%}  ({low:.1%}-{high:.1%})  {cluster.title}")

    largest = max(release.children(), key=lambda c: c.conversations)
    print(f"\n{largest.title}: {largest.summary}")
    for row in release.rows("breakdowns", largest.cluster_id):
        if row["dimension"] == "product":
            print(f"  {row['value']:<8} {row['share']:.0%}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "clio-example"))
