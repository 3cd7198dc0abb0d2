"""Style sheets and style attributes of what an answer shows, so that they style it and nothing else, and load nothing.

No script runs in a style sheet, but it can load a picture whose address tells what was on the page, and cover the page.
"""

from __future__ import annotations

import re
from typing import Any

import tinycss2

_BANNED = frozenset({"behavior", "binding", "-moz-binding"})
# Functions that load what a plain text in them names.
_LOADING = frozenset(
    {"image", "image-set", "-webkit-image-set", "cross-fade", "-webkit-cross-fade", "src", "expression"}
)
_LOADING |= {"element", "-moz-element", "paint"}
_GROUPS = frozenset({"media", "supports", "container"})
_KEYFRAMES = frozenset({"keyframes", "-webkit-keyframes"})
PICTURE = re.compile(r"\s*data:image/(png|jpe?g|gif|webp|bmp);base64,[A-Za-z0-9+/=\s]*\Z", re.I)
_DEEP = 10


def address_is_safe(address: str) -> bool:
    """Whether what an address names is in the page already, or in the address itself."""
    return address.strip().startswith("#") or PICTURE.match(address) is not None


def value_is_safe(tokens: list[Any]) -> bool:
    """Whether a value of CSS loads nothing. `tokens`: tinycss2's."""
    for token in tokens:
        if token.type in ("error", "bad-url", "bad-string") or (
            token.type == "url" and not address_is_safe(token.value)
        ):
            return False
        if token.type == "function":
            if token.lower_name in _LOADING:
                return False
            if token.lower_name == "url":
                held = [part for part in token.arguments if part.type not in ("whitespace", "comment")]
                if len(held) != 1 or held[0].type != "string" or not address_is_safe(held[0].value):
                    return False
            elif not value_is_safe(token.arguments):
                return False
        if token.type in ("() block", "[] block", "{} block") and not value_is_safe(token.content):
            return False
    return True


def text_is_safe(value: str) -> bool:
    """Whether a value of CSS in an attribute (`fill`, `clip-path`) loads nothing."""
    return value_is_safe(tinycss2.parse_component_value_list(value))


def declarations(css: str) -> str:
    """A style attribute without what loads anything or leaves its place in the page."""
    return _kept(tinycss2.parse_blocks_contents(css))


def sheet(css: str, scope: str) -> str:
    """A style sheet whose rules hold within elements of the class `scope` only. It has no `<` in it."""
    rules = tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True)
    return _rules(rules, f".{scope}", 0).replace("<", "\\3c ")


def _rules(rules: list[Any], scope: str, depth: int) -> str:
    kept = []
    for rule in rules:
        if rule.type == "qualified-rule":
            kept.append(f"{_scoped(rule.prelude, scope)} {{{_kept(tinycss2.parse_blocks_contents(rule.content))}}}")
        elif rule.type == "at-rule" and rule.content is not None and depth < _DEEP and value_is_safe(rule.prelude):
            name, prelude = rule.lower_at_keyword, tinycss2.serialize(rule.prelude)
            inner = tinycss2.parse_rule_list(rule.content, skip_comments=True, skip_whitespace=True)
            if name in _GROUPS:
                kept.append(f"@{name}{prelude}{{\n{_rules(inner, scope, depth + 1)}\n}}")
            elif name in _KEYFRAMES:
                steps = [rule for rule in inner if rule.type == "qualified-rule"]
                texts = [
                    f"{tinycss2.serialize(step.prelude)}{{{_kept(tinycss2.parse_blocks_contents(step.content))}}}"
                    for step in steps
                ]
                kept.append(f"@{name}{prelude}{{\n{' '.join(texts)}\n}}")
    return "\n".join(kept)


def _kept(parts: list[Any]) -> str:
    kept = [part for part in parts if part.type == "declaration" and _is_kept(part)]
    return "; ".join(
        f"{part.name}: {tinycss2.serialize(part.value).strip()}{' !important' if part.important else ''}"
        for part in kept
    )


def _is_kept(declaration: Any) -> bool:
    if declaration.lower_name in _BANNED or not value_is_safe(declaration.value):
        return False
    # What is fixed to the window could cover the page, and pass for a part of it.
    words = {token.lower_value for token in declaration.value if token.type == "ident"}
    return not (declaration.lower_name == "position" and "fixed" in words)


def _scoped(prelude: list[Any], scope: str) -> str:
    selectors: list[list[Any]] = [[]]
    for token in prelude:
        if token.type == "literal" and token.value == ",":
            selectors.append([])
        else:
            selectors[-1].append(token)
    texts = [tinycss2.serialize(selector).strip() for selector in selectors]
    return ", ".join(
        scope + text.removeprefix(":root") if text.startswith(":root") else f"{scope} {text}" for text in texts if text
    )
