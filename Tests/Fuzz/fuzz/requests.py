"""Random requests: messages of the contract with values that mean something, and bytes that do not."""

import random
from collections.abc import Callable
from typing import Any

from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

NAMESPACE = "default"
OTHER_NAMESPACE = "fuzz-other"
QUEUES = ["q0", "q1"]
DEEPEST = 4
MESSAGE = FieldDescriptor.TYPE_MESSAGE

# Fields that a request is refused without.
NEEDED = {
    "namespace", "workflow_execution", "execution", "workflow_id", "workflow_type", "task_queue", "task_token", "name",
    "signal_name", "query", "query_type", "activity_id", "activity_type", "commands", "request_id",
    "meta", "activity_options", "update_mask", "update_id",
}  # fmt: skip

# Calls that would end the namespace in which everything else happens: they go to the other one.
OF_NAMESPACES = {"UpdateNamespace", "DeprecateNamespace", "DeleteNamespace"}


class Pool:
    """Values that earlier answers have shown, so that later requests name what is there."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.tokens: dict[str, list[bytes]] = {"workflow": [], "activity": [], "query": [], "page": []}
        self.run_ids: list[str] = []
        self.workflow_ids = [f"w{number}" for number in range(4)]

    def harvest(self, message: Message) -> None:
        for field, value in message.ListFields():
            if field.name in ("task_token", "next_page_token"):
                self.keep(self.tokens[kind_of_token(message) if field.name == "task_token" else "page"], value)
            elif field.name == "run_id":
                self.keep(self.run_ids, value)
            elif field.type == MESSAGE and not field.message_type.GetOptions().map_entry:
                for each in value if field.is_repeated else [value]:
                    self.harvest(each)

    def keep(self, values: list[Any], value: Any) -> None:
        if value and isinstance(value, str | bytes):
            values.append(value)
            del values[:-20]


def kind_of_token(message: Message) -> str:
    """Of a message that holds a task's token, or its name."""
    name = message.DESCRIPTOR.name
    if "Activity" in name:
        return "activity"
    has_query = "query" in message.DESCRIPTOR.fields_by_name and message.HasField("query")
    return "query" if has_query or "Query" in name else "workflow"


