"""The descriptors of the contract, trimmed to what is generated."""

import importlib
from dataclasses import dataclass, field

from google.protobuf import descriptor_pb2

import contract
import names

Field = descriptor_pb2.FieldDescriptorProto


@dataclass
class Message:
    full_name: str  # with a leading dot
    swift_name: str  # dotted when nested
    proto: object
    file: str
    parent: "Message | None"
    nested: list = field(default_factory=list)
    enums: list = field(default_factory=list)

    @property
    def is_map_entry(self) -> bool:
        return self.proto.options.map_entry


@dataclass
class Enum:
    full_name: str
    swift_name: str
    proto: object
    file: str
    parent: "Message | None" = None


@dataclass
class Service:
    full_name: str  # without a leading dot
    name: str
    methods: list


class Schema:
    messages: dict[str, Message]
    enums: dict[str, Enum]
    services: list[Service]

    def __init__(self, test_files: list) -> None:
        self.files: list = []
        for module in contract.MODULES:
            self._add_file(importlib.import_module(module).DESCRIPTOR, set())
        self.files += test_files
        self.test_files = test_files
        self._collect({})
        self.used = self._reachable(self._roots())
        # Names are chosen among used types only.
        simple: dict[str, int] = {}
        for item in [*self.messages.values(), *self.enums.values()]:
            if item.full_name in self.used and item.parent is None and "google.protobuf" not in item.full_name:
                simple[item.proto.name] = simple.get(item.proto.name, 0) + 1
        self._collect(simple)
        self.raw_closure = self._reachable(sorted(contract.RAW_TYPES))

    # Reading

    def _add_file(self, descriptor, seen: set) -> None:
        if any(proto.name == descriptor.name for proto in self.files) or descriptor.name in seen:
            return
        seen.add(descriptor.name)
        for dependency in descriptor.dependencies:
            self._add_file(dependency, seen)
        proto = descriptor_pb2.FileDescriptorProto()
        descriptor.CopyToProto(proto)
        renamed = contract.RENAMED_PACKAGES.get(proto.package)
        if renamed is not None:
            serialized = proto.SerializeToString()
            proto = descriptor_pb2.FileDescriptorProto.FromString(serialized)
            rename_package(proto, proto.package, renamed)
        self.files.append(proto)

    def _collect(self, simple: dict) -> None:
        """Fills the tables. `simple` counts the uses of each name."""
        self.messages, self.enums, self.services = {}, {}, []
        for proto in self.files:
            for item in proto.message_type:
                name = names.top_level(item.name, proto.package, simple)
                self._add_message(item, f".{proto.package}.{item.name}", name, proto.name, None)
            for item in proto.enum_type:
                name = names.top_level(item.name, proto.package, simple)
                full_name = f".{proto.package}.{item.name}"
                self.enums[full_name] = Enum(full_name, name, item, proto.name)
            for item in proto.service:
                self.services.append(Service(f"{proto.package}.{item.name}", item.name, list(item.method)))

    def _add_message(self, proto, full_name: str, swift_name: str, file: str, parent) -> Message:
        message = Message(full_name, swift_name, proto, file, parent)
        self.messages[full_name] = message
        for item in proto.nested_type:
            nested_name = f"{swift_name}.{names.nested(item.name, 'Message')}"
            nested = self._add_message(item, f"{full_name}.{item.name}", nested_name, file, message)
            message.nested.append(nested)
        for item in proto.enum_type:
            nested_full_name = f"{full_name}.{item.name}"
            nested_name = f"{swift_name}.{names.nested(item.name, 'Enum')}"
            enum = Enum(nested_full_name, nested_name, item, file, message)
            self.enums[nested_full_name] = enum
            message.enums.append(enum)
        return message

    # Trimming

    def _roots(self) -> list:
        roots = []
        for service in self.services:
            for method in service.methods:
                if method.name in contract.METHODS:
                    roots += [method.input_type, method.output_type]
        for proto in self.files:
            if proto.package in contract.WHOLE_PACKAGES or proto in self.test_files:
                roots += [f".{proto.package}.{item.name}" for item in proto.message_type]
        return roots + sorted(contract.FURTHER_MESSAGES)

    def _reachable(self, roots: list) -> set:
        reached: set = set()
        waiting = list(roots)
        while waiting:
            name = waiting.pop()
            if name in reached:
                continue
            reached.add(name)
            message = self.messages.get(name)
            if message is None:
                continue
            waiting += [item.type_name for item in message.proto.field if item.type_name]
            if message.parent is not None:
                waiting.append(message.parent.full_name)
        return reached

    def is_used(self, item) -> bool:
        return item.full_name in self.used

    # Questions about fields

    def is_map(self, item) -> bool:
        return item.type == Field.TYPE_MESSAGE and self.messages[item.type_name].is_map_entry

    def is_raw(self, owner: Message, item) -> bool:
        inside = owner.full_name in self.raw_closure
        return item.type_name in contract.RAW_TYPES and not inside

    def needs_box(self, owner: Message, item) -> bool:
        """Whether a struct would contain itself through this field."""
        if item.type != Field.TYPE_MESSAGE or item.label == Field.LABEL_REPEATED or self.is_raw(owner, item):
            return False
        waiting, seen = [item.type_name], set()
        while waiting:
            name = waiting.pop()
            if name == owner.full_name:
                return True
            if name in seen:
                continue
            seen.add(name)
            message = self.messages[name]
            waiting += [
                inner.type_name
                for inner in message.proto.field
                if inner.type == Field.TYPE_MESSAGE
                and inner.label != Field.LABEL_REPEATED
                and not in_oneof(inner)
                and not self.is_raw(message, inner)
            ]
        return False


def in_oneof(item) -> bool:
    return item.HasField("oneof_index") and not item.proto3_optional


def rename_package(proto, old: str, new: str) -> None:
    proto.package = new

    def renamed(type_name: str) -> str:
        return f".{new}{type_name[len(old) + 1:]}" if type_name.startswith(f".{old}.") else type_name

    def walk(message) -> None:
        for item in message.field:
            item.type_name = renamed(item.type_name)
        for item in message.nested_type:
            walk(item)

    for message in proto.message_type:
        walk(message)
    for service in proto.service:
        for method in service.method:
            method.input_type = renamed(method.input_type)
            method.output_type = renamed(method.output_type)
