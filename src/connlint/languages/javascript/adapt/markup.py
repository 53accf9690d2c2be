"""JSX."""

from __future__ import annotations

from typing import Any, ClassVar

from connlint.languages.javascript.adapt.walk import SKIP, Walk
from connlint.languages.javascript.estree import Node
from connlint.languages.javascript.literals import referenced


class Markup(Walk):
    """Elements, as esprima has them."""

    KINDS: ClassVar[dict[str, str]] = {
        "jsx_element": "jsx_element", "jsx_self_closing_element": "jsx_lone", "jsx_expression": "jsx_expression",
    }

    def jsx_element(self, n: Any) -> Node:
        opening = n.child_by_field_id(self.f.open_tag)
        children = [self.convert(c) for c in n.named_children
                    if c.type not in ("jsx_opening_element", "jsx_closing_element", "jsx_text") and c.type not in SKIP]
        return Node(type="JSXElement", range=self.at(n), openingElement=self.jsx_opening(opening),
                    children=[c for c in children if c is not None])

    def jsx_lone(self, n: Any) -> Node:
        return Node(type="JSXElement", range=self.at(n), openingElement=self.jsx_opening(n), children=[])

    def jsx_opening(self, n: Any) -> Node:
        name = n.child_by_field_id(self.f.name)
        attributes = [self.jsx_attribute(c) if c.type == "jsx_attribute" else self.convert(c)
                      for c in n.named_children if c.type in ("jsx_attribute", "jsx_expression")]
        return Node(type="JSXOpeningElement", range=self.at(n), name=None if name is None else self.jsx_name(name),
                    attributes=[a for a in attributes if a is not None])

    def jsx_name(self, n: Any) -> Node:
        if n.type == "identifier":
            return Node(type="JSXIdentifier", range=self.at(n), name=self.text(n))
        if n.type in ("member_expression", "nested_identifier"):
            return Node(type="JSXMemberExpression", range=self.at(n),
                        object=self.jsx_name(n.child_by_field_id(self.f.object)),
                        property=Node(type="JSXIdentifier", range=self.at(n.child_by_field_id(self.f.property)),
                                      name=self.text(n.child_by_field_id(self.f.property))))
        return Node(type="JSXNamespacedName", range=self.at(n))

    def jsx_attribute(self, n: Any) -> Node:
        named = [c for c in n.named_children if c.type not in SKIP]
        value = None
        if len(named) > 1:
            if named[1].type == "string":
                raw = self.text(named[1])
                value = Node(type="Literal", range=self.at(named[1]), raw=raw, value=referenced(raw[1:-1]))
            else:
                value = self.convert(named[1])
        name = Node(type="JSXIdentifier", range=self.at(named[0]), name=self.text(named[0])) if named else None
        return Node(type="JSXAttribute", range=self.at(n), name=name, value=value)

    def jsx_expression(self, n: Any) -> Any:
        inner = self.first(n)
        if inner is None:
            return None
        if inner.type == "spread_element":
            return Node(type="JSXSpreadAttribute", range=self.at(n), argument=self.inner(inner))
        return Node(type="JSXExpressionContainer", range=self.at(n), expression=self.convert(inner))
