"""Swift names for names of the schema."""

import contract

ABBREVIATIONS = {"id", "url", "http", "https"}

KEYWORDS = set(
    """
    actor as associatedtype break case catch class continue default defer deinit do else enum extension fallthrough
    false fileprivate for func guard if import in inout internal is let nil open operator precedencegroup private
    protocol public repeat rethrows return static struct subscript super switch throw throws true try typealias var
    where while
    """.split()
)

# Words that backticks cannot escape.
IMPOSSIBLE = {"self", "Self", "init", "Type", "Protocol"}

# Names that nested types must not have, because they would shadow types in the generated code.
RESERVED_TYPES = {"Any", "Type", "Protocol", "Self", "String", "Double", "Float", "Bool", "Int32", "Int64"}


def words(name: str) -> list:
    return [word for word in name.split("_") if word]


def upper_camel(name: str) -> str:
    parts = words(name)
    return "".join(part.upper() if part in ABBREVIATIONS else part[:1].upper() + part[1:] for part in parts)


def lower_camel(name: str) -> str:
    first, *rest = words(name)
    return first[:1].lower() + first[1:] + upper_camel("_".join(rest))


def escaped(name: str) -> str:
    if name in IMPOSSIBLE:
        return name + "_"
    return f"`{name}`" if name in KEYWORDS else name


def member(name: str) -> str:
    """The property or case for a field or oneof."""
    return escaped(lower_camel(name))


def top_level(name: str, package: str, counts: dict) -> str:
    if package == "google.protobuf":
        return "Protobuf" + name
    if package in contract.PLAIN_PACKAGES:
        return name
    if name in contract.AMBIGUOUS_NAMES or counts.get(name, 0) > 1:
        return package_prefix(package) + name
    return name


def package_prefix(package: str) -> str:
    parts = [part for part in package.split(".") if not (part[0] == "v" and part[1:].isdigit())]
    return contract.PACKAGE_NAMES.get(parts[-1], upper_camel(parts[-1]))


def nested(name: str, suffix: str) -> str:
    return name + suffix if name in RESERVED_TYPES else name


def enum_prefix(enum_name: str, value_names: list) -> str:
    """The common prefix of all values, when it is the enum's name: `EVENT_TYPE_`."""
    plain = enum_name.lower()
    for length in range(1, len(value_names[0])):
        prefix = value_names[0][:length]
        if prefix.endswith("_") and prefix.replace("_", "").lower() == plain:
            if all(name.startswith(prefix) and not name[length:][:1].isdigit() for name in value_names):
                return prefix
    return ""


def enum_value(name: str, prefix: str) -> str:
    return escaped(lower_camel(name[len(prefix):].lower()))


def file_name(proto_file: str) -> str:
    """`temporal/api/enums/v1/event_type.proto` becomes `EnumsEventType`."""
    folders, _, last = proto_file.removesuffix(".proto").rpartition("/")
    folder = package_prefix(folders.replace("/", "."))
    return folder if last in ("message", folder.lower()) else folder + upper_camel(last)