class Requests:
    """Makes requests for one method after another."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.pool = Pool(chance)

    def bytes_for(self, method: Any) -> bytes:
        """A request: mostly a valid message, else a damaged one, or no message at all."""
        message = self.message(method.input_type, 0)
        if "task_token" in method.input_type.fields_by_name and self.chance.random() < 0.8:
            tokens = self.pool.tokens[kind_of_token(message)]
            setattr(message, "task_token", tokens[-1] if tokens else b"")  # noqa: B010
            if tokens and self.chance.random() < 0.5:
                tokens.pop()
        if method.name == "RegisterNamespace" and self.chance.random() < 0.7:
            setattr(message, "namespace", f"n{self.chance.randint(0, 99)}")  # noqa: B010
            return message.SerializeToString()
        if method.name == "ExecuteMultiOperation" and self.chance.random() < 0.8:
            self.pair(message)
        if method.name in OF_NAMESPACES:
            for name in ("namespace", "namespace_id", "id"):
                if name in method.input_type.fields_by_name:
                    setattr(message, name, OTHER_NAMESPACE if name == "namespace" else "")
        elif "namespace" in method.input_type.fields_by_name and self.chance.random() < 0.85:
            setattr(message, "namespace", NAMESPACE)  # noqa: B010
        content = message.SerializeToString()
        if method.name in OF_NAMESPACES or self.chance.random() < 0.7:
            return content
        return self.damaged(content)

    def pair(self, message: Any) -> None:
        """Makes the operations a start and an update of one workflow: there is no other combination."""
        del message.operations[:]
        for name in ("start_workflow", "update_workflow"):
            operation = getattr(message.operations.add(), name)
            operation.CopyFrom(self.message(operation.DESCRIPTOR, 1))
            operation.namespace = ""
        message.operations[1].update_workflow.workflow_execution.workflow_id = (
            message.operations[0].start_workflow.workflow_id
        )

    def damaged(self, content: bytes) -> bytes:
        data = bytearray(content)
        for _ in range(self.chance.randint(1, 4)):
            place = self.chance.randint(0, len(data))
            match self.chance.randint(0, 5):
                case 0:
                    data = data[:place]
                case 1 if data:
                    data[place % len(data)] ^= 1 << self.chance.randint(0, 7)
                case 2:
                    data[place:place] = self.chance.randbytes(self.chance.randint(1, 9))
                case 3:
                    data[place:place] = data[: self.chance.randint(0, len(data))]
                case 4:
                    del data[place : place + self.chance.randint(1, 9)]
                case _:
                    data[place:place] = b"\xff" * self.chance.randint(1, 11)
        return bytes(data)

    def message(self, descriptor: Descriptor, depth: int) -> Message:
        message: Message = message_factory.GetMessageClass(descriptor)()
        chosen = {self.chance.choice(oneof.fields).name for oneof in descriptor.oneofs}
        for field in descriptor.fields:
            if field.containing_oneof and field.name not in chosen:
                continue
            likely = 0.95 if field.name in NEEDED else 0.6 if field.containing_oneof else 0.2
            if self.chance.random() < likely:
                self.fill(message, field, depth)
        if descriptor.name == "Command" and self.chance.random() < 0.9:
            attributes = message.WhichOneof("attributes")
            if attributes:
                kind = f"COMMAND_TYPE_{attributes.removesuffix('_command_attributes').upper()}"
                value = descriptor.fields_by_name["command_type"].enum_type.values_by_name.get(kind)
                if value:
                    setattr(message, "command_type", value.number)  # noqa: B010
        return message

    def fill(self, message: Message, field: FieldDescriptor, depth: int) -> None:
        if field.type == MESSAGE and depth >= DEEPEST:
            return
        if field.type == MESSAGE and field.message_type.GetOptions().map_entry:
            self.fill_map(message, field, depth)
        elif field.is_repeated:
            values = getattr(message, field.name)
            for _ in range(self.chance.randint(0, 3)):
                if field.type == MESSAGE:
                    values.add().CopyFrom(self.message(field.message_type, depth + 1))
                else:
                    values.append(self.scalar(field))
        elif field.type == MESSAGE:
            value = self.special(field) or self.message(field.message_type, depth + 1)
            getattr(message, field.name).CopyFrom(value)
        else:
            setattr(message, field.name, self.scalar(field))

    def fill_map(self, message: Message, field: FieldDescriptor, depth: int) -> None:
        key, value = (field.message_type.fields_by_name[name] for name in ("key", "value"))
        entries = getattr(message, field.name)
        for _ in range(self.chance.randint(0, 2)):
            if value.type == MESSAGE:
                entries[self.scalar(key)].CopyFrom(self.message(value.message_type, depth + 1))
            else:
                entries[self.scalar(key)] = self.scalar(value)

    def special(self, field: FieldDescriptor) -> Message | None:
        """Times: nothing that keeps a run waiting for long, but for what is absurd."""
        if field.message_type.full_name != "google.protobuf.Duration":
            return None
        longest = 86_400 if "retention" in field.name else 3
        value: Any = message_factory.GetMessageClass(field.message_type)()
        seconds, nanos = self.chance.choice(
            [(longest, 0), (longest, 0), (0, 0), (0, 1), (1, 0), (2, 5), (1, 500_000_000), (-1, 0), (0, -1)]
            + [(2, 2_000_000_000)]
            + ([] if field.containing_type.name == "StickyExecutionAttributes" else [(315_576_000_001, 0), (2**62, 9)])
        )
        value.seconds, value.nanos = seconds, nanos
        return value  # type: ignore[no-any-return]

    def scalar(self, field: FieldDescriptor) -> Any:
        chance = self.chance
        match field.type:
            case FieldDescriptor.TYPE_STRING:
                return self.text(field.name)
            case FieldDescriptor.TYPE_BYTES:
                tokens = [token for kept in self.pool.tokens.values() for token in kept]
                if tokens and chance.random() < 0.8:
                    return chance.choice(tokens)
                return chance.randbytes(chance.randint(0, 40))
            case FieldDescriptor.TYPE_BOOL:
                return chance.random() < 0.5
            case FieldDescriptor.TYPE_ENUM:
                known = [value.number for value in field.enum_type.values]
                return chance.choice(known) if chance.random() < 0.9 else chance.choice([-1, 77, 2**31 - 1])
            case FieldDescriptor.TYPE_FLOAT | FieldDescriptor.TYPE_DOUBLE:
                return chance.choice([0.0, 1.0, -1.0, 0.5, 1e300, float("nan"), float("inf")]) if (
                    field.type == FieldDescriptor.TYPE_DOUBLE
                ) else chance.choice([0.0, 1.0, -1.0, 0.001, 1e30, float("nan")])  # fmt: skip
            case FieldDescriptor.TYPE_INT32:
                return chance.choice([0, 1, 2, 5, 100, -1, 2**31 - 1, -(2**31)])
            case FieldDescriptor.TYPE_INT64:
                return chance.choice([0, 1, 2, 4, 4, 4, 5, 6, 7, 8, 9, -1, 2**63 - 1, -(2**63)])
            case _:
                return chance.choice([0, 1, 2, 7])

    def text(self, name: str) -> str:
        chance = self.chance
        odd = ["", "x", "\0", "a\0b", "x" * 1_001, "ü\u0301🚗", " ", "/_sys/q", "%s%n", "'; drop table x --"]
        if chance.random() < 0.1:
            return chance.choice(odd)
        known: dict[str, Callable[[], str]] = {
            "namespace": lambda: chance.choice([NAMESPACE] * 8 + [OTHER_NAMESPACE, "nope", ""]),
            "workflow_id": lambda: chance.choice(self.pool.workflow_ids),
            "run_id": lambda: chance.choice(self.pool.run_ids[-10:] + [""] * 30 + ["nonsense"]),
            "first_execution_run_id": lambda: chance.choice(self.pool.run_ids[-10:] + [""] * 6),
            "name": lambda: chance.choice(QUEUES),
            "normal_name": lambda: chance.choice(QUEUES),
            "activity_id": lambda: chance.choice("ab"),
            "update_id": lambda: chance.choice("uvw"),
            "paths": lambda: chance.choice(["task_queue", "heartbeat_timeout", "start_to_close_timeout", "priority"]),
            "timer_id": lambda: chance.choice("tuv"),
            "cron_schedule": lambda: chance.choice(["", "", "", "* * * * *", "@every 1s", "nonsense"]),
        }
        if name in known:
            return known[name]()
        return chance.choice(["one", "two", "three", str(chance.randint(0, 999))])
