"""The ONNX graph of a BERT encoder, built from its published weights; needs the package ``onnx``.

Every matrix product is int8: weights with one scale a column, activations with one scale a token,
computed in the graph. (The usual dynamic quantisation takes one scale over the whole batch, so a
text's vector would depend on the texts beside it.) A token table is int8 with one scale a row. Only
elementwise arithmetic touches the weights, so the bytes are the same on every machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, helper, numpy_helper

Floats = NDArray[np.float32]

WORD_TABLE = "embeddings.word_embeddings.weight"
INPUT_VECTORS = "input_vectors"
HEADS, HIDDEN = 12, 384
EPSILON = 1e-12
MICROSOFT = "com.microsoft"

WEIGHT_STEPS = 64
"""Steps each way of a weight. x86 processors without VNNI add two products in 16 bits, which
saturate: 2 x 255 x 64 just fits, so that they compute the same integers as all others."""

SIGNED_ZERO = 128
"""Zero point of activations that take either sign: 127 steps each way in uint8."""

GELU_ZERO = 32
"""Zero point after GELU, whose values are above -0.17: 223 steps for the positive side."""

GELU_MINIMUM = 0.1701


class Builder:
    """An ONNX graph under construction: nodes in order and named constants."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: dict[str, Any] = {}

    def constant(self, name: str, value: Any) -> str:
        """Add a constant once; returns its name."""
        if name not in self.constants:
            self.constants[name] = numpy_helper.from_array(np.ascontiguousarray(value), name)
        return name

    def scalar(self, name: str, value: Any) -> str:
        """Add a constant of no dimensions; returns its name."""
        self.constants[name] = numpy_helper.from_array(np.asarray(value), name)
        return name

    def many(
        self, kind: str, inputs: list[str], outputs: int, domain: str = "", **attributes: Any
    ) -> list[str]:
        """Add a node; returns the names of its outputs."""
        name = f"{kind}_{len(self.nodes)}"
        names = [f"{name}_{i}" for i in range(outputs)]
        self.nodes.append(
            helper.make_node(kind, inputs, names, name=name, domain=domain, **attributes)
        )
        return names

    def node(self, kind: str, inputs: list[str], domain: str = "", **attributes: Any) -> str:
        """Add a node of one output; returns its name."""
        return self.many(kind, inputs, 1, domain, **attributes)[0]


def quantise_columns(weights: Floats, steps: int) -> tuple[NDArray[np.int8], Floats]:
    """Round to integers in [-steps, steps]: (k, n) -> (k, n) int8 and (n,) float32 scales."""
    scales = np.maximum(np.abs(weights).max(axis=0), 1e-12).astype(np.float32) / np.float32(steps)
    return np.clip(np.rint(weights / scales), -steps, steps).astype(np.int8), scales


