"""How often the facets that are answered by rules are right, and how often they are answered.

    python benchmarks/quality/offline_facets.py CLINC150 [HH_HARMLESS] [--rows 10000] [--seed 0]

Truth: the planted topics of generated English conversations (the rules were written with an eye on
them), and the intents of CLINC150. A `task` is right where the intent accepts it; intents that
accept any task are left out. A `topic` is right where it is one that the domain may have. A
`concern` of 1 is right on a regular topic, one of 4 or 5 on a concerning one; a share of 3 % is
natural, one of 50 % shows what rules miss. Of the file of adversarial requests only the answers'
shares are told: it has no labels. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from clio.analysts.extractive import ExtractiveAnalyst
from clio.conversation import Conversation
from clio.sources import expand, read
from clio.testing import generate

_INTENTS = """
translate: translate
calculate, inform, how-to: calculator measurement_conversion exchange_rate
recommend, inform: restaurant_suggestion travel_suggestion meal_suggestion
how-to, inform: oil_change_how jump_start direct_deposit improve_credit_score spelling
carry out: alarm timer reminder_update calendar_update transfer pay_bill order_checks order cancel
carry out: book_hotel book_flight car_rental uber play_music next_song smart_home text make_call
carry out: share_location sync_device change_volume change_language change_speed change_accent
carry out: roll_dice flip_coin report_fraud freeze_account shopping_list_update todo_list_update
carry out: cancel_reservation accept_reservations restaurant_reservation reset_settings
inform: weather time date timezone balance bill_balance bill_due apr interest_rate credit_limit
inform: credit_score definition fun_fact distance traffic gas mpg flight_status calories
inform: nutrition_info international_visa plug_type vaccines payday income pto_balance next_holiday
inform: current_location meeting_schedule transactions spending_history min_payment rewards_balance
inform: routing ingredients_list what_is_your_name how_old_are_you where_are_you_from are_you_a_bot
"""
TASKS_BY_INTENT = {
    intent: set(tasks.split(", "))
    for tasks, intents in (line.split(": ") for line in _INTENTS.strip().splitlines())
    for intent in intents.split()
}

TOPICS_BY_DOMAIN = {
    "Software development": {"Software development", "Data and spreadsheets"},
    "Data and spreadsheets": {"Data and spreadsheets", "Software development"},
    "Games, stories and role-play": {"Stories and games", "Music and film"},
    "Learning and homework": {
        "Mathematics and science",
        "School and university",
        "History and religion",
    },
    "Home, garden and pets": {
        *("Home and garden", "Pets and animals", "Shopping and products"),
        "Software development",
    },
    "Career and job search": {"Work and career"},
    "Writing and editing": {
        *("School and university", "Languages and translation", "Relationships and family"),
        *("Stories and games", "Work and career", "Business and marketing"),
    },
    "Health and wellbeing": {"Health and wellbeing", "Sports and fitness", "Cooking and food"},
    "Travel": {"Travel", "Cars and traffic"},
    "Business and marketing": {"Business and marketing"},
    "Relationships and everyday advice": {"Relationships and family", "Shopping and products"},
    "Cooking and food": {"Cooking and food"},
    "Money, law and paperwork": {
        *("Money and banking", "Law and official matters", "Cars and traffic"),
    },
    "Languages and translation": {"Languages and translation"},
    "Sports and hobbies": {"Sports and fitness", "Stories and games"},
    "Art, music and design": {"Art and design", "Music and film"},
    "News, politics and society": {"News, politics and society", "Law and official matters"},
    "Academic research": {"School and university", "Data and spreadsheets"},
    "Shopping and consumer advice": {
        *("Shopping and products", "Cars and traffic", "Money and banking"),
    },
    "Image prompts and media creation": {"Art and design", "Music and film", "Stories and games"},
    "banking": {"Money and banking"},
    "credit_cards": {"Money and banking"},
    "kitchen_and_dining": {"Cooking and food"},
    "auto_and_commute": {"Cars and traffic", "Travel"},
    "travel": {"Travel", "Languages and translation", "Weather and time"},
    "work": {"Work and career", "Money and banking", "Travel"},
    "home": {
        *("Home and garden", "Music and film", "Shopping and products", "Weather and time"),
    },
    "utility": {"Weather and time", "Mathematics and science"},
    "small_talk": {"Pets and animals", "Stories and games"},
    "meta": set(),
}

Row = tuple[dict[str, Any], dict[str, Any]]


def answers(conversations: Iterable[Conversation]) -> Iterator[Row]:
    """Labels and answers of every conversation that asks for something."""
    analyst = ExtractiveAnalyst()
    for conversation in conversations:
        (answer,) = analyst.answer([conversation])
        if answer.values:
            yield dict(conversation.labels), dict(answer.values)


def rate(judged: list[bool], rows: int) -> dict[str, float | int | None]:
    """Precision of the answers and their share of the rows."""
    return {
        "rows": rows,
        "answered": len(judged),
        "coverage": round(len(judged) / max(rows, 1), 3),
        "precision": round(sum(judged) / len(judged), 3) if judged else None,
    }


def by_labels(rows: list[Row]) -> dict[str, dict[str, float | int | None]]:
    """Task and topic against the labels of regular rows."""
    regular = [row for row in rows if row[0].get("kind", "regular") == "regular"]
    tasks, topics = [], []
    with_task = with_topic = 0
    for labels, values in regular:
        accepted = TASKS_BY_INTENT.get(str(labels.get("intent")))
        if accepted:
            with_task += 1
            if values["task"] is not None:
                tasks.append(values["task"] in accepted)
        domain = TOPICS_BY_DOMAIN.get(str(labels["domain"]))
        if domain is not None:
            with_topic += 1
            if values["topic"] is not None:
                topics.append(values["topic"] in domain)
    return {"task": rate(tasks, with_task), "topic": rate(topics, with_topic)}


def by_kind(rows: list[Row]) -> dict[str, dict[str, float | int | None]]:
    """Concern against the planted kind; rows without a kind are regular."""
    low, high = [], []
    for labels, values in rows:
        concerning = labels.get("kind", "regular") == "concerning"
        if values["concern"] == 1:
            low.append(not concerning)
        elif values["concern"] is not None:
            high.append(concerning)
    return {"concern 1": rate(low, len(rows)), "concern 4-5": rate(high, len(rows))}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("labelled", type=Path, help="CLINC150 in Clio's format")
    parser.add_argument("adversarial", type=Path, nargs="?")
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    results: dict[str, dict[str, Any]] = {}
    for share in (0.03, 0.5):
        made = generate(options.rows, seed=options.seed, concerning=share, languages=["en"])
        rows = list(answers(made))
        name = f"generated, {share:.0%} concerning"
        results[name] = by_kind(rows) | (by_labels(rows) if share < 0.1 else {})
    found = read(expand([str(options.labelled)]))
    rows = list(answers(row.conversation for row in found if row.conversation))
    results[options.labelled.name] = by_labels(rows) | by_kind(rows)
    for name, table in results.items():
        print(f"\n{name}")
        for facet, row in table.items():
            print(f"  {facet:<12}" + "".join(f"{key:>11} {value}" for key, value in row.items()))
    if options.adversarial is not None:
        found = read(expand([str(options.adversarial)]))
        given = Counter(
            values["concern"]
            for _, values in answers(row.conversation for row in found if row.conversation)
        )
        results[options.adversarial.name] = {str(level): n for level, n in given.items()}
        print(f"\n{options.adversarial.name}: answers by concern {dict(given)}")
    print(json.dumps(results))


if __name__ == "__main__":
    main()
