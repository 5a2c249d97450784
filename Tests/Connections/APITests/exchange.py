"""The other side of the exchange: Python's protobuf makes random messages and judges those that Swift has written.

usage: exchange.py make TYPES OUT SEED    for every type in the file TYPES, random messages: type, bytes, dump
       exchange.py check IN               compares what Swift has read and written with what protobuf reads

A dump is text that names every field and holds every value, in an order that does not depend on the bytes.
"""

import importlib
import random
import struct
import sys
from pathlib import Path

from google.protobuf import descriptor_pool, message, message_factory, unknown_fields

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "scripts" / "generate-api"))

import contract
import every_kind

RENAMED = {new: old for old, new in contract.RENAMED_PACKAGES.items()}
# "caf\u00e9" and "cafe\u0301" look the same and are canonically equivalent, yet are two keys.
STRINGS = ["a", "travel-booking", "naïve ☃ 𝄞", "\u0000x", "x" * 200, "2_3", "caf\u00e9", "cafe\u0301"]


def message_class(name: str):
    for new, old in RENAMED.items():
        if name.startswith(new + "."):
            name = old + name[len(new):]
    return message_factory.GetMessageClass(descriptor_pool.Default().FindMessageTypeByName(name))


def is_map(field) -> bool:
    return field.message_type is not None and field.message_type.GetOptions().map_entry


# Random messages


def random_scalar(field, rng):
    kind = field.type
    if kind == field.TYPE_STRING:
        return rng.choice(STRINGS)
    if kind == field.TYPE_BYTES:
        return rng.choice([b"\xff\x00", bytes(rng.randrange(256) for _ in range(rng.randrange(1, 40)))])
    if kind == field.TYPE_BOOL:
        return True
    if kind == field.TYPE_ENUM:
        return rng.choice([value.number for value in field.enum_type.values if value.number] + [12345])
    if kind == field.TYPE_DOUBLE:
        return rng.choice([1.5, -0.0, float("inf"), 5e-324, rng.uniform(-1e9, 1e9)])
    if kind == field.TYPE_FLOAT:
        return rng.choice([1.5, -0.0, float("-inf"), struct.unpack("<f", struct.pack("<f", rng.uniform(-1e9, 1e9)))[0]])
    bits = 64 if field.cpp_type in (field.CPPTYPE_INT64, field.CPPTYPE_UINT64) else 32
    if field.cpp_type in (field.CPPTYPE_UINT64, field.CPPTYPE_UINT32):
        return rng.choice([1, 127, 128, 2**bits - 1, rng.randrange(1, 2**bits)])
    return rng.choice([1, -1, 2 ** (bits - 1) - 1, -(2 ** (bits - 1)), rng.randrange(1, 2 ** (bits - 1))])


def fill(target, rng, depth: int, share: float, forced=None) -> None:
    """Sets fields at random (`share` of them), and the `forced` one in any case."""
    for field in [item for item in target.DESCRIPTOR.fields if item is not forced] + ([forced] if forced else []):
        if field is not forced and rng.random() > share:
            continue
        if field.message_type is not None and depth == 0 and field is not forced:
            continue
        inner = min(share, 0.5)
        if is_map(field):
            key, value = field.message_type.fields
            entries = getattr(target, field.name)
            for _ in range(rng.randrange(1, 4)):
                if value.message_type is None:
                    entries[random_scalar(key, rng)] = random_scalar(value, rng)
                else:
                    fill(entries[random_scalar(key, rng)], rng, max(depth - 1, 0), inner)
        elif field.is_repeated:
            values = getattr(target, field.name)
            for _ in range(rng.randrange(1, 4)):
                if field.message_type is None:
                    values.append(random_scalar(field, rng))
                else:
                    fill(values.add(), rng, max(depth - 1, 0), inner)
        elif field.message_type is not None:
            getattr(target, field.name).SetInParent()
            fill(getattr(target, field.name), rng, max(depth - 1, 0), inner)
        else:
            setattr(target, field.name, random_scalar(field, rng))


# Dumps


def dump_scalar(field, value) -> str:
    if field.type == field.TYPE_STRING:
        return "s" + value.encode().hex()
    if field.type == field.TYPE_BYTES:
        return "b" + value.hex()
    if field.type == field.TYPE_BOOL:
        return "true" if value else "false"
    if field.type == field.TYPE_ENUM:
        known = field.enum_type.values_by_number.get(value)
        return "e" + (known.name if known else str(value))
    if value != value:
        return "nan"  # Python's floats do not keep the bits of every NaN.
    if field.type == field.TYPE_DOUBLE:
        return "d" + format(struct.unpack("<Q", struct.pack("<d", value))[0], "x")
    if field.type == field.TYPE_FLOAT:
        return "f" + format(struct.unpack("<I", struct.pack("<f", value))[0], "x")
    return str(value)


