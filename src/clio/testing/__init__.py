"""What tests, benchmarks and ``clio demo`` share: conversations with planted truth."""

from clio.testing.generator import as_record, generate, write_jsonl

__all__ = ["as_record", "generate", "write_jsonl"]
