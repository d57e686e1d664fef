"""What a run would cost in calls, tokens, money, time and disk, before any of it is spent."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from clio.analysts.prices import Model, Prices, load_prices
from clio.analysts.providers.base import Usage
from clio.analysts.providers.endpoints import is_loopback
from clio.errors import RunError
from clio.pipeline.facets import Facets, facets_of, restored
from clio.pipeline.progress import NoProgress, Progress
from clio.pipeline.run_directory import RunDirectory
from clio.pipeline.sifting import Sifter, check, condition
from clio.pipeline.stage import facet_details
from clio.pipeline.watching import Watched
from clio.settings import Settings, changed_settings
from clio.sources import expand, read

if TYPE_CHECKING:
    from clio.pipeline.expecting import Calls, Meter
    from clio.pipeline.sampling import Counts

SECONDS_A_CONVERSATION: Final = 0.0023
"""Of a run without a model, on two cores (docs/methods.md)."""

FIRST_TOKEN_SECONDS: Final = 1.0
TOKENS_A_SECOND: Final = 60.0
"""How long one answer is assumed to take: until its first token, and tokens a second from there."""

SURELY: Final = 1.1
"""A prompt's beginning counts as kept by the provider where it is so much longer than needed: the
count of its tokens is an estimate, and the discount is large."""

BYTES_A_CONVERSATION: Final = 930
BYTES_A_CHARACTER: Final = 0.65
BYTES_A_CALL: Final = 600
"""What a run keeps: vectors and tables, compressed text, answers of a model."""

_CACHE_BLOCK: Final = 128
"""OpenAI's prompt cache gives tokens in multiples of this."""


@dataclass(frozen=True)
class Money:
    """US dollars.

    Attributes
    ----------
    plain
        Every token at its full price.
    cached
        With what the provider's prompt cache takes off, where prompts have a beginning that is
        long enough to be kept.
    batch
        In the provider's batch interface.
    """

    plain: float
    cached: float
    batch: float


@dataclass(frozen=True)
class Part:
    """Calls for one kind of work.

    Attributes
    ----------
    name
        ``screen``, ``facets``, ``describe`` or ``hierarchy``.
    model
        As in ``--analyst``.
    calls, input_tokens, output_tokens
        Expected.
    cached_tokens
        Those of `input_tokens` that come from the provider's cache.
    money
        ``None`` where the model's price is unknown.
    """

    name: str
    model: str
    calls: int
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    money: Money | None


@dataclass(frozen=True)
class Estimate:
    """What a run would cost.

    Attributes
    ----------
    rows, conversations
        Rows of the input, and those of them that a run would take in; exact.
    sampled
        Distinct conversations whose prompts were made and counted.
    clusters
        Base clusters expected, over all clustered facets.
    parts
        Work that a model does, in order; none where there is no model.
    prices_as_of
        The oldest day on which a price was read; ``None`` where nobody says.
    seconds
        Of the whole run; ``None`` where answers come later, by a batch or by files.
    disk_bytes
        What the run directory holds in the end.
    assumptions
        What the figures rest on, one sentence each.
    """

    rows: int
    conversations: int
    sampled: int
    clusters: int
    parts: tuple[Part, ...]
    prices_as_of: date | None
    seconds: float | None
    disk_bytes: int
    assumptions: tuple[str, ...]

    @property
    def calls(self) -> int:
        """Calls in all."""
        return sum(part.calls for part in self.parts)

    @property
    def input_tokens(self) -> int:
        """Tokens sent."""
        return sum(part.input_tokens for part in self.parts)

    @property
    def output_tokens(self) -> int:
        """Tokens received."""
        return sum(part.output_tokens for part in self.parts)

    @property
    def money(self) -> Money | None:
        """US dollars in all; ``None`` where a price is unknown, or nothing is asked of a model."""
        known = [part.money for part in self.parts if part.money is not None]
        if len(known) < len(self.parts) or not known:
            return None
        return Money(
            sum(money.plain for money in known),
            sum(money.cached for money in known),
            sum(money.batch for money in known),
        )

    @property
    def cost(self) -> float | None:
        """US dollars as the run's models are asked; ``None`` where a price is unknown."""
        if self.money is None:
            return None
        return sum(
            part.money.batch if part.model.startswith("batch:") else part.money.cached
            for part in self.parts
            if part.money is not None
        )


