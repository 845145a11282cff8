"""What lets moto read an expression of DynamoDB's once, and walk its tree quickly.

moto reads the text of each expression two or three times a call, copies an update's tree with all that pickling knows,
and walks the copy for each of ten checks, asking at each node by abstract base classes: milliseconds for the update of
a conversation's head. An expression's text is one of few, its values are others each time: what hangs on the text is
kept here; what remains is moto's own. `tests/contract/embedded_aws` compares the answers with those of moto as it is.
"""

from __future__ import annotations

from enum import Enum
from functools import cache, lru_cache
from typing import Any

from moto.dynamodb import comparisons
from moto.dynamodb.parsing import ast_nodes, expressions, validators

_KEPT_TEXTS = 512
_NODES: Any = ast_nodes
_EXPRESSIONS: Any = expressions
_CONDITIONS: Any = comparisons.ConditionExpressionParser


@cache
def parse_expressions_once() -> None:
    """Do so from now on, in this process."""
    parser = _EXPRESSIONS.UpdateExpressionParser
    parser.make = lru_cache(_KEPT_TEXTS)(parser.make)
    _NODES.Node.__deepcopy__ = _copied
    _NODES.Node.find_clauses = _find_clauses
    _NODES.DepthFirstTraverser.traverse = _traverse
    resolving: Any = validators.ExpressionAttributeResolvingProcessor
    resolving.pre_processing_of_child = _before_child
    _check_at_the_root(validators.ActionCountValidator, "verify_action_counts")
    _check_at_the_root(validators.OverlappingPathsValidator, "check_for_overlapping_paths")
    _parse_conditions_once()


# ---- the tree of an update


def _copied(node: Any, memo: dict[int, Any]) -> Any:
    """Copy a tree: nodes alone, for its leaves are names and numbers that nobody changes."""
    found = object.__new__(type(node))
    found.type = node.type
    found.parent = memo.get(id(node.parent))
    memo[id(node)] = found
    if node.children is None:
        found.children = None
    else:
        found.children = [_copied(each, memo) if _is_node(each.__class__) else each for each in node.children]
    return found


@cache
def _is_node(kind: Any) -> bool:
    return issubclass(kind, _NODES.Node)


@cache
def _is_looked_into(kind: Any) -> bool:
    return issubclass(kind, (_NODES.Expression, _NODES.UpdateExpressionFunction))


def _find_clauses(self: Any, clause_types: list[type]) -> list[Any]:
    clauses = []
    for child in self.children or ():
        kind = child.__class__
        if kind in clause_types:
            clauses.append(child)
        elif _is_looked_into(kind):
            clauses += child.find_clauses(clause_types)
    return clauses


def _traverse(self: Any, root: Any) -> Any:
    """Process a tree's nodes from the leaves up; `process` and the hook before each child are the traverser's own."""
    concerned = self.nodes_to_be_processed()
    processor = self.__class__
    asked = processor.pre_processing_of_child is not _NODES.DepthFirstTraverser.pre_processing_of_child

    def walk(node: Any, child_id: int) -> Any:
        parent = node.parent
        for place, child in enumerate(node.children or ()):
            if asked:
                self.pre_processing_of_child(node, place)
            role = _role(child.__class__, concerned)
            if role is not _Role.NONE:
                walk(child, place)
        if _role(node.__class__, concerned) is _Role.PROCESSED:
            node = self.process(node)
            node.parent = parent
            if parent:
                parent.children[child_id] = node
        return node

    return walk(root, -1)


class _Role(Enum):
    """What a traverser does with a node of a class: nothing at all, look below it, or process it."""

    NONE, INNER, PROCESSED = range(3)


@cache
def _role(kind: Any, concerned: Any) -> _Role:
    if issubclass(kind, concerned):
        return _Role.PROCESSED
    inner = issubclass(kind, _NODES.Node) and not issubclass(kind, (_NODES.LeafNode, _NODES.DDBTypedValue))
    return _Role.INNER if inner else _Role.NONE


def _before_child(self: Any, parent_node: Any, child_id: int) -> None:
    """Tell the path that an action changes from the values that it reads, as moto does by abstract classes."""
    if parent_node.__class__ in _ACTIONS:
        self.resolving = child_id != 0


_ACTIONS = frozenset(getattr(_NODES, f"UpdateExpression{name}Action") for name in ("Set", "Remove", "Delete", "Add"))


def _check_at_the_root(validator: Any, name: str) -> None:
    """Let a check that moto makes at each node of the tree be made at the root, which holds all that they hold.

    Where it fails, moto's own walk says with which error.
    """
    traverse = validator.traverse

    def check(self: Any, root: Any) -> Any:
        try:
            return getattr(self, name)(root)
        except Exception:
            return traverse(self, root)

    validator.traverse = check


# ---- conditions


def _parse_conditions_once() -> None:
    """Keep what a condition's text and its names make; the values are put in at each call."""
    parse = _CONDITIONS.parse
    make_operand = _CONDITIONS._make_operand  # noqa: SLF001
    make_condition = _CONDITIONS._make_op_condition  # noqa: SLF001
    kept: dict[Any, tuple[Any, list[str], list[str]]] = {}

    def parse_once(self: Any) -> Any:
        names, values = self.expression_attribute_names, self.expression_attribute_values
        text = (self.condition_expression, *sorted((names or {}).items()))
        if text in kept:
            tree, names_found, values_found = kept[text]
            if not values_found or (values and all(name in values for name in values_found)):
                self.expr_attr_names_found += names_found
                self.expr_attr_values_found += values_found
                return make_condition(self, tree)
        made = parse(self)
        if self.condition_expression and "_tree" in vars(self):
            if len(kept) >= _KEPT_TEXTS:
                kept.clear()
            kept[text] = (self._tree, list(self.expr_attr_names_found), list(self.expr_attr_values_found))
        return made

    def condition(self: Any, node: Any) -> Any:
        vars(self).setdefault("_tree", node)  # the root comes first
        return make_condition(self, node)

    def operand(self: Any, node: Any) -> Any:
        if node.kind == self.Kind.EXPRESSION_ATTRIBUTE_VALUE:
            return comparisons.AttributeValue(self.expression_attribute_values[node.text])
        return make_operand(self, node)

    _CONDITIONS.parse = parse_once
    _CONDITIONS._make_op_condition = condition  # noqa: SLF001
    _CONDITIONS._make_operand = operand  # noqa: SLF001
