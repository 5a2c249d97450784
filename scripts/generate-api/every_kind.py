"""A schema for the tests: every kind of field in every position, including those that the contract does not use."""

from google.protobuf import descriptor_pb2

Field = descriptor_pb2.FieldDescriptorProto

FILE_NAME = "sagamore/test/every_kind.proto"
PACKAGE = "sagamore.test"

SCALARS = [
    "double", "float", "int64", "uint64", "int32", "fixed64", "fixed32", "bool", "string", "bytes", "uint32",
    "sfixed32", "sfixed64", "sint32", "sint64",
]  # fmt: skip
KINDS = [*SCALARS, "enum", "message"]
KEYS = [kind for kind in SCALARS if kind not in ("double", "float", "bytes")]


def file_descriptor():
    """The descriptor of the whole file."""
    file = descriptor_pb2.FileDescriptorProto(name=FILE_NAME, package=PACKAGE, syntax="proto3")
    color = file.enum_type.add(name="Color")
    for number, name in [(0, "COLOR_UNSPECIFIED"), (1, "COLOR_RED"), (-2, "COLOR_BLACK"), (70000, "COLOR_LEAF_GREEN")]:
        color.value.add(name=name, number=number)
    leaf = file.message_type.add(name="Leaf")
    add(leaf, 1, "text", "string")
    message = file.message_type.add(name="EveryKind")
    for index, kind in enumerate(KINDS):
        add(message, 1 + index, f"plain_{kind}", kind)
        add(message, 101 + index, f"repeated_{kind}", kind, repeated=True)
        add(message, 151 + index, f"unpacked_{kind}", kind, repeated=True)
        if kind not in ("string", "bytes", "message"):
            message.field[-1].options.packed = False
        add_map(message, 301 + index, f"map_to_{kind}", "string", kind)
    message.oneof_decl.add(name="choice")
    for index, kind in enumerate(KINDS):
        add(message, 201 + index, f"choice_{kind}", kind).oneof_index = 0
    for index, kind in enumerate(KEYS):
        add_map(message, 401 + index, f"map_from_{kind}", kind, "string")
    for index, kind in enumerate(KINDS[:-1]):
        field = add(message, 51 + index, f"optional_{kind}", kind)
        field.proto3_optional = True
        field.oneof_index = len(message.oneof_decl)
        message.oneof_decl.add(name=f"_optional_{kind}")
    add(message, 536870911, "myself", "message").type_name = f".{PACKAGE}.EveryKind"
    for number, name in enumerate(["class", "protocol", "self", "init", "type", "http_url", "ids"]):
        add(message, 600 + number, name, "string")
    return file


def add(message, number: int, name: str, kind: str, repeated: bool = False):
    label = Field.LABEL_REPEATED if repeated else Field.LABEL_OPTIONAL
    field = message.field.add(name=name, number=number, label=label, type=getattr(Field, f"TYPE_{kind.upper()}"))
    if kind == "enum":
        field.type_name = f".{PACKAGE}.Color"
    if kind == "message":
        field.type_name = f".{PACKAGE}.Leaf"
    return field


def add_map(message, number: int, name: str, key: str, value: str) -> None:
    entry_name = "".join(part.capitalize() for part in name.split("_")) + "Entry"
    entry = message.nested_type.add(name=entry_name)
    entry.options.map_entry = True
    add(entry, 1, "key", key)
    add(entry, 2, "value", value)
    field = add(message, number, name, "message", repeated=True)
    field.type_name = f".{PACKAGE}.{message.name}.{entry_name}"