class BertGraph:
    """Builds the graph of a BERT encoder with mean pooling and unit norm.

    Parameters
    ----------
    tensors
        The published float32 weights under their names in Hugging Face's `BertModel`.
    layers
        How many there are.
    max_tokens
        Positions that the graph knows.
    quantised
        Products in int8; else all is float32, the reference for comparisons.
    producer
        Name of what builds it, recorded in the model.
    """

    def __init__(
        self,
        tensors: Mapping[str, Floats],
        *,
        layers: int,
        max_tokens: int,
        quantised: bool,
        producer: str,
    ) -> None:
        self.tensors = tensors
        self.layers = layers
        self.max_tokens = max_tokens
        self.quantised = quantised
        self.producer = producer
        self.ids = ""
        self.token_zeros: dict[int, str] = {}
        self.g = Builder()

    def build(self, name: str) -> ModelProto:
        """The whole model: (n, length) int64 ids and mask to (n, 384) float32 unit rows.

        Where the tensors hold no token table, because it is too large for a graph, the model takes
        the tokens' vectors, ``input_vectors`` (n, length, 384) float32, instead of ids.
        """
        g = self.g
        with_table = WORD_TABLE in self.tensors
        one = g.constant("int.1", np.array([1], np.int64))
        self.ids = "input_ids" if with_table else "attention_mask"
        shape = g.node("Shape", [self.ids])
        x = g.node("Reshape", [self.embeddings(), g.constant("rows", np.array([-1, HIDDEN]))])
        if self.quantised:
            self.zero_points(g.node("Shape", [x], start=0, end=1))
        mask = g.node("Cast", ["attention_mask"], to=TensorProto.INT32)
        packed = self.shape_of(shape, 3 * HIDDEN)
        for layer in range(self.layers):
            x = self.layer(f"encoder.layer.{layer}", x, mask, packed)
        x = g.node("Reshape", [x, self.shape_of(shape, HIDDEN)])
        # The mean of the tokens, but for the division: unit length makes it needless.
        weights = g.node("Unsqueeze", ["attention_mask", one])
        weights = g.node("Cast", [weights], to=TensorProto.FLOAT)
        pooled = g.node("Squeeze", [g.node("MatMul", [weights, x]), one])
        g.nodes.append(
            helper.make_node("LpNormalization", [pooled], ["embedding"], name="unit", axis=-1, p=2)
        )
        first: tuple[str, int, list[str | int]] = (self.ids, TensorProto.INT64, ["n", "length"])
        if not with_table:
            first = (INPUT_VECTORS, TensorProto.FLOAT, ["n", "length", HIDDEN])
        inputs = (first, ("attention_mask", TensorProto.INT64, ["n", "length"]))
        graph = helper.make_graph(
            g.nodes,
            name,
            [helper.make_tensor_value_info(*entry) for entry in inputs],
            [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["n", HIDDEN])],
            list(g.constants.values()),
        )
        opsets = [helper.make_opsetid("", 21), helper.make_opsetid(MICROSOFT, 1)]
        return helper.make_model(
            graph, opset_imports=opsets, ir_version=10, producer_name=self.producer
        )

    def shape_of(self, shape: str, width: int) -> str:
        """The shape (n, length, width)."""
        last = self.g.constant(f"width.{width}", np.array([width], np.int64))
        return self.g.node("Concat", [shape, last], axis=0)

    def zero_points(self, tokens: str) -> None:
        """Constants of the quantisation, and the zero points repeated for each token."""
        g = self.g
        g.scalar("unit.scale", np.float32(1))
        for zero in (SIGNED_ZERO, GELU_ZERO):
            g.scalar(f"zero.{zero}", np.uint8(zero))
            self.token_zeros[zero] = g.node("Expand", [f"zero.{zero}", tokens])

    def embeddings(self) -> str:
        """Token, position and type embeddings with their layer norm: (n, length, 384)."""
        g = self.g
        table = self.tensors.get(WORD_TABLE)
        if table is None:
            x = INPUT_VECTORS
        elif self.quantised:
            values, scales = quantise_columns(np.ascontiguousarray(table.T), 127)
            x = g.node("Gather", [g.constant("tokens", values.T), self.ids])
            x = g.node("Cast", [x], to=TensorProto.FLOAT)
            scale = g.node("Gather", [g.constant("tokens.scale", scales[:, None]), self.ids])
            x = g.node("Mul", [x, scale])
        else:
            x = g.node("Gather", [g.constant("tokens", table), self.ids])
        # Every text is one segment, so the first type's vector belongs to each position.
        positions = (
            self.tensors["embeddings.position_embeddings.weight"][: self.max_tokens]
            + self.tensors["embeddings.token_type_embeddings.weight"][0]
        )
        length = g.node("Shape", [self.ids], start=1, end=2)
        slice_inputs = [
            g.constant("positions", positions[None]),
            g.constant("int.0", np.array([0], np.int64)),
            length,
            "int.1",
        ]
        return self.add_and_norm("embeddings.LayerNorm", [x, g.node("Slice", slice_inputs)])

    def layer(self, prefix: str, x: str, mask: str, packed: str) -> str:
        """One transformer layer on (tokens, 384)."""
        g = self.g
        parts = [f"{prefix}.attention.self.{part}" for part in ("query", "key", "value")]
        weights = np.concatenate([self.weight(part) for part in parts], axis=1)
        bias = np.concatenate([self.tensors[f"{part}.bias"] for part in parts])
        qkv = self.product(f"{prefix}.qkv", x, weights, smooth=self.norm_before(prefix))
        qkv = g.node("Reshape", [qkv, packed])
        heads = g.many("Split", [qkv], 3, axis=-1, num_outputs=3)
        heads += [g.constant(f"{prefix}.qkv.bias", bias), mask]
        context = g.node("MultiHeadAttention", heads, MICROSOFT, num_heads=HEADS)
        context = g.node("Reshape", [context, "rows"])

        dense = f"{prefix}.attention.output.dense"
        norm = f"{prefix}.attention.output.LayerNorm"
        y = self.product(dense, context, self.weight(dense))
        x = self.add_and_norm(norm, [y, x], self.bias(dense))

        dense = f"{prefix}.intermediate.dense"
        y = self.product(dense, x, self.weight(dense), smooth=norm)
        y = g.node("BiasGelu", [y, self.bias(dense)], MICROSOFT)
        dense = f"{prefix}.output.dense"
        y = self.product(dense, y, self.weight(dense), zero=GELU_ZERO)
        return self.add_and_norm(f"{prefix}.output.LayerNorm", [y, x], self.bias(dense))

    def norm_before(self, prefix: str) -> str:
        """The layer norm whose output enters a layer."""
        number = int(prefix.rsplit(".", 1)[1])
        if number == 0:
            return "embeddings.LayerNorm"
        return f"encoder.layer.{number - 1}.output.LayerNorm"

    def weight(self, name: str) -> Floats:
        """A dense layer's weights as (in, out)."""
        return np.ascontiguousarray(self.tensors[f"{name}.weight"].T)

    def bias(self, name: str) -> str:
        """A bias, or a layer norm's shift, as a constant."""
        return self.g.constant(f"{name}.bias", self.tensors[f"{name}.bias"])

    def add_and_norm(self, name: str, inputs: list[str], bias: str | None = None) -> str:
        """Layer norm of the sum of inputs and bias."""
        gain = self.g.constant(f"{name}.gain", self.tensors[f"{name}.weight"])
        inputs = [*inputs, gain, self.bias(name)]
        if bias is not None:
            inputs.append(bias)
        return self.g.node("SkipLayerNormalization", inputs, MICROSOFT, epsilon=EPSILON)

    def product(
        self,
        name: str,
        x: str,
        weights: Floats,
        *,
        smooth: str | None = None,
        zero: int = SIGNED_ZERO,
    ) -> str:
        """(tokens, k) times (k, n), in int8 unless the graph is the float reference.

        A layer norm gives some channels a range many times the others', and they would set the
        scale of every token. ``smooth`` names that norm: its large channels are scaled down
        before rounding and the matching weights up (as SmoothQuant does, Xiao et al. 2023, with
        ranges taken from the norm's own gain and shift, so no calibration text is needed).
        """
        g = self.g
        if not self.quantised:
            return g.node("MatMul", [x, g.constant(f"{name}.weight", weights)])
        if smooth is not None:
            norm_range = np.abs(self.tensors[f"{smooth}.bias"])
            norm_range = norm_range + 3 * np.abs(self.tensors[f"{smooth}.weight"])
            factor = np.minimum(np.median(norm_range) / norm_range, 1).astype(np.float32)
            x = g.node("Mul", [x, g.constant(f"{name}.smooth", factor)])
            weights = weights / factor[:, None]
        values, scales = quantise_columns(weights, WEIGHT_STEPS)
        scale = self.token_scale(x, zero)
        column = g.node("Unsqueeze", [scale, "int.1"])
        inputs = [
            g.node("QuantizeLinear", [x, scale, self.token_zeros[zero]], axis=0),
            g.constant(f"{name}.weight", values),
            "unit.scale",
            g.constant(f"{name}.scale", scales),
            f"zero.{zero}",
        ]
        return g.node("Mul", [g.node("MatMulIntegerToFloat", inputs, MICROSOFT), column])

    def token_scale(self, x: str, zero: int) -> str:
        """The quantisation step of each token: (tokens,)."""
        g = self.g
        axis = g.constant("axis", np.array([1], np.int64))
        top = g.node("ReduceMax", [x, axis], keepdims=0)
        if zero == GELU_ZERO:
            step = g.scalar("gelu.step", np.float32(1 / (255 - GELU_ZERO)))
            floor = g.scalar("gelu.floor", np.float32(GELU_MINIMUM / GELU_ZERO))
        else:
            bottom = g.node("ReduceMin", [x, axis], keepdims=0)
            top = g.node("Max", [top, g.node("Neg", [bottom])])
            step = g.scalar("signed.step", np.float32(1 / 127))
            floor = g.scalar("signed.floor", np.float32(1e-9))
        return g.node("Max", [g.node("Mul", [top, step]), floor])
