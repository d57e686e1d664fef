"""The language models of a run: opened when first asked, sharing answers and budget."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from pathlib import Path
from typing import Any

from clio.analysts.asking import ModelAsker, kept_ledger, open_asker, spent_before
from clio.analysts.budget import Budget
from clio.analysts.deferred import DeferredAsker
from clio.analysts.limits import Limits
from clio.analysts.prices import Model, load_prices
from clio.errors import ClioError, SettingsError
from clio.pipeline import files
from clio.privacy.pseudonyms import make_key
from clio.prompting import Asker, Prompt, Reply
from clio.settings import Settings

GUARD_FILE = "guard"
"""In the private folder: the key that the codes in prompts are made from."""


class Models:
    """Askers of a run's models. Safe to use from several threads.

    Parameters
    ----------
    settings
        Of the run.
    folder
        The private folder of the run: answers, counts and the key of the codes are kept there.
    sending
        Told where texts go, before the first one leaves; what it raises ends the run.
    waiting
        Told, while a batch is awaited, how many of its requests are done and how many there are.
    """

    def __init__(
        self,
        settings: Settings,
        folder: Path,
        sending: Callable[[str], None] | None = None,
        waiting: Callable[[int, int], None] | None = None,
    ) -> None:
        self._settings = settings
        self._folder = folder
        self._sending = sending
        self._waiting = waiting
        self._told: set[str] = set()
        self._refused: ClioError | None = None
        self._opened: dict[str, ModelAsker] = {}
        self._lock = threading.Lock()
        self._budget: Budget | None = None

    def asker(self, name: str) -> Asker:
        """Who asks the model of that name; nothing is opened before the first question."""
        return _Late(lambda: self.open(name))

    def key(self) -> bytes:
        """The key that the codes in prompts are made from; made once a run.

        With another key the prompts would be others, and every answer would be asked for again.
        """
        path = self._folder / GUARD_FILE
        if not path.is_file():
            files.write_bytes(path, make_key())
        return path.read_bytes()

    def account(self) -> dict[str, Any]:
        """What was asked of each model and what it cost, over all starts of the run."""
        found = {}
        for name in self._settings.models:
            opened = self._opened.get(name)
            if opened is not None:
                found[name] = opened.ledger.as_dict()
            elif ledger := kept_ledger(self._folder, name, self._known(name).price):
                found[name] = ledger.as_dict()
        return found

    def outstanding(self) -> list[str]:
        """Where texts lie at a provider or in a folder outside the run, one line each."""
        return [
            line
            for opened in self._opened.values()
            for line in getattr(opened, "outstanding", list)()
        ]

    def close(self) -> None:
        """Let what is under way finish, keep it, and let go of all."""
        for opened in self._opened.values():
            opened.close()

    def _known(self, name: str) -> Model:
        return load_prices(self._settings.prices).model(name)

    def prepare(self, name: str) -> None:
        """Open the asker of a model, so that what it lacks is said early; nothing is sent.

        Raises
        ------
        ClioError
            As `clio.analysts.asking.open_asker`: no key, no SDK, no price for a limit on cost.
        """
        with self._lock:
            self._open(name)

    def open(self, name: str) -> ModelAsker:
        """The asker of a model; before it is first asked it is told where it sends texts to.

        Raises
        ------
        ClioError
            As `prepare`, or what `sending` raises, however many ask.
        """
        with self._lock:
            asker = self._open(name)
            if self._refused is not None:
                raise copy(self._refused)
            if self._sending is not None and asker.host not in self._told:
                try:
                    self._sending(asker.host)
                except ClioError as error:
                    self._refused = error
                    raise
                self._told.add(asker.host)
            return asker

    def _open(self, name: str) -> ModelAsker:
        settings = self._settings
        if name not in self._opened:
            self._opened[name] = asker = open_asker(
                name,
                folder=self._folder,
                base_url=settings.address(name),
                limits=Limits(
                    concurrency=settings.concurrency,
                    requests_per_minute=settings.requests_per_minute,
                    tokens_per_minute=settings.tokens_per_minute,
                ),
                budget=self._shared_budget(),
                known=self._known(name),
            )
            if isinstance(asker, DeferredAsker) and name.startswith("batch:"):
                asker.on_wait = self._waiting
        return self._opened[name]

    def _shared_budget(self) -> Budget | None:
        """One for all models, less what earlier starts of the run have used."""
        settings = self._settings
        if settings.max_cost is None and settings.max_calls is None:
            return None
        if self._budget is None:
            prices = {name: self._known(name).price for name in settings.models}
            unknown = [name for name, price in prices.items() if price is None]
            if settings.max_cost is not None and unknown:
                raise SettingsError(
                    f"--max-cost cannot be kept: the price of {unknown[0]} is unknown; give it "
                    "with --prices, or limit the run by --max-calls"
                )
            before = [spent_before(self._folder, name, price) for name, price in prices.items()]
            self._budget = Budget(
                settings.max_cost,
                settings.max_calls,
                prices[settings.models[0]],
                spent=sum(spent for spent, _ in before),
                calls=sum(calls for _, calls in before),
            )
        return self._budget


def totals(account: Mapping[str, Any]) -> tuple[int, int, float]:
    """Calls, tokens sent and received, and US dollars, over all models."""
    calls = sum(model["calls"] for model in account.values())
    tokens = sum(model["tokens"]["input"] + model["tokens"]["output"] for model in account.values())
    return calls, tokens, sum(model["cost"] or 0.0 for model in account.values())


class _Late:
    """An asker that is opened with the first question."""

    def __init__(self, opening: Callable[[], Asker]) -> None:
        self._opening = opening

    def ask(self, prompts: Sequence[Prompt]) -> list[Reply]:
        return self._opening().ask(prompts) if prompts else []

    def wait(self) -> None:
        self._opening().wait()