def estimate(
    inputs: str | Path | Sequence[str | Path],
    *,
    settings: Settings | None = None,
    progress: Progress | None = None,
) -> Estimate:
    """What `clio.run` would cost, from one pass over the conversations; nothing is sent.

    Parameters
    ----------
    inputs
        Files, folders, patterns, ``-`` or addresses, as `clio.sources.expand` takes them.
    settings
        Of the run.
    progress
        Told of what happens.

    Raises
    ------
    ClioError
        With one line that says what to do; see `clio.errors`.
    """
    # Not with the module: what makes prompts imports the numerics, which take a second.
    from clio.pipeline.expecting import Meter, expected_leaves
    from clio.pipeline.sampling import Counts

    settings = settings or Settings()
    check(settings)
    prices = load_prices(settings.prices)
    facets = facets_of(settings)
    name = settings.model_for_facets
    meter = Meter(_model(prices, name, settings)) if name is not None else None
    counts = Counts(settings, facets, meter)
    named = [inputs] if isinstance(inputs, str | Path) else list(inputs)
    _look(named, settings, counts, progress or NoProgress())
    leaves = expected_leaves(
        max(1, counts.conversations),
        max(1, len(counts.contents)),
        base_clusters=settings.base_clusters,
        thresholds=settings.thresholds(),
    )
    work = [_Work(calls.purpose, name or "", [calls]) for calls in counts.calls()]
    writer = settings.model_for_titles
    if writer is not None and counts.conversations:
        meter = Meter(_model(prices, writer, settings))
        work += _naming(counts.conversations, leaves, facets, writer, meter, settings.language)
    parts = tuple(_part(each, prices.model(each.model)) for each in work if each.calls)
    days = [day for model in settings.models if (day := prices.model(model).as_of) is not None]
    return Estimate(
        rows=counts.rows,
        conversations=counts.conversations,
        sampled=len(counts.sample),
        clusters=leaves * len(facets.clustered),
        parts=parts,
        prices_as_of=min(days, default=None),
        seconds=_seconds(counts.conversations, work, settings),
        disk_bytes=round(
            counts.conversations * BYTES_A_CONVERSATION
            + counts.characters * BYTES_A_CHARACTER
            + sum(part.calls for part in parts) * BYTES_A_CALL
        ),
        assumptions=_assumptions(counts, parts, settings),
    )


def estimate_describing(path: str | Path, changes: Mapping[str, Any] | None = None) -> Estimate:
    """What `clio.describe` would cost, from what the run has recorded; nothing is sent.

    Parameters
    ----------
    path
        The run directory.
    changes
        As for `clio.describe`.

    Raises
    ------
    ClioError
        With one line that says what to do: the run is not finished.
    """
    from clio.pipeline.expecting import Meter, naming_calls

    directory = RunDirectory(Path(path))
    directory.load()
    state = directory.state
    if "cluster" not in state.stages:
        raise RunError(
            f"{path} is not finished; run it again first: clio run INPUT... --out {path}"
        )
    settings = changed_settings(state.settings, changes or {})
    work: list[_Work] = []
    prices, leaves = load_prices(settings.prices), 0
    writer = settings.model_for_titles
    for facet in restored(state.facets).clustered:
        texts = facet_details(directory, "texts", facet.name)["distinct_texts"]
        own = facet_details(directory, "cluster", facet.name)["leaves"] if texts else 0
        leaves += own
        if writer is not None and own:
            meter = Meter(_model(prices, writer, settings))
            calls = naming_calls(facet, texts, own, language=settings.language, meter=meter)
            work += _named(writer, calls)
    parts = tuple(_part(each, prices.model(each.model)) for each in work if each.calls)
    read = state.stages["read"]
    return Estimate(
        rows=read.rows_in,
        conversations=read.rows_out,
        sampled=0,
        clusters=leaves,
        parts=parts,
        prices_as_of=None if writer is None else prices.model(writer).as_of,
        seconds=_seconds(0, work, settings),
        disk_bytes=sum(part.calls for part in parts) * BYTES_A_CALL,
        assumptions=(),
    )


def _look(inputs: Sequence[str | Path], settings: Settings, counts: Counts, told: Progress) -> None:
    """Take up the conversations that a run would take in."""
    sifter = Sifter(condition(settings))
    watched = Watched(expand(inputs, format=settings.format), told)
    told.stage_started("estimate", watched.megabytes, "MB")
    started = time.monotonic()
    for row in read(watched, format=settings.format):
        counts.rows += 1
        sifted = sifter.sift(row)
        if sifted.outcome is None and row.conversation is not None:
            counts.add(row.conversation, sifted.content_hash or 0)
    told.stage_finished("estimate", time.monotonic() - started, skipped=False)


