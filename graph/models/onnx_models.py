"""Fitted models as ONNX graphs, and the check a graph must pass before the runtime sees it.

Written directly from the fitted arrays: that takes milliseconds where a general converter takes seconds, and
in double precision, so that decisions and sums are those of scikit-learn. Two forms exist:

    trees    ai.onnx.ml TreeEnsemble (sum of leaves) + baseline; of a forest, on columns in single precision
    linear   missing values replaced, then weights · features + intercept

Input `features`, double [rows, width]; output `score`, double [rows, 1]: the raw score. The link (logistic or
identity) is not part of the graph: the runtime's vectorised sigmoid gives a row alone and the same row in a
batch results that differ in the last bit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from graph.errors import InvalidModel
from graph.libraries import Array, Numbers

if TYPE_CHECKING:
    import onnx

OPSETS: Final = {"": 20, "ai.onnx.ml": 5}
IR_VERSION: Final = 10
INPUT, OUTPUT = "features", "score"
MAX_DEPTH: Final = 500

_TREE_INTS: Final = (
    "nodes_featureids",
    "nodes_truenodeids",
    "nodes_falsenodeids",
    "nodes_trueleafs",
    "nodes_falseleafs",
    "nodes_missing_value_tracks_true",
)
_TREE_ATTRIBUTES: Final = frozenset(
    {
        *_TREE_INTS,
        "leaf_targetids",
        "tree_roots",
        "nodes_splits",
        "nodes_modes",
        "leaf_weights",
        "n_targets",
        "aggregate_function",
        "post_transform",
    }
)
# The nodes of a linear model: operation, inputs, outputs, attributes.
_LINEAR: Final[tuple[tuple[str, list[str], list[str], dict[str, Any]], ...]] = (
    ("IsNaN", [INPUT], ["unknown"], {}),
    ("Where", ["unknown", "missing", INPUT], ["known"], {}),
    ("Mul", ["known", "weights"], ["weighted"], {}),
    ("CumSum", ["weighted", "columns"], ["sums"], {}),
    ("Gather", ["sums", "last"], ["sum"], {"axis": 1}),
    ("Add", ["sum", "intercept"], [OUTPUT], {}),
)


_RECORD: Final = np.dtype(
    [
        ("value", np.float64),
        ("feature_idx", np.int64),
        ("num_threshold", np.float64),
        ("missing_go_to_left", np.uint8),
        ("left", np.int64),
        ("right", np.int64),
        ("is_leaf", np.uint8),
    ]
)
_LARGEST: Final = float(np.finfo(np.float32).max)


def forest(trees_: Sequence[Any], values: Sequence[Numbers], width: int) -> bytes:
    """The mean over scikit-learn's trees, *values* being those of the nodes of each.

    They compare columns in single precision; where what is missing parts from all else a threshold is infinite.
    """
    nodes = []
    for tree, value in zip(trees_, values, strict=True):
        records = np.zeros(tree.node_count, _RECORD)
        leaf = tree.children_left < 0
        records["is_leaf"], records["value"] = leaf, value / len(trees_)
        records["feature_idx"] = np.where(leaf, 0, tree.feature)
        records["num_threshold"] = np.clip(tree.threshold, -_LARGEST, _LARGEST)
        records["missing_go_to_left"] = tree.missing_go_to_left
        records["left"], records["right"] = np.where(leaf, 0, (tree.children_left, tree.children_right))
        nodes.append(records)
    return trees(nodes, 0.0, width, single=True)


def trees(nodes: Sequence[Array], baseline: float, width: int, *, single: bool = False) -> bytes:
    """A boosted ensemble; `nodes` are scikit-learn's histogram-tree node records, one array a tree."""
    from onnx import TensorProto, helper

    records = np.concatenate([_two_leaves(tree) if len(tree) == 1 else tree for tree in nodes])
    sizes = np.array([max(len(tree), 3) for tree in nodes])
    starts = np.concatenate([[0], sizes.cumsum()[:-1]])
    leaf = records["is_leaf"].astype(bool)
    inner = ~leaf
    # A record's number among its own kind (inner nodes and leaves are numbered apart).
    number = np.where(leaf, np.cumsum(leaf), np.cumsum(inner)) - 1
    start = np.repeat(starts, sizes)[inner]
    split = records[inner]
    left, right = split["left"].astype(np.int64) + start, split["right"].astype(np.int64) + start
    casts = [
        helper.make_node("Cast", [INPUT], ["single"], to=TensorProto.FLOAT),
        helper.make_node("Cast", ["single"], ["compared"], to=TensorProto.DOUBLE),
    ]
    compared = "compared" if single else INPUT
    node = helper.make_node("TreeEnsemble", [compared], ["leaves"], domain="ai.onnx.ml")
    for name, values in {
        "nodes_featureids": split["feature_idx"],
        "nodes_truenodeids": number[left],
        "nodes_falsenodeids": number[right],
        "nodes_trueleafs": leaf[left],
        "nodes_falseleafs": leaf[right],
        "nodes_missing_value_tracks_true": split["missing_go_to_left"],
        "leaf_targetids": np.zeros(int(leaf.sum()), np.int64),
        "tree_roots": number[starts],
    }.items():
        _attribute(node, name).ints.extend(values.astype(np.int64).tolist())
    for name, array in {
        "nodes_splits": split["num_threshold"].astype(np.float64),
        "nodes_modes": np.zeros(len(split), np.uint8),
        "leaf_weights": records["value"][leaf].astype(np.float64),
    }.items():
        _attribute(node, name).t.CopyFrom(_tensor(name, array))
    for name, number_ in {"n_targets": 1, "aggregate_function": 1, "post_transform": 0}.items():
        _attribute(node, name).i = number_
    add = helper.make_node("Add", ["leaves", "baseline"], [OUTPUT])
    return _model([*(casts if single else ()), node, add], {"baseline": np.array([[baseline]])}, width)


