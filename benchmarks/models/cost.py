"""What 100,000 conversations of the paper's size cost, at three price points, as Markdown tables.

    python benchmarks/models/cost.py [--conversations 100000] [--tokens 1000] [--leaves 1000]

Prompts are those of a run, tokens are estimated with the tokenizer of the model's provider, and
prices are those of the dated table. Nothing is read and nothing is sent.
"""

from __future__ import annotations

import argparse

from clio.analysts.model import ModelAnalyst
from clio.analysts.prices import Model, Price, load_prices
from clio.analysts.providers.base import Usage
from clio.conversation import Conversation, Message, Role
from clio.facets import standard_facets
from clio.pipeline.expecting import Calls, Meter, facet_answer, naming_calls
from clio.testing.scripted import ScriptedAsker

MODELS = ("openai:gpt-6-luna", "anthropic:claude-haiku-4-5", "anthropic:claude-sonnet-4-6")
"""A cheap one, one in the middle, and a dear one, all of the table."""

BESIDE, ANSWER = 900, 220
"""Tokens that a facet call may have at most beside the conversation, and in its answer."""

WORD = "water "


def facet_calls(conversations: int, tokens: int, meter: Meter) -> Calls:
    """Facet calls as they are: the prompt's tokens beside the conversation and a typical answer."""
    facets = standard_facets()
    analyst = ModelAnalyst(
        ScriptedAsker(lambda _: None), facets, key=bytes(32), identifiers=lambda _: False
    )
    talk = Conversation("c", None, None, (Message(Role.USER, WORD),), {})
    prompt = analyst.prompts([talk])[0]
    marks = meter.text(prompt.user) - meter.text(WORD)
    return Calls(
        "facets",
        conversations,
        meter.prefix(prompt),
        marks + tokens,
        meter.json(facet_answer(facets)),
    )


def money(calls: list[Calls], price: Price, *, cached: bool = False, batch: bool = False) -> float:
    """US dollars; with `cached`, prompts' beginnings come from the provider's cache."""
    total = 0.0
    for each in calls:
        usage = Usage(
            input=round(each.number * (each.prefix + each.rest)),
            output=round(each.number * each.output),
            cached=round((each.number - 1) * each.prefix) if cached else 0,
            written=round(each.prefix) if cached else 0,
        )
        total += price.cost(usage, batch=batch)
    return total


def main() -> None:
    """One table of tokens, one of money."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--conversations", type=int, default=100_000)
    parser.add_argument("--tokens", type=int, default=1_000)
    parser.add_argument("--leaves", type=int, default=1_000)
    given = parser.parse_args()
    prices = load_prices()
    shown = []
    for name in MODELS:
        model = prices.model(name)
        if model.price is None:
            raise SystemExit(f"no price of {name}")
        meter = Meter(model)
        facets = facet_calls(given.conversations, given.tokens, meter)
        naming = naming_calls(
            standard_facets()[0], given.conversations, given.leaves, language="English", meter=meter
        )
        shown.append((name, model, model.price, facets, naming))
    print_tokens(shown, given.tokens)
    print()
    print_money(shown, given.conversations, given.tokens)


Shown = tuple[str, Model, Price, Calls, list[Calls]]


def print_tokens(shown: list[Shown], tokens: int) -> None:
    """Calls and tokens of each, by the model's tokenizer."""
    print("| model | work | calls | beside the texts shown | sent a call | received a call |")
    print("| --- | --- | ---: | ---: | ---: | ---: |")
    for name, _, _, facets, naming in shown:
        beside = facets.prefix + facets.rest - tokens
        rows = [("facets", [facets], f"{beside:.0f}")]
        for work, wanted in (("describe", True), ("hierarchy", False)):
            some = [each for each in naming if (each.purpose == "describe") == wanted]
            rows.append((work, some, f"{some[0].prefix:.0f} and up"))
        for work, calls, fixed in rows:
            number = sum(each.number for each in calls)
            sent = sum(each.number * (each.prefix + each.rest) for each in calls) / number
            received = sum(each.number * each.output for each in calls) / number
            print(f"| {name} | {work} | {number:,} | {fixed} | {sent:,.0f} | {received:,.0f} |")


def print_money(shown: list[Shown], conversations: int, tokens: int) -> None:
    """US dollars, discounts apart."""
    print("| | " + " | ".join(name for name, *_ in shown) + " |")
    print("| --- |" + " ---: |" * len(shown))
    rows: dict[str, list[str]] = {}
    for _, _, price, facets, naming in shown:
        both = [facets, *naming]
        bound = Calls("facets", conversations, BESIDE, tokens, ANSWER)
        cells = {
            "price, sent / received a million": f"${price.input:g} / ${price.output:g}",
            "facets": _dollars(money([facets], price)),
            "titles, summaries, hierarchy": _dollars(money(naming, price)),
            "**in all**": f"**{_dollars(money(both, price))}**",
            "in all, beginnings from the prompt cache": _dollars(money(both, price, cached=True)),
            "**in all, as a batch**": f"**{_dollars(money(both, price, batch=True))}**",
            "a batch, beginnings from the cache too": _dollars(
                money(both, price, cached=True, batch=True)
            ),
            f"in all, with {BESIDE} tokens beside and {ANSWER} in each answer": _dollars(
                money([bound, *naming], price)
            ),
            "a conversation": f"${money(both, price) / conversations:.6f}",
        }
        for label, cell in cells.items():
            rows.setdefault(label, []).append(cell)
    for label, row in rows.items():
        print(f"| {label} | " + " | ".join(row) + " |")


def _dollars(value: float) -> str:
    return f"${value:,.2f}"


if __name__ == "__main__":
    main()
