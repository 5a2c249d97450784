"""Checks that `swift format` does not make: documentation, and the length of lines and functions."""

import ast
import re
from pathlib import Path

from checks import swift

LONGEST_LINE = 120
LONGEST_FUNCTION = 70
GENERATED = re.compile(r"^// swift-format-ignore-file$", re.MULTILINE)
# Witnesses of these protocols need no comment: Equatable, Comparable, Hashable, CustomStringConvertible, Codable.
WITNESS = re.compile(
    r"func\s+(?:==|<)\s*\(|func\s+hash\(into\b|func\s+encode\(to\b|init\(from\s+\w+:\s*any\s+Decoder"
    r"|var\s+(?:description|debugDescription|errorDescription)\s*:"
)


def is_generated(text: str) -> bool:
    return GENERATED.search(text[:2000]) is not None


def is_documented(lines: list, line: int) -> bool:
    """Whether the declaration in `line`, or its attributes, has a `///` comment above it."""
    above = line - 2
    while above >= 0 and re.match(r"\s*(?:@|#if\b|\)\s*$)", lines[above]):
        above -= 1
    return above >= 0 and lines[above].lstrip().startswith("///")


def check_documentation(root: Path, sources: dict):
    """Public declarations have a `///` comment unless they are documented elsewhere: see `is_said_elsewhere`."""
    written = {path: swift.declarations(text) for path, text in sources.items() if not is_generated(text)
               and path.relative_to(root).parts[0] in ("Sources", "sagas")}
    types = swift.Types(declaration for found in written.values() for declaration in found)
    for path, found in written.items():
        lines = sources[path].splitlines()
        for declaration in found:
            if declaration.is_public and declaration.keyword not in ("import", "extension", "deinit"):
                line = declaration.line
                if not is_documented(lines, line) and not is_said_elsewhere(declaration, lines[line - 1], types):
                    yield (f"{path.relative_to(root)}:{line}: {declaration.keyword} {declaration.name} is public "
                           "and has no /// comment")


def is_said_elsewhere(declaration, line: str, types) -> bool:
    """An override; what a protocol requires (one of this project, or of the standard library as in `WITNESS`); an
    initializer that takes nothing but the type's own properties."""
    return ("override" in declaration.modifiers or WITNESS.search(line) is not None
            or types.requires(declaration.around, declaration.name)
            or (declaration.keyword == "init" and declaration.labels <= types.properties[declaration.around]))


def check_lines(root: Path, texts: dict):
    """Checks the length of lines. In Markdown, tables, code blocks and lines with a link may be longer."""
    for path, text in texts.items():
        if is_generated(text) or not (path.suffix == ".md" or is_code(path, text)):
            continue
        in_block = False
        for number, line in enumerate(text.splitlines(), 1):
            if path.suffix == ".md":
                in_block ^= line.lstrip().startswith("```")
                if in_block or line.lstrip().startswith("|") or re.search(r"\bhttps?://", line):
                    continue
            if len(line) > LONGEST_LINE:
                yield f"{path.relative_to(root)}:{number}: {len(line)} columns"


def is_code(path: Path, text: str) -> bool:
    return (path.suffix in (".swift", ".py", ".sh", ".c", ".h", ".sql") or path.name == "Makefile"
            or re.match(r"#!.*\b(?:sh|bash|python3?)\b", text) is not None)


def is_python(path: Path, text: str) -> bool:
    return path.suffix == ".py" or re.match(r"#!.*\bpython3?\b", text) is not None


def check_functions(root: Path, texts: dict):
    """Checks the length of functions, from the line of the name to the end of the body."""
    for path, text in texts.items():
        if is_generated(text):
            continue
        if path.suffix == ".swift":
            found = swift.functions(text)
        elif is_python(path, text):
            found = ((node.lineno, node.name, node.end_lineno - node.lineno + 1) for node in ast.walk(ast.parse(text))
                     if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)))
        else:
            continue
        for line, name, length in found:
            if length > LONGEST_FUNCTION:
                yield f"{path.relative_to(root)}:{line}: {name} has {length} lines"