def linear(weights: Numbers, intercept: float, missing: Numbers) -> bytes:
    """A linear model; `missing` is what stands in for a missing value of each column.

    The sum is the last of the running sums, which are added in order: a reduction's order depends on where in
    memory the row lies, and a row alone would differ in its last bit from the same row in a table.
    """
    from onnx import helper

    nodes = [
        helper.make_node(operation, inputs, outputs, **attributes)
        for operation, inputs, outputs, attributes in _LINEAR
    ]
    constants = {
        "missing": missing.astype(np.float64).reshape(1, -1),
        "weights": weights.astype(np.float64).reshape(1, -1),
        "columns": np.array([1], np.int64),
        "last": np.array([weights.size - 1], np.int64),
        "intercept": np.array([[intercept]]),
    }
    return _model(nodes, constants, weights.size)


def _two_leaves(tree: Array) -> Array:
    """A tree that is one leaf, as a split whose two leaves are equal: ONNX has no tree without a split."""
    both = np.concatenate([tree, tree, tree])
    both["is_leaf"] = (0, 1, 1)
    both["left"][0], both["right"][0] = 1, 2
    both["feature_idx"][0], both["num_threshold"][0] = 0, 0.0
    return both


def _attribute(node: onnx.NodeProto, name: str) -> Any:
    import onnx

    attribute = node.attribute.add()
    attribute.name = name
    if name in _TREE_INTS or name in ("leaf_targetids", "tree_roots"):
        attribute.type = onnx.AttributeProto.INTS
    elif name in ("nodes_splits", "nodes_modes", "leaf_weights"):
        attribute.type = onnx.AttributeProto.TENSOR
    else:
        attribute.type = onnx.AttributeProto.INT
    return attribute


def _tensor(name: str, array: Array) -> onnx.TensorProto:
    from onnx import numpy_helper

    return numpy_helper.from_array(np.ascontiguousarray(array), name)