def dump_value(field, value, covered) -> str:
    return dump(value, covered) if field.message_type is not None else dump_scalar(field, value)


def dump(target, covered=None) -> str:
    parts = []
    for field in target.DESCRIPTOR.fields:
        value = getattr(target, field.name)
        if is_map(field):
            key, inner = field.message_type.fields
            entries = [f"{dump_scalar(key, each)}:{dump_value(inner, value[each], covered)}" for each in value]
            text, is_set = "<" + ",".join(sorted(entries)) + ">", len(entries) > 0
        elif field.is_repeated:
            text, is_set = "[" + ",".join(dump_value(field, each, covered) for each in value) + "]", len(value) > 0
        elif field.has_presence:
            if not target.HasField(field.name):
                continue
            text, is_set = dump_value(field, value, covered), True
        else:
            text = dump_scalar(field, value)
            is_set = text != dump_scalar(field, field.default_value)
        if is_set and covered is not None:
            covered.add(field.full_name)
        parts.append(f"{field.name.replace('_', '').lower()}={text}")
    return "{" + ";".join(sorted(parts)) + "}"


def has_unknown_fields(target, only_maps: bool = False) -> bool:
    """Whether a message somewhere has unknown fields, or map entries among them."""
    maps = {field.number for field in target.DESCRIPTOR.fields if is_map(field)}
    for item in unknown_fields.UnknownFieldSet(target):
        if not only_maps or item.field_number in maps:
            return True
    for field, value in target.ListFields():
        if is_map(field):
            inner = [each for each in value.values() if isinstance(each, message.Message)]
        elif field.message_type is None:
            inner = []
        else:
            inner = value if field.is_repeated else [value]
        if any(has_unknown_fields(each, only_maps) for each in inner):
            return True
    return False


# The two commands


def make(types: str, out: str, seed: int) -> int:
    rng, covered, wanted, count = random.Random(seed), set(), set(), 0
    with open(out, "w") as file:
        for name in open(types).read().split():
            kind = message_class(name)
            wanted |= {field.full_name for field in kind.DESCRIPTOR.fields}
            rounds = [(1.0, field) for field in kind.DESCRIPTOR.fields if field.containing_oneof]
            for share, forced in [(0.0, None), (0.2, None), (0.5, None), (1.0, None), *rounds]:
                target = kind()
                fill(target, rng, 2, share, forced)
                file.write(f"{name}\t{target.SerializeToString().hex()}\t{dump(target, covered)}\n")
                count += 1
    missing = sorted(wanted - covered)
    print(f"{count} messages that set {len(covered & wanted)} of {len(wanted)} fields")
    for name in missing:
        print(f"never set: {name}")
    return 1 if missing else 0


def check(path: str) -> int:
    covered, wanted, differences = set(), set(), []
    values = damaged = accepted = 0
    for line in open(path):
        what, name, *rest = line.rstrip("\n").split("\t")
        kind = message_class(name)
        if what == "value":
            values += 1
            wanted |= {field.full_name for field in kind.DESCRIPTOR.fields}
            original, written, swift_dump = rest
            for origin, text in (("as Swift has made it", original), ("as Swift has written it again", written)):
                try:
                    target = kind.FromString(bytes.fromhex(text))
                except message.DecodeError as error:
                    differences.append(f"{name} {origin}: {error}: {text}")
                    continue
                if dump(target, covered) != swift_dump:
                    differences.append(f"{name} {origin}: {text}\n  protobuf {dump(target)}\n  Swift    {swift_dump}")
                if has_unknown_fields(target):
                    differences.append(f"{name} {origin} has unknown fields: {text}")
        else:
            damaged += 1
            text, swift_dump = rest
            try:
                target = kind.FromString(bytes.fromhex(text))
                accepted += 1
                # Python keeps a map's entry whole as an unknown field when it has unknown fields. Most others, and
                # Swift, drop those.
                if has_unknown_fields(target, only_maps=True):
                    continue
                own_dump = dump(target)
            except message.DecodeError:
                own_dump = "error"
            if own_dump != swift_dump:
                differences.append(f"{name} damaged: {text}\n  protobuf {own_dump}\n  Swift    {swift_dump}")
    missing = sorted(wanted - covered)
    if values:
        print(f"{values} messages that set {len(covered & wanted)} of {len(wanted)} fields, ", end="")
    if damaged:
        print(f"{damaged} byte strings, {accepted} of them still messages, ", end="")
    print(f"{len(differences)} differences" + "".join(f", never set: {name}" for name in missing[:5]))
    for text in differences[:10]:
        print(text[:3000])
    return 1 if differences or missing else 0


if __name__ == "__main__":
    for module in contract.MODULES:
        importlib.import_module(module)
    descriptor_pool.Default().Add(every_kind.file_descriptor())
    if sys.argv[1] == "make":
        sys.exit(make(sys.argv[2], sys.argv[3], int(sys.argv[4])))
    sys.exit(check(sys.argv[2]))
