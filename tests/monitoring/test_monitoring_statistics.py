"""The pieces: predictive tails, dispersion, the detector, the tree, ratios."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from worlds import tree

from clio.monitoring import Activity, Tree
from clio.monitoring.counts import daily_dispersion, ears_t, tails, two_sided
from clio.monitoring.descending import DECLARED_RATE, declared, named
from clio.monitoring.detector import drift, log_likelihood_ratio, onset
from clio.monitoring.ratios import rate_ratio


@given(st.integers(0, 500), st.integers(0, 500), st.floats(0.05, 3), st.floats(1, 6))
def test_tails_are_chances_and_both_count_what_was_seen(recent, before, ratio, dispersion):
    high, low = tails(recent, before, ratio, 1.0, dispersion)
    assert 0 <= high <= 1
    assert 0 <= low <= 1
    assert high + low >= 1 - 1e-9
    more, _ = tails(recent + 1, before, ratio, 1.0, dispersion)
    assert more <= high


@pytest.mark.parametrize("dispersion", [1.0, 3.0])
@pytest.mark.parametrize("mean", [2, 20, 200])
def test_predictive_tails_keep_their_level(mean, dispersion):
    rng = np.random.default_rng(0)
    draws = 40_000
    if dispersion == 1:
        y0, y = rng.poisson(4 * mean, draws), rng.poisson(mean, draws)
    else:
        chance = 1 / dispersion
        y0 = rng.negative_binomial(4 * mean / (dispersion - 1), chance, draws)
        y = rng.negative_binomial(mean / (dispersion - 1), chance, draws)
    high, low = tails(y, y0, 1.0, 4.0, dispersion)
    p = two_sided(high, low)
    assert (p <= 0.01).mean() <= 0.015
    assert (high <= 0.001).mean() <= 0.003


def test_ears_with_t_keeps_its_level_where_the_textbook_does_not():
    rng = np.random.default_rng(1)
    counts = rng.poisson(5, (10, 200_000)).astype(float)
    high, _ = ears_t(counts, np.full(10, 1000.0))
    assert (high <= 0.001).mean() < 0.003
    past = counts[:7]
    textbook = counts[-1] > past.mean(axis=0) + 3.09 * past.std(axis=0, ddof=1)
    assert textbook.mean() > 0.01


def test_dispersion_sees_what_poisson_does_not():
    rng = np.random.default_rng(2)
    poisson = rng.poisson(20, (28, 400)).astype(float)
    wild = rng.negative_binomial(10, 1 / 3, (28, 400)).astype(float)
    totals = np.full(28, 1000.0)
    assert np.median(daily_dispersion(poisson, totals, 0)) < 1.4
    assert 2.0 < np.median(daily_dispersion(wild, totals, 0)) < 3.2


def test_the_likelihood_ratio_is_that_of_the_laws():
    counts, mean = np.arange(12.0), np.full(12, 4.0)
    poisson = stats.poisson.logpmf(counts, 8) - stats.poisson.logpmf(counts, 4)
    assert log_likelihood_ratio(counts, mean, 2.0, np.ones(12)) == pytest.approx(poisson)
    size = 4.0 / (3.0 - 1.0)
    negative = stats.nbinom.logpmf(counts, size, size / (size + 8)) - stats.nbinom.logpmf(
        counts, size, size / (size + 4)
    )
    assert log_likelihood_ratio(counts, mean, 2.0, np.full(12, 3.0)) == pytest.approx(negative)


def test_the_detector_holds_its_bound_and_sees_a_slow_rise():
    rng = np.random.default_rng(3)
    usual = np.full((56, 4000), 3.0)
    quiet = drift(rng.poisson(3, (56, 4000)).astype(float), usual, np.zeros(4000), np.ones(4000))
    # The statistic's mean after n days is n at most: over 56 days at 1,000, .056 at most.
    assert (quiet.rise >= 1000).mean() < 0.056
    assert (quiet.fall >= 1000).mean() < 0.056
    rising = np.linspace(3, 8, 56)[:, None]
    risen = drift(rng.poisson(rising, (56, 200)).astype(float), usual[:, :200], *_known(200))
    assert (risen.rise >= 1000).mean() > 0.95
    assert (risen.rise > risen.fall).all()


def _known(nodes: int) -> tuple[np.ndarray, np.ndarray]:
    return np.zeros(nodes), np.ones(nodes)


def test_the_onset_is_the_day_of_a_jump():
    mean = np.full((30, 1), 10.0)
    counts = mean.copy()
    counts[22:] = 25
    assert onset(counts, mean).tolist() == [22]


def test_a_tree_without_signal_keeps_the_declared_rate():
    rng = np.random.default_rng(4)
    of_tree = tree()
    false = [declared(of_tree, rng.random(of_tree.nodes))[0].any() for _ in range(300)]
    assert np.mean(false) <= DECLARED_RATE


@given(st.integers(0, 2**32 - 1))
def test_declared_nodes_hang_together_and_each_line_is_named_once(seed):
    rng = np.random.default_rng(seed)
    of_tree = tree()
    p = np.where(rng.random(of_tree.nodes) < 0.2, 1e-6, rng.random(of_tree.nodes))
    changed, q = declared(of_tree, p)
    above = of_tree.parent[changed]
    assert changed[above[above >= 0]].all()
    assert (q[changed] <= DECLARED_RATE).all()
    direction = rng.choice([-1, 1], of_tree.nodes)
    chosen = named(of_tree, changed, direction, np.ones(of_tree.nodes), lambda *_: False)
    assert changed[chosen].all()
    assert (of_tree.only(chosen).of_leaf.sum(axis=1) <= 1).all()
    for node in np.flatnonzero(changed & (of_tree.parent < 0)):
        line = {int(node), *of_tree.children(int(node)).tolist()}
        assert line & set(chosen)


def test_a_heavy_account_makes_the_interval_wide():
    of_tree = Tree.of([-1, -1], [0, 1])
    everyone = np.arange(200)
    other = Activity.of(everyone, np.ones(200, int), np.zeros(200, int))
    many = Activity.of([*everyone, *range(40)], [1] * 200 + [0] * 40, [0] * 240)
    base = Activity.of([*everyone, *range(100, 120)], [1] * 200 + [0] * 20, [0] * 220)
    heavy = Activity.of([*everyone, *range(20), *[7] * 20], [1] * 200 + [0] * 40, [0] * 240)
    still = np.zeros(2)
    honest, single = (rate_ratio(base, after, of_tree, still) for after in (many, heavy))
    assert honest.value[0] == pytest.approx(single.value[0])
    assert single.high[0] / single.low[0] > 1.5 * honest.high[0] / honest.low[0]
    empty = rate_ratio(base, other, of_tree, still)
    assert (empty.value[0], empty.low[0]) == (0.0, 0.0)
    assert empty.high[0] < 1
    assert empty.p[0] < 0.001


def test_intervals_of_ratios_cover_the_truth():
    rng = np.random.default_rng(5)
    of_tree, hits, tries = Tree.of([-1, -1], [0, 1]), 0, 300
    for _ in range(tries):
        sides = []
        for offset, share in ((0, 0.1), (1000, 0.15)):
            size = np.minimum(rng.pareto(1.2, 300).astype(int) + 1, 30)
            own = rng.beta(share * 3, (1 - share) * 3, 300)
            account = np.repeat(np.arange(300) + offset, size)
            leaf = (rng.random(len(account)) > np.repeat(own, size)).astype(int)
            sides.append(Activity.of(account, leaf, np.zeros(len(leaf), int)))
        found = rate_ratio(*sides, of_tree, np.zeros(2))
        hits += bool(found.low[0] <= 1.5 <= found.high[0])
    assert hits / tries > 0.9