def _model(nodes: list[onnx.NodeProto], constants: Mapping[str, Array], width: int) -> bytes:
    from onnx import TensorProto, helper

    graph = helper.make_graph(
        nodes,
        "model",
        [helper.make_tensor_value_info(INPUT, TensorProto.DOUBLE, ["rows", width])],
        [helper.make_tensor_value_info(OUTPUT, TensorProto.DOUBLE, ["rows", 1])],
        [_tensor(name, array) for name, array in constants.items()],
    )
    opsets = [helper.make_opsetid(domain, version) for domain, version in OPSETS.items()]
    model = helper.make_model(
        graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="retraining studio"
    )
    data: bytes = model.SerializeToString(deterministic=True)  # type: ignore[no-untyped-call]
    return data


def session(model: bytes) -> Any:
    """A runtime session. One thread: quickest for a row, quick enough for a month, and always the same sums.

    Raises InvalidModel when the runtime refuses the graph.
    """
    import onnxruntime

    runtime: Any = onnxruntime
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return runtime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the runtime has an exception class for each of its status codes
        raise InvalidModel(f"the runtime refuses model.onnx: {error}") from None


def check(data: bytes, width: int) -> None:
    """Accept only a graph of one of the two forms above, with every index in range; raises InvalidModel.

    The runtime trusts its input: an index out of range, a cycle or a reference to a file is for us to refuse.
    """
    import onnx
    from google.protobuf.message import DecodeError

    try:
        model = onnx.load_model_from_string(data)
    except (DecodeError, ValueError) as error:
        raise InvalidModel(f"model.onnx is not an ONNX model: {error}") from None
    opsets = {opset.domain: opset.version for opset in model.opset_import}
    graph = model.graph
    if opsets != OPSETS or model.functions or model.training_info or graph.sparse_initializer:
        raise InvalidModel("model.onnx uses operator sets or features a trained model does not have")
    if [(i.name, _shape(i)) for i in graph.input] != [(INPUT, ("rows", width))]:
        raise InvalidModel(f"model.onnx does not take one input of {width} features")
    if [(o.name, _shape(o)) for o in graph.output] != [(OUTPUT, ("rows", 1))]:
        raise InvalidModel("model.onnx does not give one score a row")
    constants = {tensor.name: _array(tensor) for tensor in graph.initializer}
    operations = tuple(node.op_type for node in graph.node)
    if operations[-2:] == ("TreeEnsemble", "Add") and operations[:-2] in ((), ("Cast", "Cast")):
        ensemble = graph.node[-2]
        casts = [([INPUT], ["single"]), (["single"], ["compared"])] if len(operations) == 4 else []
        last = [([casts[-1][1][0] if casts else INPUT], ["leaves"]), (["leaves", "baseline"], [OUTPUT])]
        _expect(_wiring(graph) == casts + last and ensemble.domain == "ai.onnx.ml")
        to = [(a.name, a.i) for cast in graph.node[: len(casts)] for a in cast.attribute]
        _expect(to == [("to", onnx.TensorProto.FLOAT), ("to", onnx.TensorProto.DOUBLE)][: len(casts)])
        _expect(set(constants) == {"baseline"} and constants["baseline"].shape == (1, 1))
        _check_trees(ensemble, width)
    elif operations == tuple(operation for operation, *_ in _LINEAR):
        _expect(_wiring(graph) == [(inputs, outputs) for _, inputs, outputs, _ in _LINEAR])
        row, one = (1, width), (1,)
        shapes = {"missing": row, "weights": row, "columns": one, "last": one, "intercept": (1, 1)}
        _expect({name: array.shape for name, array in constants.items()} == shapes)
        _expect(constants["columns"].tolist() == [1] and constants["last"].tolist() == [width - 1])
        _expect([(a.name, a.i) for node in graph.node for a in node.attribute] == [("axis", 1)])
    else:
        raise InvalidModel(
            "model.onnx is not of a form this studio writes: " + ", ".join(map(str, operations[:8]))
        )
    _expect(all(node.domain in ("", "ai.onnx.ml") for node in graph.node))
    _expect(all(bool(np.isfinite(array).all()) for array in constants.values()))


