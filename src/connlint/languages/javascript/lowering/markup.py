"""JSX."""

from __future__ import annotations

from typing import Any, ClassVar

from connlint.languages.javascript.lowering.walk import Walk
from connlint.model import program as p

_LOADING = frozenset(("img", "iframe", "video", "audio", "source", "embed", "script", "track"))
"""Elements that load what stands at the address ``src``."""


class Markup(Walk):
    """Elements."""

    EXPRESSIONS: ClassVar[dict[str, str]] = {
        "JSXElement": "jsx",
    }

    def jsx(self, node: Any) -> p.Expression:
        """An element: its component, the values of its attributes, its children. Text between tags says nothing."""
        parts: list[p.Expression] = []
        opening = node.openingElement
        component = self.component(opening.name)
        if component is not None:
            parts.append(component)
        for attribute in opening.attributes:
            value = attribute.argument if attribute.type == "JSXSpreadAttribute" else attribute.value
            before = len(parts)
            self.jsx_part(value, parts)
            if attribute.type == "JSXAttribute" and len(parts) > before:
                if self.leads(attribute.name):
                    parts.append(p.Opaque("jsx link", (parts.pop(),), attribute.range))
                elif component is None and self.loads(opening.name, attribute.name):
                    parts.append(p.Opaque("jsx source", (parts.pop(),), attribute.range))
        for child in node.children:
            before = len(parts)
            self.jsx_part(child, parts)
            if component is None and child.type == "JSXExpressionContainer" and len(parts) > before:
                # what stands between the tags of the page's own elements is what people read
                parts.append(p.Opaque("jsx text", (parts.pop(),), child.range))
        return p.Opaque("jsx", tuple(parts), node.range)

    @staticmethod
    def leads(name: Any) -> bool:
        """Whether an attribute of this name holds the address that a link leads to."""
        return name is not None and name.type == "JSXIdentifier" and name.name == "href"

    @staticmethod
    def loads(element: Any, name: Any) -> bool:
        """Whether an attribute of this name holds an address from which a browser loads what it shows."""
        if name is None or name.type != "JSXIdentifier" or element is None or element.type != "JSXIdentifier":
            return False
        return name.name == "src" and element.name in _LOADING

    def jsx_part(self, node: Any, parts: list[p.Expression]) -> None:
        if node is None or node.type in ("JSXText", "JSXEmptyExpression"):
            return
        if node.type == "JSXExpressionContainer":
            if node.expression is not None and node.expression.type != "JSXEmptyExpression":
                parts.append(self.expression(node.expression))
        elif node.type == "JSXSpreadAttribute":
            parts.append(self.expression(node.argument))
        else:
            parts.append(self.expression(node))

    def component(self, name: Any) -> p.Expression | None:
        """The value that a tag names: ``<Pool>`` and ``<pg.Pool>`` do, ``<div>`` does not."""
        if name is None or name.type == "JSXNamespacedName":
            return None
        if name.type == "JSXIdentifier":
            return p.Name(name.name, name.range) if name.name[:1].isupper() else None
        of = name.object
        owner = p.Name(of.name, of.range) if of.type == "JSXIdentifier" else self.component(of)
        if owner is None:
            return None
        return p.Member(owner, name.property.name, name.range, name.property.range)
