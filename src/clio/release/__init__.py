"""The release: its schema, its only writer and its only reader."""