def _expect(holds: bool) -> None:
    if not holds:
        raise InvalidModel("model.onnx is inconsistent")


def _wiring(graph: onnx.GraphProto) -> list[tuple[list[str], list[str]]]:
    return [(list(node.input), list(node.output)) for node in graph.node]


def _shape(value: onnx.ValueInfoProto) -> tuple[str | int, ...] | None:
    import onnx

    tensor = value.type.tensor_type
    if tensor.elem_type != onnx.TensorProto.DOUBLE:
        return None
    return tuple(d.dim_param or d.dim_value for d in tensor.shape.dim)


def _array(tensor: onnx.TensorProto) -> Array:
    """The numbers of a tensor; never a file it may point to."""
    import onnx
    from onnx import numpy_helper

    if tensor.external_data or tensor.data_location != onnx.TensorProto.DEFAULT:
        raise InvalidModel("model.onnx refers to data outside the model")
    kinds = (onnx.TensorProto.DOUBLE, onnx.TensorProto.INT64, onnx.TensorProto.UINT8)
    _expect(tensor.data_type in kinds and len(tensor.dims) <= 2)
    try:
        return np.asarray(numpy_helper.to_array(tensor))
    except (ValueError, TypeError, OverflowError):
        raise InvalidModel("model.onnx has a tensor whose size and shape differ") from None


def _check_trees(node: onnx.NodeProto, width: int) -> None:
    attributes = {attribute.name: attribute for attribute in node.attribute}
    _expect(set(attributes) == _TREE_ATTRIBUTES and len(node.attribute) == len(attributes))
    _expect([attributes[n].i for n in ("n_targets", "aggregate_function", "post_transform")] == [1, 1, 0])
    splits, modes, weights = (
        _array(attributes[n].t) for n in ("nodes_splits", "nodes_modes", "leaf_weights")
    )
    table = {name: np.array(attributes[name].ints, np.int64) for name in _TREE_INTS}
    roots, targets = (np.array(attributes[n].ints, np.int64) for n in ("tree_roots", "leaf_targetids"))
    inner, leaves = len(splits), len(weights)
    _expect(splits.dtype == weights.dtype == np.float64 and modes.dtype == np.uint8)
    _expect(splits.shape == modes.shape == (inner,) and weights.shape == targets.shape == (leaves,))
    _expect(all(len(column) == inner for column in table.values()) and inner > 0 and len(roots) > 0)
    _expect(not modes.any() and not targets.any() and bool(np.isfinite(weights).all()))
    _expect(not np.isnan(splits).any())
    features = table["nodes_featureids"]
    _expect(bool(((features >= 0) & (features < width)).all()))
    for name in ("nodes_trueleafs", "nodes_falseleafs", "nodes_missing_value_tracks_true"):
        _expect(bool(np.isin(table[name], (0, 1)).all()))
    children = np.concatenate([table["nodes_truenodeids"], table["nodes_falsenodeids"]])
    to_leaf = np.concatenate([table["nodes_trueleafs"], table["nodes_falseleafs"]]).astype(bool)
    # Each node is a root or the child of exactly one node, each leaf the child of exactly one node ...
    _expect(np.array_equal(np.sort(children[to_leaf]), np.arange(leaves)))
    _expect(np.array_equal(np.sort(np.concatenate([children[~to_leaf], roots])), np.arange(inner)))
    # ... and from the roots all are reached, level by level, so that there is no cycle.
    level, reached = roots, 0
    for _ in range(MAX_DEPTH):
        reached += len(level)
        below = np.concatenate([level, level + inner])
        level = children[below][~to_leaf[below]]
        if not len(level):
            break
    _expect(reached == inner and not len(level))
