import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from clio.pipeline.stages.contrasts import NEAR_LEAVES, nearest_outsiders


def unit(rows):
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def corpus(texts, leaves, seed, accounts=None):
    generator = np.random.default_rng(seed)
    centroids = unit(generator.normal(size=(leaves, 12)))
    leaf = np.r_[np.arange(leaves), generator.integers(0, leaves, texts - leaves)].astype(np.int32)
    vectors = unit(centroids[leaf] + 0.4 * generator.normal(size=(texts, 12)))
    account = generator.integers(0, accounts or texts, texts)
    return centroids, leaf, vectors, account


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, NEAR_LEAVES + 1),
    st.integers(0, 200),
    st.integers(1, 30),
    st.integers(1, 80),
    st.integers(0, 2**31),
)
def test_of_few_leaves_the_nearest_texts_outside_are_found_exactly(
    leaves, more, per_leaf, part, seed
):
    centroids, leaf, vectors, account = corpus(leaves + more, leaves, seed)
    parts = [vectors[start : start + part] for start in range(0, len(vectors), part)]
    group, text = nearest_outsiders(
        parts, leaf, centroids, np.arange(len(account)), per_leaf=per_leaf
    )
    assert (np.diff(group) >= 0).all()
    nearness = vectors @ centroids.T
    for number in range(leaves):
        outside = np.flatnonzero(leaf != number)
        wanted = np.sort(nearness[outside, number])[::-1][:per_leaf]
        found = text[group == number]
        assert (leaf[found] != number).all()
        assert np.allclose(nearness[found, number], wanted, atol=1e-5)


def test_an_account_is_there_once_a_leaf_with_its_nearest_text():
    centroids, leaf, vectors, account = corpus(300, 4, seed=3, accounts=40)
    group, text = nearest_outsiders([vectors], leaf, centroids, account, per_leaf=20)
    nearness = vectors @ centroids.T
    for number in range(4):
        found = text[group == number]
        assert len(found) == len(set(account[found])) == 20
        for one in found:
            others = np.flatnonzero((leaf != number) & (account == account[one]))
            assert nearness[one, number] >= nearness[others, number].max() - 1e-6


def test_of_many_leaves_texts_of_the_nearest_are_looked_at():
    centroids, leaf, vectors, _ = corpus(4000, 60, seed=5)
    group, text = nearest_outsiders([vectors], leaf, centroids, np.arange(4000), per_leaf=30)
    closeness = centroids @ centroids.T
    for number in range(60):
        near = np.argsort(-closeness[number])[1 : NEAR_LEAVES + 1]
        found = text[group == number]
        assert len(found) == 30
        assert set(leaf[found]) <= set(near)


def test_one_leaf_has_no_outsiders():
    centroids, leaf, vectors, account = corpus(20, 1, seed=1)
    group, text = nearest_outsiders([vectors], leaf, centroids, account)
    assert len(group) == len(text) == 0
