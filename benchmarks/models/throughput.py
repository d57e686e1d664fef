"""How many calls a second: Clio's asker, a bare loop over the same SDK, and the ideal.

    python benchmarks/models/throughput.py                        both SDKs, both settings
    python benchmarks/models/throughput.py --kura-python PATH     and kura's summarise step

The stand-in server (``python -m clio.testing.model_server``) answers in a process of its own after
a fixed latency; its share of the machine is everybody's. The bare loop is as many workers as calls
may be under way, each of which calls the official SDK over its aiohttp transport and looks at
nothing that comes back. Clio's time is that of opening, asking and closing an asker: its event
loop, limits, parsing, validation and the SQLite file are part of it. The ideal is calls × latency /
concurrency. The two alternate; ratios are medians over the repeats. The last line is one JSON
object.

kura wants an environment of its own::

    python3 -m venv kura-venv
    kura-venv/bin/pip install kura==0.5.4
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any, Literal

SETTINGS = ((0.2, 64, 3_200), (1.0, 200, 8_000))
"""Latency in seconds, calls at once, calls."""

KURA_SHARE = 8
"""kura gets one in so many calls, and its time is multiplied: it is slow at any number."""

MODEL = "stand-in"
SYSTEM = "You read a conversation and answer questions about it. " * 40
WORDS = ("please", "help", "with", "essay", "code", "recipe", "travel", "budget", "letter", "test")


@contextmanager
def server(latency: float) -> Iterator[str]:
    """The stand-in in a process of its own; its address."""
    command = [sys.executable, "-m", "clio.testing.model_server", "--latency", str(latency)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())["url"]
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def prompts(count: int, seed: int) -> list[Any]:
    """Prompts of a conversation's size, all different, with a facet call's kind of answer."""
    from pydantic import BaseModel, ConfigDict, Field

    from clio.prompting import Prompt
    from clio.prompting.closed import closed_schema, validated

    class Facets(BaseModel):
        model_config = ConfigDict(extra="forbid")

        request: str = Field(max_length=400)
        task: str = Field(max_length=400)
        topic: Literal["coding", "writing", "travel", "other"]
        concern: int = Field(ge=0, le=10**9)
        refused: bool
        sentiment: Literal["positive", "neutral", "negative"]

    schema = closed_schema(Facets)
    rng = random.Random(seed)

    def check(answer: Mapping[str, Any]) -> Facets:
        return validated(Facets, answer)

    return [
        Prompt(
            purpose="facets",
            system=SYSTEM,
            user=f"{number} " + " ".join(rng.choices(WORDS, k=150)),
            schema=schema,
            check=check,
            temperature=0.2,
            max_tokens=300,
        )
        for number in range(count)
    ]


def clio(provider: str, url: str, concurrency: int, asked: list[Any]) -> float:
    """Seconds of Clio's asker."""
    from clio.analysts.asking import open_asker
    from clio.analysts.limits import Limits
    from clio.conversation import Outcome

    with tempfile.TemporaryDirectory() as folder:
        begin = time.perf_counter()
        limits = Limits(concurrency=concurrency)
        base_url = address(provider, url)
        with open_asker(
            f"{provider}:{MODEL}", folder=Path(folder), base_url=base_url, limits=limits
        ) as asker:
            replies = asker.ask(asked)
        seconds = time.perf_counter() - begin
    answered = sum(reply.outcome is Outcome.ASSIGNED for reply in replies)
    if answered < len(asked):
        raise SystemExit(f"{len(asked) - answered} of {len(asked)} calls were not answered")
    return seconds


def bare(provider: str, url: str, concurrency: int, asked: list[Any]) -> float:
    """Seconds of the SDK alone."""
    from clio.analysts.answers import first_request
    from clio.analysts.providers.bodies import anthropic_body, openai_body

    requests = [first_request(MODEL, prompt) for prompt in asked]

    async def whole() -> float:
        if provider == "openai":
            import openai

            client: Any = openai.AsyncOpenAI(
                api_key="none",
                base_url=address(provider, url),
                http_client=openai.DefaultAioHttpClient(),
            )
            create = client.chat.completions.create
            bodies = iter([openai_body(request, MODEL) for request in requests])
        else:
            import anthropic

            client = anthropic.AsyncAnthropic(
                api_key="none",
                base_url=address(provider, url),
                http_client=anthropic.DefaultAioHttpClient(),
            )
            create = client.messages.create
            bodies = iter([untyped(anthropic_body(request, MODEL)) for request in requests])

        async def work() -> None:
            for body in bodies:
                await create(**body)

        begin = time.perf_counter()
        await asyncio.gather(*(work() for _ in range(concurrency)))
        seconds = time.perf_counter() - begin
        await client.close()
        return seconds

    return asyncio.run(whole())


