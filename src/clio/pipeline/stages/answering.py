"""Shards of conversations to whoever answers them, in pieces, several at once."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, TypeVar

from clio.analysts import Answer
from clio.conversation import Conversation
from clio.prompting import PendingError

Shard = TypeVar("Shard")

PIECE: Final = 128
"""Conversations that are asked about together: the step in which progress is told."""

_SPARE: Final = 2
"""Pieces under way for each place of the client, so that none is idle while a shard ends."""


def answered(
    shards: Iterable[Shard],
    *,
    load: Callable[[Shard], list[Conversation]],
    answer: Callable[[Sequence[Conversation]], list[Answer]],
    at_once: int,
    shard_rows: int,
    stop: Callable[[], None],
) -> Generator[tuple[Shard, list[Conversation], list[Answer] | None]]:
    """Each shard with its answers, in order; ``None`` where some are still awaited.

    Parameters
    ----------
    shards
        What is to be done.
    load
        The conversations of a shard.
    answer
        One answer a conversation; called from several threads.
    at_once
        Conversations that the analyst can work on at the same time.
    shard_rows
        How many conversations a shard holds at most.
    stop
        Makes `answer` end soon, wherever it is called; used when this is left early.

    Raises
    ------
    ClioError
        As `answer`.
    """
    threads = 1 + math.ceil(_SPARE * at_once / PIECE)
    ahead = 1 + math.ceil(threads * PIECE / shard_rows)
    open_: deque[tuple[Shard, list[Conversation], list[Future[list[Answer]]]]] = deque()

    pool = ThreadPoolExecutor(threads, thread_name_prefix="clio-answering")
    try:
        for shard in shards:
            conversations = load(shard)
            starts = range(0, len(conversations), PIECE)
            pieces = [pool.submit(answer, conversations[i : i + PIECE]) for i in starts]
            open_.append((shard, conversations, pieces))
            if len(open_) > ahead:
                shard, conversations, pieces = open_.popleft()
                yield shard, conversations, _together(pieces)
        while open_:
            shard, conversations, pieces = open_.popleft()
            yield shard, conversations, _together(pieces)
    except BaseException:
        stop()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _together(pieces: Sequence[Future[list[Answer]]]) -> list[Answer] | None:
    answers: list[Answer] | None = []
    for piece in pieces:
        try:
            found = piece.result()
        except PendingError:
            answers = None  # the other pieces are still handed in
        else:
            if answers is not None:
                answers += found
    return answers
