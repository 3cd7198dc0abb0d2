"""Which labels a request speaks of, by their letters alone."""

from __future__ import annotations

import time

import pytest

from llmos_jupyter.agent.context.relevance import names_in, spoken_of, words

SENSORS = [f"sensor_{i:04d}" for i in range(5000)]


def named(labels: list[str], request: str) -> list[str]:
    return [labels[each.position] for each in spoken_of(labels, request)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("outdoor_temperature", ["outdoor", "temperature"]),
        ("outdoorTemperature2", ["outdoor", "temperature", "2"]),
        ("HTTPStatus-code", ["http", "status", "code"]),
        ("sensor_0017", ["sensor", "17"]),
        ("Prix moyen (€)", ["prix", "moyen"]),
        ("Größe", ["grosse"]),
        ("температура", ["температура"]),
        ("室外温度", ["室外温度", "室外", "外温", "温度"]),
        ("２０２１", ["2021"]),
        ("", []),
        ("😀 !!", []),
    ],
)
def test_words(text: str, expected: list[str]) -> None:
    assert words(text) == expected


@pytest.mark.parametrize(
    ("extra", "request_", "expected"),
    [
        ("outdoor_temperature", "mean of outdoor_temperature in wide", ["outdoor_temperature"]),
        ("outdoor_temperature", "the mean outdoor temperature", ["outdoor_temperature"]),
        ("outdoor_temperature", "Mean Of Outdoor Temperatures", ["outdoor_temperature"]),
        ("outdoorTemperature", "plot outdoor temperature", ["outdoorTemperature"]),
        ("x", "plot sensor_4321", ["sensor_4321"]),
        ("x", "correlation of sensor 17 and sensor_4321", ["sensor_4321", "sensor_0017"]),
        ("x", "the top 5 rows", []),
        ("x", "all the sensor columns", []),
        ("x", "", []),
        ("室外温度", "室外温度的平均值", ["室外温度"]),
        ("室外温度", "温度是多少", ["室外温度"]),
        ("Außentemperatur", "Mittelwert der Aussentemperatur", ["Außentemperatur"]),
        ("température", "moyenne de la temperature", ["température"]),
        ("الحرارة", "متوسط الحرارة", ["الحرارة"]),
        ("температура", "средняя температура", ["температура"]),
        ("weight", "average wieght", ["weight"]),
        ("😀", "how many 😀 are there", ["😀"]),
        ("x", "what is x", ["x"]),
    ],
)
def test_the_right_one_of_five_thousand(extra: str, request_: str, expected: list[str]) -> None:
    labels = [*SENSORS[:2500], extra, *SENSORS[2500:]]
    assert named(labels, request_) == expected


def test_neighbours_named_alike_come_by_their_letters() -> None:
    labels = ["price", "Price", "price "]
    assert named(labels, "mean of Price")[0] == "Price"
    assert named(labels, "mean of price")[0] == "price"
    assert sorted(named(labels, "mean of price")) == sorted(labels)
    assert named(["price", "price_unit", "unit"], "the price_unit of each")[0] == "price_unit"


def test_a_word_that_few_labels_have_names_them_all() -> None:
    labels = [*SENSORS, "humidity_kitchen", "humidity_bath", "pressure"]
    assert sorted(named(labels, "compare the humidity")) == ["humidity_bath", "humidity_kitchen"]


def test_names_of_variables_are_told_apart() -> None:
    names = ["sales_2023", "sales_2024", "penguins", "x"]
    assert names_in(names, "the mean price in sales_2023") == ["sales_2023"]
    assert names_in(names, "sales_2023 against the penguin table") == ["sales_2023", "penguins"]
    assert sorted(names_in(names, "join the sales")) == ["sales_2023", "sales_2024"]
    assert names_in(names, "hello") == []


def test_it_is_fast_and_always_the_same() -> None:
    labels = [f"{chr(97 + i % 26)}{chr(97 + i // 26 % 26)}{chr(97 + i // 676)}word_{i % 7}" for i in range(5000)]
    request = f"correlate {', '.join(labels[100:120])} with everything that could be similar to unknownwords"
    start = time.process_time()
    found = named(labels, request)
    assert time.process_time() - start < 2
    assert set(labels[100:120]) <= set(found[:20])
    assert named(labels, request) == found


def test_anything_can_be_asked() -> None:
    for request in ("\ud800", "\x00", "a" * 100_000, "_" * 5000, "(((", "'; drop"):
        spoken_of(["a", "", "\ud800", "b" * 10_000, "\n"], request)