def untyped(body: dict[str, Any]) -> dict[str, Any]:
    """Temperature as an extra: the newest SDK has no parameter of that name."""
    temperature = body.pop("temperature")
    return {**body, "extra_body": {"temperature": temperature}}


def kura(python: str, url: str, concurrency: int, asked: list[Any]) -> float:
    """Seconds of kura's summarise step over as many conversations."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "conversations.json"
        source.write_text(json.dumps([prompt.user for prompt in asked]), encoding="utf-8")
        command = [python, str(Path(__file__).with_name("kura_step.py")), str(source)]
        environment = {
            **os.environ,
            "OPENAI_API_KEY": "none",
            "OPENAI_BASE_URL": address("openai", url),
        }
        done = subprocess.run(
            [*command, str(concurrency)], capture_output=True, env=environment, text=True
        )
    if done.returncode:
        raise SystemExit(f"kura failed:\n{done.stderr[-2000:]}")
    return float(done.stdout.split()[-1])


def address(provider: str, url: str) -> str:
    """Where a provider's SDK posts to."""
    return f"{url}/v1" if provider == "openai" else url


def compare(provider: str, repeats: int, python: str | None, share: float) -> Iterator[dict]:
    """One entry a setting."""
    for latency, concurrency, full in SETTINGS:
        count = int(full * share)
        ideal = count * latency / concurrency
        seconds: dict[str, list[float]] = {"clio": [], "bare": [], "kura": []}
        with server(latency) as url:
            bare(provider, url, concurrency, prompts(concurrency, seed=-1))
            for repeat in range(repeats):
                asked = prompts(count, seed=repeat)
                for name, run in (("clio", clio), ("bare", bare)):
                    seconds[name].append(run(provider, url, concurrency, asked))
                if python is not None and provider == "openai" and repeat == 0:
                    few = asked[: count // KURA_SHARE]
                    seconds["kura"].append(KURA_SHARE * kura(python, url, concurrency, few))
        entry: dict[str, Any] = {
            "provider": provider,
            "latency": latency,
            "concurrency": concurrency,
            "calls": count,
            "seconds": {name: [round(s, 2) for s in taken] for name, taken in seconds.items()},
        }
        for name, taken in seconds.items():
            if taken:
                entry[f"{name}_calls_a_second"] = round(count / median(taken), 1)
                entry[f"{name}_of_ideal"] = round(ideal / median(taken), 3)
        pairs = zip(seconds["bare"], seconds["clio"], strict=True)
        entry["clio_of_bare"] = round(median(b / c for b, c in pairs), 3)
        yield entry


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--providers", nargs="+", default=["anthropic", "openai"])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--share", type=float, default=1.0, help="of the calls, for a quick look")
    parser.add_argument("--kura-python", help="of an environment that has kura")
    arguments = parser.parse_args()
    entries = []
    print(
        f"{'':28}{'calls/s: clio':>14}{'bare':>8}{'of ideal: clio':>16}{'bare':>7}{'clio/bare':>11}"
    )
    for provider in arguments.providers:
        for entry in compare(provider, arguments.repeats, arguments.kura_python, arguments.share):
            entries.append(entry)
            setting = f"{provider} {entry['latency']:g} s x {entry['concurrency']}"
            print(
                f"{setting:28}{entry['clio_calls_a_second']:14}{entry['bare_calls_a_second']:8}"
                f"{entry['clio_of_ideal']:16}{entry['bare_of_ideal']:7}{entry['clio_of_bare']:11}",
                flush=True,
            )
            if "kura_of_ideal" in entry:
                print(
                    f"{'  kura':28}{entry['kura_calls_a_second']:14} calls/s, "
                    f"{entry['kura_of_ideal']} of ideal",
                    flush=True,
                )
    print(json.dumps({"benchmark": "model throughput", "settings": entries}))


if __name__ == "__main__":
    main()