@dataclass(frozen=True, slots=True)
class _Work:
    """Calls of a model for one kind of work."""

    name: str
    model: str
    calls: list[Calls]


def _naming(
    conversations: int, leaves: int, facets: Facets, model: str, meter: Meter, language: str
) -> list[_Work]:
    """Descriptions and hierarchies of all clustered facets."""
    from clio.pipeline.expecting import naming_calls

    calls = [
        each
        for facet in facets.clustered
        for each in naming_calls(facet, conversations, leaves, language=language, meter=meter)
    ]
    return _named(model, calls)


def _named(model: str, calls: Sequence[Calls]) -> list[_Work]:
    return [
        _Work("describe", model, [each for each in calls if each.purpose == "describe"]),
        _Work("hierarchy", model, [each for each in calls if each.purpose != "describe"]),
    ]


def _model(prices: Prices, name: str, settings: Settings) -> Model:
    """What is known of a model; one that this machine serves is not the provider's own, whatever
    its name, so that nothing is known of a tokenizer that is not public."""
    model, address = prices.model(name), settings.address(name)
    if address is not None and is_loopback(address):
        return replace(model, tokens=1.0)
    return model


def _part(work: _Work, model: Model) -> Part:
    usage = [_usage(calls, work.model, model.cacheable) for calls in work.calls]
    plain = [Usage(one.input, one.output) for one in usage]
    money = None
    if (price := model.price) is not None:
        money = Money(
            sum(price.cost(one) for one in plain),
            sum(price.cost(one) for one in usage),
            sum(price.cost(one, batch=True) for one in plain),
        )
    return Part(
        work.name,
        work.model,
        sum(calls.number for calls in work.calls),
        sum(one.input for one in usage),
        sum(one.output for one in usage),
        sum(one.cached for one in usage),
        money,
    )


def _usage(calls: Calls, model: str, cacheable: int) -> Usage:
    """Tokens of all the calls together, as a provider would count them."""
    cached = written = 0
    if calls.prefix >= cacheable * SURELY:
        again = max(0, calls.number - calls.prefixes)
        if "anthropic:" in model:
            cached = round(again * calls.prefix)
            written = round(min(calls.number, calls.prefixes) * calls.prefix)
        else:
            cached = again * (int(calls.prefix) // _CACHE_BLOCK * _CACHE_BLOCK)
    return Usage(
        input=round(calls.number * (calls.prefix + calls.rest)),
        output=round(calls.number * calls.output),
        cached=cached,
        written=written,
    )


def _seconds(conversations: int, work: Sequence[_Work], settings: Settings) -> float | None:
    if any(each.model.startswith(("batch:", "files:")) for each in work):
        return None
    seconds = conversations * SECONDS_A_CONVERSATION
    for calls in (calls for each in work for calls in each.calls):
        answer = FIRST_TOKEN_SECONDS + calls.output / TOKENS_A_SECOND
        rounds = -(-calls.number // settings.concurrency)
        tokens = calls.number * (calls.prefix + calls.rest + calls.output)
        limits = [rounds * answer]
        if settings.requests_per_minute is not None:
            limits.append(60 * calls.number / settings.requests_per_minute)
        if settings.tokens_per_minute is not None:
            limits.append(60 * tokens / settings.tokens_per_minute)
        seconds += max(limits)
    return seconds


def _assumptions(counts: Counts, parts: Sequence[Part], settings: Settings) -> tuple[str, ...]:
    said = []
    if parts and len(counts.sample) < len(counts.contents):
        said.append(
            f"tokens are counted in the prompts of {len(counts.sample):,} of "
            f"{len(counts.contents):,} distinct conversations, and carried over by their length"
        )
    if parts:
        said.append(
            "tokens are estimated without the model's tokenizer, mostly within 5 % in all; answers "
            "are typical ones, without tokens of thinking and without second tries"
        )
        if settings.screen is not None:
            said.append("every conversation passes the screener: those that do not cost less")
    if any(part.model.startswith("batch:") for part in parts):
        said.append("a batch takes up to a day; descriptions and each level above wait for another")
    elif any(part.model.startswith("files:") for part in parts):
        said.append("time depends on who answers the files")
    elif parts:
        said.append(
            f"an answer takes {FIRST_TOKEN_SECONDS:g} s and another for every "
            f"{TOKENS_A_SECOND:g} tokens, {settings.concurrency} at once"
        )
    said.append(
        f"Clio itself takes {SECONDS_A_CONVERSATION * 1000:g} ms a conversation, on two cores"
    )
    return tuple(said)
