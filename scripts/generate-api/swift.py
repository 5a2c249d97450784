"""Swift source for messages, enums and services."""

from schema import Field, in_oneof
import names

# By schema type: letter in `ProtobufFields`, Swift type, method of reader and writer, default, wire type.
SCALARS = {
    Field.TYPE_DOUBLE: ("d", "Double", "double", "0", 1),
    Field.TYPE_FLOAT: ("f", "Float", "float", "0", 5),
    Field.TYPE_INT64: ("l", "Int64", "int64", "0", 0),
    Field.TYPE_UINT64: ("v", "UInt64", "uint64", "0", 0),
    Field.TYPE_INT32: ("i", "Int32", "int32", "0", 0),
    Field.TYPE_FIXED64: ("x", "UInt64", "fixed64", "0", 1),
    Field.TYPE_FIXED32: ("w", "UInt32", "fixed32", "0", 5),
    Field.TYPE_BOOL: ("b", "Bool", "bool", "false", 0),
    Field.TYPE_STRING: ("s", "String", "string", '""', 2),
    Field.TYPE_BYTES: ("t", "[UInt8]", "bytes", "[]", 2),
    Field.TYPE_UINT32: ("u", "UInt32", "uint32", "0", 0),
    Field.TYPE_SFIXED32: ("W", "Int32", "sfixed32", "0", 5),
    Field.TYPE_SFIXED64: ("X", "Int64", "sfixed64", "0", 1),
    Field.TYPE_SINT32: ("z", "Int32", "sint32", "0", 0),
    Field.TYPE_SINT64: ("y", "Int64", "sint64", "0", 0),
}
LENGTH_DELIMITED = 2


class Lines:
    """Collects indented lines."""

    def __init__(self, depth: int = 0) -> None:
        self.lines: list = []
        self.depth = depth

    def add(self, text: str = "") -> None:
        self.lines.append("    " * self.depth + text if text else "")

    def open(self, text: str) -> None:
        self.add(text)
        self.depth += 1

    def close(self, text: str = "}") -> None:
        self.depth -= 1
        self.add(text)


