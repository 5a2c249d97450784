"""A partial parser of Swift sources for the checks: text without comments and strings, declarations, functions."""

import re
from collections import defaultdict
from dataclasses import dataclass

TOKEN = re.compile(r'`[^`\n]*`|//[^\n]*|/\*|(#*)("""|")')
# Modifiers of declarations.
MODIFIERS = (
    r"(?:@\w+(?:\([^)\n]*\))?\s+|(?:static|class|final|mutating|nonmutating|override|convenience|required|lazy|weak"
    r"|unowned|nonisolated|indirect|borrowing|consuming|dynamic|(?:public|package|internal|fileprivate|private|open)"
    r"(?:\(set\))?)(?:\(\w+\))?\s+)*"
)
DECLARATION = re.compile(
    rf"^[ \t]*({MODIFIERS})(func|init|var|let|subscript|struct|class|enum|actor|protocol|typealias|associatedtype|case"
    r"|deinit|extension|import)\b[?!]?\s*(\w+|`[^`\n]+`|[^\s\w(]+(?=[\s<(]))?",
    re.MULTILINE,
)
PUBLIC = re.compile(r"\b(?:public|open)\b(?!\()")
TYPES = {"struct", "class", "enum", "actor", "protocol", "extension"}


def blank(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)


def code_only(text: str) -> str:
    """The text with comments and string contents replaced by spaces, which preserves offsets and lines."""
    parts, at = [], 0
    while match := TOKEN.search(text, at):
        parts.append(text[at:match.start()])
        if match[0].startswith("`"):
            parts.append(match[0])
            at = match.end()
            continue
        if match[0].startswith("//"):
            end = match.end()
        elif match[0] == "/*":
            end = text.find("*/", match.end()) + 2
        else:
            end = string_end(text, match.end(), match[1], match[2])
        parts.append(blank(text[match.start():end]))
        at = end
    return "".join(parts) + text[at:]


def string_end(text: str, at: int, pounds: str, quotes: str) -> int:
    """The end of a string that began before `at`. Interpolations may contain strings."""
    stop = re.compile(rf"(?P<close>{quotes}{pounds})|\\{pounds}(?P<open>\()|\\{pounds}[^\n]" if not pounds else
                      rf"(?P<close>{quotes}{pounds})|\\{pounds}(?P<open>\()")
    while match := stop.search(text, at):
        at = match.end()
        if match["close"]:
            return at
        if match["open"]:
            at = interpolation_end(text, at)
    return len(text)


def interpolation_end(text: str, at: int) -> int:
    depth = 1
    while depth and (match := re.compile(r'[()]|(#*)("""|")').search(text, at)):
        at = match.end()
        if match[2]:
            at = string_end(text, at, match[1], match[2])
        else:
            depth += 1 if match[0] == "(" else -1
    return at


def closing(code: str, opening: int) -> int:
    """The offset of the brace that closes the one at `opening`."""
    depth = 0
    for match in re.compile(r"[{}]").finditer(code, opening):
        depth += 1 if match[0] == "{" else -1
        if depth == 0:
            return match.start()
    return len(code)


def line_at(text: str, offset: int) -> int:
    return text.count("\n", 0, offset) + 1


def body(code: str, at: int):
    """The start of the body of a declaration that continues at `at`; None without a body before the line ends."""
    depth = 0
    for match in re.compile(r"[(\[{)\]}\n]").finditer(code, at):
        if match[0] == "{" and depth == 0:
            return match.start()
        if match[0] in "([{":
            depth += 1
        elif match[0] in ")]}":
            depth -= 1
            if depth < 0:
                return None
        elif depth == 0 and not re.match(r"\s*(?:->|async\b|throws\b|where\b|\{)", code[match.start():]):
            return None
    return None


def functions(text: str):
    """Each function and initializer with a body: its line, its name and how many lines it has."""
    code = code_only(text)
    for match in DECLARATION.finditer(code):
        if match[2] in ("func", "init", "deinit", "subscript"):
            start = body(code, match.end())
            if start is not None:
                first = line_at(code, match.start(2))
                yield first, match[3] or match[2], line_at(code, closing(code, start)) - first + 1


@dataclass
class Declaration:
    """A declaration in a type or a file."""

    line: int
    modifiers: str
    keyword: str
    name: str
    # The innermost enclosing type; "" at file level.
    around: str
    is_public: bool
    # A type's protocols and superclass, with the names in their generic arguments.
    parents: set
    # A function's argument labels.
    labels: set


def declarations(text: str) -> list:
    """The declarations of a source file, except those inside functions."""
    code, found, scopes = code_only(text), [], []
    for match in DECLARATION.finditer(code):
        modifiers, keyword, name = match[1], match[2], match[3] or match[2]
        while scopes and scopes[-1].end < match.start():
            scopes.pop()
        around = scopes[-1] if scopes else Scope(len(code), "file", "", False)
        if around.keyword not in TYPES | {"file"}:
            continue
        # Requirements of public protocols and cases of public enums are public without saying so.
        inherits = around.keyword == "protocol" or (around.keyword == "enum" and keyword == "case")
        is_public = (inherits and around.is_public) or PUBLIC.search(modifiers) is not None
        start = body(code, match.end()) if keyword not in ("case", "let", "import", "typealias") else None
        head = code[match.end():start] if start is not None else ""
        if start is not None:
            scopes.append(Scope(closing(code, start), keyword, name, is_public))
        found.append(Declaration(
            line_at(code, match.start(2)), modifiers, keyword, name, around.name, is_public,
            set(re.findall(r"\w+", head)) if keyword in TYPES else set(),
            set(re.findall(r"[(,]\s*(?:\w+\s+)?(\w+)\s*:", head)) if keyword == "init" else set(),
        ))
    return found


@dataclass
class Scope:
    """A body that contains declarations."""

    end: int
    keyword: str
    name: str
    is_public: bool


class Types:
    """Facts about types, collected from their declarations."""

    def __init__(self, found):
        self.properties, self.parents, self.requirements = defaultdict(set), defaultdict(set), defaultdict(set)
        protocols, members = set(), defaultdict(set)
        for each in found:
            if each.keyword in TYPES:
                self.parents[each.name] |= each.parents
            if each.keyword == "protocol":
                protocols.add(each.name)
            if each.keyword in ("let", "var"):
                self.properties[each.around].add(each.name)
            members[each.around].add(each.name)
        self.requirements.update({name: members[name] for name in protocols})

    def requires(self, name: str, member: str) -> bool:
        """Whether a protocol of the type requires a member of this name."""
        return any(member in self.requirements[parent] for parent in self.parents[name] if parent in self.requirements)
