"""The functions of a JavaScript or TypeScript file as tree-sitter shows them, without lowering it."""

from __future__ import annotations

from typing import Any

from connlint.languages.javascript.parse_tree_sitter import Dialect, query, tree
from connlint.model.region import Region

AT_ONCE = (b"map", b"forEach", b"filter", b"reduce", b"some", b"every", b"flatMap", b"find", b"from")
"""Methods that call the function handed to them before they return."""
_QUERY = """[
  (function_declaration) (generator_function_declaration) (function_expression) (generator_function)
  (arrow_function) (method_definition) (public_field_definition)
] @function"""
_WRAPPERS = ("parenthesized_expression", "as_expression", "satisfies_expression", "non_null_expression",
             "await_expression", "type_assertion")


def regions(data: bytes, dialect: Dialect) -> list[Region]:
    """The bodies of all functions that do not run where they stand, in order of their start."""
    captures = query(dialect, _QUERY).captures(tree(data, dialect).root_node)
    found = [region for node in captures.get("function", ()) if (region := _region(node)) is not None]
    return sorted(found, key=lambda region: (region.start, -region.end))


def _region(node: Any) -> Region | None:
    kind = node.type
    if kind == "public_field_definition":
        # the value of an instance field is made by the constructor
        if any(child.type == "static" for child in node.children):
            return None
        return Region(node.start_byte, node.end_byte, _class_names(node))
    if kind == "method_definition":
        name = _text(node.child_by_field_name("name"))
        above = node.parent
        if above is not None and above.type == "class_body":
            names = _class_names(node)
            if name == "constructor":
                return _body(node, names)
            return _body(node, (name,), owner=names[0] if names else "", getter=_is_getter(node))
        return _body(node, (name,), getter=_is_getter(node))
    if kind in ("function_declaration", "generator_function_declaration"):
        above = node.parent
        exported = above is not None and above.type == "export_statement"
        outer = above is not None and (above.type == "program" or exported)
        return _body(node, (_text(node.child_by_field_name("name")),), inner=not outer,
                     default=exported and _is_default(above))
    return _expression(node)


def _expression(node: Any) -> Region | None:
    """An arrow function or function expression: what it is given to, if anybody can call it by a name."""
    own = node.child_by_field_name("name")
    names = {_text(own)} if own is not None else set()
    child, above, calls = node, node.parent, 0
    while above is not None:
        kind = above.type
        if kind in _WRAPPERS:
            pass
        elif kind == "call_expression" and child == above.child_by_field_name("function"):
            return None  # called where it stands
        elif kind == "member_expression" and _text(above.child_by_field_name("property")) in ("call", "apply"):
            return None
        elif kind == "arguments" and calls < 2:
            call = above.parent
            if _runs_at_once(call, node):
                return None
            # what a call makes of it may be kept: const get = once(() => …)
            above, calls = call, calls + 1
        else:
            break
        child, above = above, above.parent
    default = False
    if above is not None:
        if above.type == "variable_declarator":
            names.add(_text(above.child_by_field_name("name")))
        elif above.type in ("assignment_expression", "augmented_assignment_expression"):
            left = above.child_by_field_name("left")
            prop = left.child_by_field_name("property") if left.type == "member_expression" else None
            names.add(_text(prop if prop is not None else left))
            default = _text(left) == "module.exports"
        elif above.type in ("pair", "public_field_definition"):
            key = above.child_by_field_name("key") or above.child_by_field_name("name")
            names.add(_text(key).strip("'\""))
        elif above.type == "export_statement":
            default = True
    return _body(node, tuple(sorted(name for name in names if name)), default=default)


def _runs_at_once(call: Any, function: Any) -> bool:
    if call is None:
        return False
    if call.type == "new_expression":
        return _text(call.child_by_field_name("constructor")) == "Promise"
    callee = call.child_by_field_name("function")
    if callee is None or callee.type != "member_expression":
        return False
    name = callee.child_by_field_name("property")
    return name is not None and name.text in AT_ONCE and not any(c.type == "async" for c in function.children)


def _class_names(node: Any) -> tuple[str, ...]:
    """The names of the class around a member: its own, and the variable that a class expression is given to."""
    cls = node.parent.parent if node.parent is not None else None
    if cls is None:
        return ()
    names = [_text(name)] if (name := cls.child_by_field_name("name")) is not None else []
    if cls.parent is not None and cls.parent.type == "variable_declarator":
        names.append(_text(cls.parent.child_by_field_name("name")))
    return tuple(names)


def _is_default(statement: Any) -> bool:
    return any(child.type == "default" for child in statement.children)


def _is_getter(method: Any) -> bool:
    return any(child.type == "get" for child in method.children)


def _body(node: Any, names: tuple[str, ...], *, owner: str = "", inner: bool = False, default: bool = False,
          getter: bool = False) -> Region:
    body = node.child_by_field_name("body") or node
    return Region(body.start_byte, body.end_byte, names, owner, inner, default, getter)


def _text(node: Any) -> str:
    return "" if node is None else node.text.decode("utf-8", "replace")