class Emitter:
    def __init__(self, schema, module: str) -> None:
        self.schema = schema
        self.module = module

    # Types

    def type_name(self, full_name: str, owner) -> str:
        """A type's name inside `owner`, qualified with the module if a nested type shadows it."""
        item = self.schema.messages.get(full_name) or self.schema.enums[full_name]
        first = item.swift_name.split(".")[0]
        scope = owner
        while scope is not None:
            hidden = [inner.swift_name.split(".")[-1] for inner in [*scope.nested, *scope.enums]]
            if first in hidden:
                return f"{self.module}.{item.swift_name}"
            scope = scope.parent
        return item.swift_name

    def element_type(self, owner, item, raw_owner=None) -> str:
        if item.type == Field.TYPE_MESSAGE:
            name = self.type_name(item.type_name, owner)
            return f"RawMessage<{name}>" if self.schema.is_raw(raw_owner or owner, item) else name
        if item.type == Field.TYPE_ENUM:
            return self.type_name(item.type_name, owner)
        return SCALARS[item.type][1]

    def map_types(self, owner, item):
        key, value = self.schema.messages[item.type_name].proto.field
        return key, value, self.element_type(owner, key), self.element_type(owner, value)

    # Values

    def read(self, owner, item) -> str:
        if item.type == Field.TYPE_ENUM:
            return f"{self.element_type(owner, item)}(rawValue: try reader.int32())"
        return f"try reader.{SCALARS[item.type][2]}()"

    def default(self, owner, item) -> str:
        if item.type == Field.TYPE_MESSAGE:
            return f"{self.element_type(owner, item)}()"
        if item.type == Field.TYPE_ENUM:
            return f"{self.element_type(owner, item)}(rawValue: 0)"
        return SCALARS[item.type][3]

    def write(self, item, value: str, number: int = 0, label: str = "") -> str:
        number = number or item.number
        if item.type == Field.TYPE_MESSAGE:
            return f"writer.message({number}, {value})"
        if item.type == Field.TYPE_ENUM:
            return f"writer.int32({number}, {label}{value}.rawValue)"
        return f"writer.{SCALARS[item.type][2]}({number}, {label}{value})"

    @staticmethod
    def wire_type(item) -> int:
        if item.type == Field.TYPE_MESSAGE:
            return LENGTH_DELIMITED
        if item.type == Field.TYPE_ENUM:
            return 0
        return SCALARS[item.type][4]

    def tag(self, item) -> int:
        return item.number << 3 | self.wire_type(item)

    # Messages

    def message(self, message, out: Lines) -> None:
        proto = message.proto
        out.add(f"/// `{message.full_name[1:]}`.")
        out.open(f"public struct {message.swift_name.split('.')[-1]}: ProtobufMessage {{")
        self.properties(message, out)
        out.add()
        out.add("public init() {}")
        out.add()
        out.add(f'public static var protobufMessageName: String {{ "{message.full_name[1:]}" }}')
        out.add(f"public static let protobufFields = {self.table(message)}")
        out.add()
        self.merge(message, out)
        out.add()
        self.encode(message, out)
        for index, oneof in enumerate(proto.oneof_decl):
            members = [item for item in proto.field if in_oneof(item) and item.oneof_index == index]
            if members:
                out.add()
                out.open(f"public indirect enum OneOf_{names.upper_camel(oneof.name)}: Equatable, Sendable {{")
                for item in members:
                    out.add(f"case {names.member(item.name)}({self.element_type(message, item)})")
                out.close()
        for nested in message.nested:
            if self.schema.is_used(nested) and not nested.is_map_entry:
                out.add()
                self.message(nested, out)
        for enum in message.enums:
            if self.schema.is_used(enum):
                out.add()
                self.enum(enum, out)
        out.close()

    def properties(self, message, out: Lines) -> None:
        schema, seen_oneofs = self.schema, set()
        for item in message.proto.field:
            name = names.member(item.name)
            if in_oneof(item):
                if item.oneof_index not in seen_oneofs:
                    seen_oneofs.add(item.oneof_index)
                    oneof = message.proto.oneof_decl[item.oneof_index].name
                    out.add(f"public var {names.member(oneof)}: OneOf_{names.upper_camel(oneof)}?")
                continue
            if schema.is_map(item):
                key, _, key_type, value_type = self.map_types(message, item)
                if key.type == Field.TYPE_STRING:
                    out.add(f"public var {name} = ProtobufMap<{value_type}>()")
                else:
                    out.add(f"public var {name}: [{key_type}: {value_type}] = [:]")
                continue
            kind = self.element_type(message, item)
            if item.label == Field.LABEL_REPEATED:
                out.add(f"public var {name}: [{kind}] = []")
            elif schema.needs_box(message, item):
                out.add(f"private var _{name}: ProtobufBox<{kind}>?")
                out.open(f"public var {name}: {kind}? {{")
                out.add(f"get {{ self._{name}?.value }}")
                out.add(f"set {{ self._{name} = newValue.map {{ ProtobufBox($0) }} }}")
                out.close()
            elif item.type == Field.TYPE_MESSAGE or item.proto3_optional:
                out.add(f"public var {name}: {kind}?")
            else:
                out.add(f"public var {name}: {kind} = {self.default(message, item)}")
        out.add("public var unknownFields: [UInt8] = []")

    def table(self, message) -> str:
        """The expression that creates a message's `ProtobufFields`."""
        text, messages, enums = [], [], []

        def letter(item) -> str:
            if item.type == Field.TYPE_MESSAGE:
                messages.append(self.type_name(item.type_name, message) + ".self")
                return "m"
            if item.type == Field.TYPE_ENUM:
                enums.append(self.type_name(item.type_name, message) + ".self")
                return "e"
            return SCALARS[item.type][0]

        for item in message.proto.field:
            if self.schema.is_map(item):
                key, value, _, _ = self.map_types(message, item)
                kind = f"<{letter(key)}{letter(value)}"
            else:
                repeated = item.label == Field.LABEL_REPEATED
                kind = ("*" if repeated else "?" if item.proto3_optional else "") + letter(item)
            text.append(f"{item.number}{kind} {item.name}")
        arguments = [f'"{" ".join(text)}"']
        if messages:
            arguments.append(f"messages: [{', '.join(messages)}]")
        if enums:
            arguments.append(f"enums: [{', '.join(enums)}]")
        return f"ProtobufFields({', '.join(arguments)})"

    # Reading

    def merge(self, message, out: Lines) -> None:
        out.open("public mutating func merge(from reader: inout ProtobufReader) throws(ProtobufError) {")
        out.open("while let tag = try reader.nextTag() {")
        out.add("switch tag {")
        for item in message.proto.field:
            self.merge_field(message, item, out)
        out.add("default: try reader.unknownField(&self.unknownFields)")
        out.add("}")
        out.close()
        out.close()

    def merge_field(self, message, item, out: Lines) -> None:
        name = names.member(item.name)
        case = f"case {self.tag(item)}:"
        if in_oneof(item):
            oneof = names.member(message.proto.oneof_decl[item.oneof_index].name)
            if item.type != Field.TYPE_MESSAGE:
                out.add(f"{case} self.{oneof} = .{name}({self.read(message, item)})")
                return
            out.open(case)
            out.add(f"var value = {self.default(message, item)}")
            # Clearing the field first keeps the value uniquely referenced, so that merging does not copy it.
            out.open(f"if case .{name}(let current)? = self.{oneof} {{")
            out.add("value = current")
            out.add(f"self.{oneof} = nil")
            out.close()
            out.add("try reader.message(&value)")
            out.add(f"self.{oneof} = .{name}(value)")
            out.depth -= 1
        elif self.schema.is_map(item):
            self.merge_map(message, item, out)
        elif item.type == Field.TYPE_MESSAGE:
            out.add(f"{case} try reader.message(&self.{name})")
        elif item.label == Field.LABEL_REPEATED:
            out.add(f"{case} self.{name}.append({self.read(message, item)})")
            if self.wire_type(item) != LENGTH_DELIMITED:
                out.open(f"case {item.number << 3 | LENGTH_DELIMITED}:")
                out.add("let scope = try reader.enter()")
                out.add(f"while !reader.isAtEnd {{ self.{name}.append({self.read(message, item)}) }}")
                out.add("reader.leave(scope)")
                out.depth -= 1
        else:
            out.add(f"{case} self.{name} = {self.read(message, item)}")

    def merge_map(self, message, item, out: Lines) -> None:
        key, value, key_type, value_type = self.map_types(message, item)
        out.open(f"case {self.tag(item)}:")
        out.add("let scope = try reader.enter()")
        out.add(f"var key: {key_type} = {self.default(message, key)}")
        out.add(f"var value: {value_type} = {self.default(message, value)}")
        out.open("while let tag = try reader.nextTag() {")
        out.add("switch tag {")
        out.add(f"case {self.tag(key)}: key = {self.read(message, key)}")
        if value.type == Field.TYPE_MESSAGE:
            out.add(f"case {self.tag(value)}: try reader.message(&value)")
        else:
            out.add(f"case {self.tag(value)}: value = {self.read(message, value)}")
        out.add("default: try reader.skip()")
        out.add("}")
        out.close()
        out.add("reader.leave(scope)")
        out.add(f"self.{names.member(item.name)}[key] = value")
        out.depth -= 1

    # Writing, the highest field number first

    def encode(self, message, out: Lines) -> None:
        out.open("public func encode(into writer: inout ProtobufWriter) {")
        out.add("writer.raw(self.unknownFields)")
        done = set()
        for item in sorted(message.proto.field, key=lambda item: -item.number):
            if not in_oneof(item):
                self.encode_field(message, item, out)
            elif item.oneof_index not in done:
                done.add(item.oneof_index)
                self.encode_oneof(message, item.oneof_index, out)
        out.close()

    def encode_oneof(self, message, index: int, out: Lines) -> None:
        out.add(f"switch self.{names.member(message.proto.oneof_decl[index].name)} {{")
        for item in message.proto.field:
            if in_oneof(item) and item.oneof_index == index:
                out.add(f"case .{names.member(item.name)}(let value): {self.write(item, 'value')}")
        out.add("case nil: break")
        out.add("}")

    def encode_field(self, message, item, out: Lines) -> None:
        name = f"self.{names.member(item.name)}"
        if self.schema.is_map(item):
            key, value, _, _ = self.map_types(message, item)
            if key.type == Field.TYPE_STRING:
                out.open(f"for (key, value) in {name}.descending() {{")
            else:
                # Bool is not Comparable.
                order = "(by: { $0 && !$1 })" if key.type == Field.TYPE_BOOL else "(by: >)"
                out.open(f"for key in {name}.keys.sorted{order} {{")
                out.add(f"guard let value = {name}[key] else {{ continue }}")
            out.add("let end = writer.count")
            out.add(self.write(value, "value"))
            out.add(self.write(key, "key.text" if key.type == Field.TYPE_STRING else "key"))
            out.add(f"writer.lengthDelimited({item.number}, since: end)")
            out.close()
        elif item.type == Field.TYPE_MESSAGE:
            out.add(f"writer.message({item.number}, {name})")
        elif item.label == Field.LABEL_REPEATED:
            self.encode_repeated(item, name, out)
        elif item.proto3_optional:
            out.add(f"if let value = {name} {{ {self.write(item, 'value')} }}")
        else:
            out.add(self.write(item, name, label="omittingDefault: "))

    def encode_repeated(self, item, name: str, out: Lines) -> None:
        if self.wire_type(item) == LENGTH_DELIMITED:
            out.add(self.write(item, name))
            return
        out.open(f"if !{name}.isEmpty {{")
        out.add("let end = writer.count")
        out.add(f"for value in {name}.reversed() {{ {self.packed_value(item)} }}")
        out.add(f"writer.lengthDelimited({item.number}, since: end)")
        out.close()

    @staticmethod
    def packed_value(item) -> str:
        return {
            Field.TYPE_DOUBLE: "writer.eightBytes(value.bitPattern)",
            Field.TYPE_FLOAT: "writer.fourBytes(value.bitPattern)",
            Field.TYPE_INT64: "writer.varint(UInt64(bitPattern: value))",
            Field.TYPE_UINT64: "writer.varint(value)",
            Field.TYPE_INT32: "writer.varint(UInt64(bitPattern: Int64(value)))",
            Field.TYPE_ENUM: "writer.varint(UInt64(bitPattern: Int64(value.rawValue)))",
            Field.TYPE_FIXED64: "writer.eightBytes(value)",
            Field.TYPE_FIXED32: "writer.fourBytes(value)",
            Field.TYPE_SFIXED64: "writer.eightBytes(UInt64(bitPattern: value))",
            Field.TYPE_SFIXED32: "writer.fourBytes(UInt32(bitPattern: value))",
            Field.TYPE_BOOL: "writer.varint(value ? 1 : 0)",
            Field.TYPE_UINT32: "writer.varint(UInt64(value))",
            Field.TYPE_SINT32: "writer.varint(UInt64(UInt32(bitPattern: (value << 1) ^ (value >> 31))))",
            Field.TYPE_SINT64: "writer.varint(UInt64(bitPattern: (value << 1) ^ (value >> 63)))",
        }[item.type]

    # Enums and services

    def enum(self, enum, out: Lines) -> None:
        values = enum.proto.value
        prefix = names.enum_prefix(enum.proto.name, [value.name for value in values])
        out.add(f"/// `{enum.full_name[1:]}`.")
        out.open(f"public struct {enum.swift_name.split('.')[-1]}: ProtobufEnum {{")
        out.add("public var rawValue: Int32")
        out.add("@inlinable public init(rawValue: Int32) { self.rawValue = rawValue }")
        out.add()
        for value in values:
            name = names.enum_value(value.name, prefix)
            out.add(f"@inlinable public static var {name}: Self {{ Self(rawValue: {value.number}) }}")
        out.add()
        table = " ".join(f"{value.number} {value.name[len(prefix):]}" for value in values)
        out.add(f'public static let protobufNames = ProtobufEnumNames("{prefix}", "{table}")')
        out.close()

    def service(self, service, out: Lines) -> None:
        out.add(f"/// The full names of all calls of `{service.full_name}`, as they stand in a request's path.")
        out.open(f"public enum {service.name}Method: String, CaseIterable, Sendable {{")
        for method in service.methods:
            name = names.escaped(method.name[:1].lower() + method.name[1:])
            out.add(f'case {name} = "/{service.full_name}/{method.name}"')
        out.close()

    def requests(self, services, out: Lines) -> None:
        """What a request names, so that it can be judged before it is handled."""
        out.add("/// The request of a call.")
        out.open("public protocol ServiceRequest: ProtobufMessage {")
        out.add("/// The namespace that the request names; nil for one that belongs to no namespace.")
        out.add("var requestNamespace: String? { get }")
        out.add("/// The token of the task that the request is about; nil for one about something else.")
        out.add("var requestTaskToken: [UInt8]? { get }")
        out.close()
        for full_name in sorted({method.input_type for service in services for method in service.methods}):
            message = self.schema.messages[full_name]
            if not self.schema.is_used(message):
                continue
            fields = {item.name for item in message.proto.field}
            out.add()
            out.open(f"extension {message.swift_name}: ServiceRequest {{")
            out.add(f"public var requestNamespace: String? {{ {'namespace' if 'namespace' in fields else 'nil'} }}")
            out.add(f"public var requestTaskToken: [UInt8]? {{ {'taskToken' if 'task_token' in fields else 'nil'} }}")
            out.close()
