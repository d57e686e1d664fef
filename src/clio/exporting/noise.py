"""Noise, by OpenDP: exact samplers over the integers, seeded by the operating system alone.

Floating-point Laplace noise gives true values away by its low bits (Mironov 2012), so that nothing
here draws with NumPy, and no seed of Clio reaches a draw.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clio.errors import SettingsError

Ints = NDArray[np.int64]


def laplace(counts: Ints, *, sensitivity: int, epsilon: float) -> Ints:
    """Counts with discrete Laplace noise: ε-differentially private.

    Parameters
    ----------
    counts
        Exact ones.
    sensitivity
        The most that an account adds to all of them together.
    epsilon
        Of all of them together.

    Raises
    ------
    SettingsError
        OpenDP is not installed.
    """
    if not counts.size:
        return counts.astype(np.int64)
    measure, _ = _measurement(sensitivity, epsilon)
    flat = measure(counts.astype(np.int64).ravel().tolist())
    return np.array(flat, dtype=np.int64).reshape(counts.shape)


def truncated_laplace(counts: Ints, *, epsilon: float, delta: float) -> tuple[Ints, int]:
    """Noised counts of places, and the bound above which a place may be named.

    Discrete Laplace noise cut at ±k, with k from `bound_of`. A place that is named where its
    noised count is over k is named by the optimal (ε, δ) mechanism of partition selection, and its
    count comes at no further cost (Desfontaines, Voss, Gipson and Mandayam, *Differentially
    private partition selection*, PoPETs 2022, §4).

    Parameters
    ----------
    counts
        Exact ones; an account adds at most 1 to each.
    epsilon, delta
        Of each place.

    Returns
    -------
    noised : NDArray[np.int64]
        Shape of `counts`.
    bound
        k.
    """
    _, scale = _measurement(1, epsilon)
    bound = bound_of(1.0 / scale, delta)
    noise = np.zeros(counts.shape, dtype=np.int64)
    todo = np.ones(counts.shape, dtype=bool)
    while todo.any():  # rejection keeps the shape of what is not rejected
        noise[todo] = laplace(noise[todo] * 0, sensitivity=1, epsilon=epsilon)
        todo = np.abs(noise) > bound
    return counts + noise, bound


def bound_of(epsilon: float, delta: float) -> int:
    """The least k at which noise cut at ±k costs δ: its outermost values come that rarely.

    With ``q = e^-ε`` the noise is x with probability ``(1 - q) q^|x| / (1 + q - 2 q^(k+1))``,
    which at k must be at most δ.
    """
    e = math.exp(epsilon)
    return math.ceil(math.log((math.expm1(epsilon) + 2.0 * delta) / ((e + 1.0) * delta)) / epsilon)


def deviation(sensitivity: int, epsilon: float) -> float:
    """Standard deviation of discrete Laplace noise."""
    q = math.exp(-epsilon / sensitivity)
    return math.sqrt(2.0 * q) / (1.0 - q)


def tail(sensitivity: int, epsilon: float, probability: float) -> int:
    """The least t that discrete Laplace noise reaches with at most this probability."""
    step = epsilon / sensitivity
    return max(0, math.ceil(-math.log(probability * (1.0 + math.exp(-step))) / step))


def require() -> None:
    """See that noise can be drawn, before anything is spent or opened.

    Raises
    ------
    SettingsError
        OpenDP is not installed.
    """
    _opendp()


def _opendp() -> Any:
    try:
        from opendp import domains, measurements, metrics, mod
    except ImportError:
        raise SettingsError(
            "differential privacy needs OpenDP; install it with: pip install "
            "'clio-insights[privacy]'"
        ) from None
    mod.enable_features("contrib")
    return domains, measurements, metrics


@lru_cache(maxsize=64)
def _measurement(
    sensitivity: int, epsilon: float
) -> tuple[Callable[[list[int]], list[int]], float]:
    """OpenDP's mechanism, at the least scale that OpenDP itself says is ε; and that scale."""
    domains, measurements, metrics = _opendp()
    space = domains.vector_domain(domains.atom_domain(T="i64")), metrics.l1_distance(T="i64")
    scale = sensitivity / epsilon
    while (measure := measurements.make_laplace(*space, scale)).map(sensitivity) > epsilon:
        scale = math.nextafter(scale, math.inf)
    return measure, scale
