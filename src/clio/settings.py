"""One validated tree of settings: defaults < ``clio.toml`` < environment < options."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from clio.errors import SettingsError

ENVIRONMENT_PREFIX = "CLIO_"


class Preset(StrEnum):
    """Named sets of release thresholds (the contract's table)."""

    DEFAULT = "default"
    INDEX = "index"
    STRICT = "strict"
    PERSONAL = "personal"


class Thresholds(BaseModel):
    """What a number must be backed by before it may be released.

    Attributes
    ----------
    accounts, conversations
        At least so many distinct accounts and conversations in every cluster.
    cell_accounts, cell_conversations
        The same for a cell of a breakdown, a trend or the map.
    top1_share, top2_share
        The largest account, and the two largest together, make up at most this share of a cluster
        (dominance). 1.0 switches the rule off.
    p_percent
        p % rule: with the largest account's count ``x1``, the rest without the two largest must
        be at least ``p_percent / 100 * x1``. 0 switches the rule off.
    round_to
        Released conversation counts are multiples of this.
    account_cap
        At most so many conversations an account are counted; the rest end as ``capped``.
    word_accounts, sensitive_word_accounts, window_accounts
        A content word of a title or summary was used by at least so many accounts of the cluster;
        a word of the sensitive lexicon by more; five words in a row by so many accounts.
    publishable
        Whether a release under these thresholds may be shown to others.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    accounts: int = 25
    conversations: int = 50
    cell_accounts: int = 10
    cell_conversations: int = 15
    top1_share: float = 0.20
    top2_share: float = 0.35
    p_percent: float = 15.0
    round_to: int = 1
    account_cap: int | None = None
    word_accounts: int = 10
    sensitive_word_accounts: int = 25
    window_accounts: int = 25
    publishable: bool = True


PRESETS: Mapping[Preset, Thresholds] = {
    Preset.DEFAULT: Thresholds(),
    Preset.INDEX: Thresholds(
        accounts=250, conversations=500, cell_accounts=5, cell_conversations=15
    ),
    Preset.STRICT: Thresholds(
        accounts=100,
        conversations=200,
        cell_accounts=25,
        cell_conversations=50,
        round_to=5,
        account_cap=20,
    ),
    Preset.PERSONAL: Thresholds(
        accounts=1,
        conversations=3,
        cell_accounts=1,
        cell_conversations=1,
        top1_share=1.0,
        top2_share=1.0,
        p_percent=0.0,
        word_accounts=1,
        sensitive_word_accounts=1,
        window_accounts=1,
        publishable=False,
    ),
}

MIN_CLUSTER_ACCOUNTS = 10
"""No setting but the ``personal`` preset releases a cluster of fewer accounts."""


OFFLINE = "extractive"
"""The analyst and the writer that need no model."""

KEYWORDS = "keywords"
"""The writer that sees keywords alone."""

WITH_ADDRESS = (("openai:", "batch:openai:"), ("anthropic:", "batch:anthropic:"))
"""Models that may be served from another address, by protocol. One address speaks one protocol:
where models of both are asked, it is that of the first."""

MOST_CALLS_AT_ONCE = 1_000
"""As many connections as the providers' SDKs hold."""

Writer = Literal["extractive", "model", "keywords"]


class Settings(BaseModel):
    """Everything that can change the result of a run.

    Attributes
    ----------
    where
        Narrows the conversations taken in; its language is that of `clio.sources.where`.
    format
        Names the row format of the input, where looking at the rows would not tell.
    analyst
        Who answers facets: ``extractive``, or a model as ``PROVIDER:MODEL`` or ``files:DIR``.
    facet_model, describe_model
        Models for facets, and for titles and hierarchy, where they are not the analyst.
    describe
        Who writes titles and builds the hierarchy; without it the model where there is one.
        ``keywords`` writes from keywords that enough accounts of a cluster used and from nothing
        else; a model does so only where `describe_model` names it.
    base_url
        Address of a server that speaks OpenAI's or Anthropic's protocol; see `address`.
    facets
        TOML file of the user's own facets; see `clio.facets.own_facets`.
    policy
        TOML file of the rules of a usage policy; see `clio.safety.policy`.
    screen
        A question with yes or no; conversations with no are skipped.
    language
        English name of the language that a model answers and writes in.
    max_cost, max_calls
        US dollars and calls that a run may use of models, over all of its starts.
    concurrency, requests_per_minute, tokens_per_minute
        Limits towards a provider.
    prices
        TOML file of prices, for models that Clio's own table does not know; see
        `clio.analysts.prices`.
    conversation_tokens
        So much of a conversation is shown to a model.
    public_data
        The conversations are public anyway, so that a person may read them beside their clusters
        (``clio serve --traces``). Nothing of a release changes.
    shard_rows
        How many rows a shard holds at most; vectors of a shard are computed together.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = Field(default=0, ge=0, le=2**32 - 1)
    where: str | None = None
    format: str | None = None
    analyst: str = OFFLINE
    facet_model: str | None = None
    embedder: Literal["auto", "minilm", "multilingual", "static"] = "auto"
    base_clusters: int | None = Field(default=None, ge=1, le=10_000)
    describe: Writer | None = None
    describe_model: str | None = None
    base_url: str | None = None
    facets: Path | None = None
    policy: Path | None = None
    screen: str | None = Field(default=None, min_length=1, max_length=1000)
    language: str = Field(default="English", min_length=1, max_length=40)
    max_cost: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    max_calls: int | None = Field(default=None, ge=1)
    concurrency: int = Field(default=64, ge=1)
    requests_per_minute: int | None = Field(default=None, ge=1)
    tokens_per_minute: int | None = Field(default=None, ge=1)
    prices: Path | None = None
    conversation_tokens: int = Field(default=8000, ge=200, le=1_000_000)
    privacy: Preset = Preset.DEFAULT
    min_accounts: int | None = Field(default=None, ge=1)
    min_conversations: int | None = Field(default=None, ge=1)
    round: int | None = Field(default=None, ge=1, le=1000)
    breakdown: tuple[str, ...] = ()
    public_data: bool = False
    max_failed_share: float = Field(default=0.1, ge=0.0, le=1.0)
    shard_rows: int = Field(default=4096, ge=1)

    @field_validator("facets", "policy", "prices")
    @classmethod
    def _absolute(cls, path: Path | None) -> Path | None:
        """A run may be taken up from another folder."""
        return None if path is None else path.expanduser().absolute()

    @property
    def model_for_facets(self) -> str | None:
        """The model that answers facets; ``None`` where none does."""
        return None if self.analyst == OFFLINE else self.facet_model or self.analyst

    @property
    def model_for_titles(self) -> str | None:
        """The model that writes titles and builds the hierarchy; ``None`` where none does."""
        if self.describe == OFFLINE:
            return None
        if self.describe == KEYWORDS:
            return self.describe_model
        return self.describe_model or (None if self.analyst == OFFLINE else self.analyst)

    @property
    def models(self) -> tuple[str, ...]:
        """All models that the run asks, each once."""
        named = (self.model_for_facets, self.model_for_titles)
        return tuple(dict.fromkeys(name for name in named if name is not None))

    def address(self, model: str) -> str | None:
        """Where a model is served, if not at its provider's own address.

        Parameters
        ----------
        model
            One of `models`.
        """
        served = (names for names in WITH_ADDRESS if any(m.startswith(names) for m in self.models))
        return self.base_url if model.startswith(next(served, ())) else None

    def check(self) -> None:
        """See that the settings fit together.

        Raises
        ------
        SettingsError
            They do not.
        """
        self.thresholds()
        for option, name in (
            ("--analyst", None if self.analyst == OFFLINE else self.analyst),
            ("--facet-model", self.facet_model),
            ("--describe-model", self.describe_model),
        ):
            if name is not None and not all(name.partition(":")):
                raise SettingsError(
                    f"{option} names no model: write anthropic:MODEL, openai:MODEL, "
                    "batch:anthropic:MODEL, batch:openai:MODEL or files:DIR"
                    + (", or extractive" if option == "--analyst" else "")
                )
        if self.analyst == OFFLINE:
            for option, value in (
                ("--facet-model", self.facet_model),
                ("--facets", self.facets),
                ("--screen", self.screen),
            ):
                if value is not None:
                    raise SettingsError(f"{option} needs a model: name one with --analyst")
            if self.policy is not None:
                raise SettingsError(
                    "--policy needs a model: name one with --analyst, or hold a finished run "
                    "against it with clio flags RUN --policy FILE"
                )
        if self.describe == "model" and self.model_for_titles is None:
            raise SettingsError(
                "--describe model needs a model: name one with --describe-model or --analyst"
            )
        if self.describe == OFFLINE and self.describe_model is not None:
            raise SettingsError("--describe-model and --describe extractive contradict each other")
        if self.base_url is not None and not any(map(self.address, self.models)):
            raise SettingsError(
                "--base-url needs a model that is named openai:MODEL or anthropic:MODEL"
            )
        if self.concurrency > MOST_CALLS_AT_ONCE:
            raise SettingsError(
                f"--concurrency {self.concurrency} is more calls at once than the providers' SDKs "
                f"make; at most {MOST_CALLS_AT_ONCE:,}"
            )
        for option, limit in (("--max-cost", self.max_cost), ("--max-calls", self.max_calls)):
            if limit is not None and not self.models:
                raise SettingsError(f"{option} needs a model: name one with --analyst")

    def thresholds(self) -> Thresholds:
        """Thresholds of the preset with this run's overrides.

        Raises
        ------
        SettingsError
            `min_accounts` lies under the floor that holds for all presets but ``personal``.
        """
        base = PRESETS[self.privacy]
        changes: dict[str, int] = {}
        if self.min_accounts is not None:
            if base.publishable and self.min_accounts < MIN_CLUSTER_ACCOUNTS:
                raise SettingsError(
                    f"--min-accounts {self.min_accounts} is under the floor of "
                    f"{MIN_CLUSTER_ACCOUNTS}; for your own conversations use --privacy personal"
                )
            changes["accounts"] = self.min_accounts
            changes["cell_accounts"] = min(base.cell_accounts, self.min_accounts)
        if self.min_conversations is not None:
            changes["conversations"] = self.min_conversations
            changes["cell_conversations"] = min(base.cell_conversations, self.min_conversations)
        if self.round is not None:
            changes["round_to"] = self.round
        return base.model_copy(update=changes)


def load_settings(
    options: Mapping[str, Any] | None = None,
    *,
    config: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Settings:
    """Settings from a file, the environment and options, the later winning.

    Parameters
    ----------
    options
        Settings given on the command line or in a call; ``None`` values count as not given.
    config
        A TOML file of settings by name. Without it, ``clio.toml`` in the working directory is
        read where it exists.
    environment
        Variables named ``CLIO_<SETTING>``; the process's own by default.

    Raises
    ------
    SettingsError
        The file cannot be read, or a setting is unknown or out of bounds.
    """
    return settings_from(given_settings(options, config=config, environment=environment))


def given_settings(
    options: Mapping[str, Any] | None = None,
    *,
    config: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Values by name as they are given in a file, the environment and options, unchecked.

    Parameters
    ----------
    options, config, environment
        As for `load_settings`.

    Raises
    ------
    SettingsError
        The file cannot be read.
    """
    merged: dict[str, Any] = {}
    path = config if config is not None else Path("clio.toml")
    if config is not None or path.is_file():
        try:
            merged.update(tomllib.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, RecursionError) as error:
            # Beside what it says of syntax, `tomllib` lets endless numbers and nesting through.
            raise SettingsError(f"cannot read settings from {path}: {error}") from None
    variables = os.environ if environment is None else environment
    for name in Settings.model_fields:
        value = variables.get(ENVIRONMENT_PREFIX + name.upper())
        if value is not None:
            merged[name] = value.split(",") if name == "breakdown" else value
    merged.update({k: v for k, v in (options or {}).items() if v is not None})
    return merged


def settings_from(values: Mapping[str, Any]) -> Settings:
    """Settings from their values by name.

    Raises
    ------
    SettingsError
        A setting is unknown or out of bounds, or they contradict each other.
    """
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = ".".join(str(part) for part in first["loc"])
        raise SettingsError(f"setting '{name}': {first['msg']}") from None
    for name, value in settings:
        texts = value if isinstance(value, tuple) else (value,)
        if not all(_is_unicode(text) for text in texts):
            raise SettingsError(f"setting '{name}' is not valid UTF-8")
    settings.check()
    return settings


def named_tables(path: Path, kind: str, *, unreadable: str) -> dict[str, Any]:
    """Tables ``[kind.NAME]`` of a TOML file that holds nothing else, by name.

    Raises
    ------
    SettingsError
        The file cannot be read, which `unreadable` says, is no TOML, or holds anything else.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError:
        raise SettingsError(f"{path}: {unreadable}") from None
    except (ValueError, RecursionError):
        raise SettingsError(f"{path}: no valid TOML") from None
    tables = content.get(kind)
    if set(content) != {kind} or not isinstance(tables, dict) or not tables:
        raise SettingsError(f"{path}: expected tables [{kind}.NAME] and nothing beside them")
    return tables


def changed_settings(settings: Mapping[str, Any], changes: Mapping[str, Any]) -> Settings:
    """Settings of a run with some of them changed; a model that is named writes.

    Raises
    ------
    SettingsError
        As `settings_from`.
    """
    merged = {**settings, **{k: v for k, v in changes.items() if v is not None}}
    if changes.get("describe") == OFFLINE:
        merged["describe_model"] = None
    elif changes.get("describe") == KEYWORDS:
        merged["describe_model"] = changes.get("describe_model")
    elif changes.get("describe_model") is not None:
        merged["describe"] = "model"
    return settings_from(merged)


def _is_unicode(value: Any) -> bool:
    """Whether a text can be written; the environment holds bytes, which may be none."""
    if isinstance(value, Path):
        value = str(value)
    return not isinstance(value, str) or value == value.encode("utf-8", "replace").decode("utf-8")
