import numpy as np
import pytest

from clio.clustering import stability


def groups(spread: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Two tight groups apart from each other, and one cloud that is cut in two by its labels."""
    random = np.random.default_rng(seed)
    centres = np.eye(16, dtype=np.float32)[:2]
    tight = np.concatenate([c + random.normal(0, spread, (300, 16)) for c in centres])
    cloud = random.normal(0, 1, (600, 16)) * (np.arange(16) >= 4)
    vectors = np.concatenate([tight, cloud]).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    labels = np.concatenate([np.repeat([0, 1], 300), 2 + (cloud[:, 5] > 0)])
    return vectors, labels.astype(np.int32)


def test_what_is_found_again_is_stable_and_what_is_not_is_not() -> None:
    vectors, labels = groups(0.02)
    firm = stability(vectors, np.ones(len(vectors), np.float32), labels, seed=3)
    assert firm.shape == (4,)
    assert firm[:2].min() > 0.85
    assert firm[2:].max() < 0.6
    again = stability(vectors, np.ones(len(vectors), np.float32), labels, seed=3)
    assert np.array_equal(firm, again)


@pytest.mark.parametrize("n", [1, 2, 7])
def test_few_vectors_give_no_measure_and_one_cluster_is_stable(n: int) -> None:
    vectors = np.eye(8, dtype=np.float32)[:n]
    ones = np.ones(n, np.float32)
    assert stability(vectors, ones, np.zeros(n, np.int32), seed=0).tolist() == [1.0]
    if n > 1:
        firm = stability(vectors, ones, np.arange(n, dtype=np.int32), seed=0)
        assert np.isnan(firm).all()
