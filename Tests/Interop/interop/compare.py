"""Differences between what two servers showed, one line each, readable side by side."""

import json
from typing import Any

ABSENT = object()
MOST = 40
"""Lines printed for one scenario."""
LONGEST = 300
"""Characters printed of one value."""


def differences(
    expected: tuple[str, dict[str, Any]], found: tuple[str, dict[str, Any]], *, complete: bool = True
) -> list[str]:
    """Each is (name of the server, what it showed). If not `complete`, what only one of them showed is left out."""
    rows: list[tuple[str, Any, Any]] = []
    for name in [*expected[1], *(name for name in found[1] if name not in expected[1])]:
        if not complete and (name not in expected[1] or name not in found[1]):
            continue
        compare(name, expected[1].get(name, ABSENT), found[1].get(name, ABSENT), rows)
    lines = [line for row in rows for line in shown(expected[0], found[0], *row)]
    if len(lines) > MOST:
        lines = [*lines[:MOST], f"  … and {len(lines) - MOST} more lines ({len(rows)} differences in all)"]
    return lines


def compare(path: str, expected: Any, found: Any, rows: list[tuple[str, Any, Any]]) -> None:
    if isinstance(expected, dict) and isinstance(found, dict):
        for key in [*expected, *(key for key in found if key not in expected)]:
            compare(f"{path}.{key}", expected.get(key, ABSENT), found.get(key, ABSENT), rows)
    elif isinstance(expected, list) and isinstance(found, list):
        if is_history(expected) and is_history(found):
            compare_histories(path, expected, found, rows)
            return
        for index in range(max(len(expected), len(found))):
            at = [each[index] if index < len(each) else ABSENT for each in (expected, found)]
            compare(f"{path}[{index}]", at[0], at[1], rows)
    elif expected is ABSENT or found is ABSENT or type(expected) is not type(found) or expected != found:
        rows.append((path, expected, found))


def is_history(value: list[Any]) -> bool:
    return all(isinstance(each, dict) and "event_id" in each for each in value)


def compare_histories(path: str, expected: list[Any], found: list[Any], rows: list[tuple[str, Any, Any]]) -> None:
    """Event by event; where the sequences of types part, that is told once instead of every attribute after it."""
    for index in range(max(len(expected), len(found))):
        at = [each[index] if index < len(each) else None for each in (expected, found)]
        types = [short(event) for event in at]
        where = f"{path} event {index + 1}"
        if types[0] != types[1]:
            rest = [" ".join(short(event) for event in each[index : index + 8]) for each in (expected, found)]
            rows.append((f"{where} and on", rest[0] or "(end)", rest[1] or "(end)"))
            return
        compare(f"{where} {types[0]}", at[0], at[1], rows)


def short(event: Any) -> str:
    return "(end)" if event is None else str(event.get("event_type")).removeprefix("EVENT_TYPE_")


def shown(expected_name: str, found_name: str, path: str, expected: Any, found: Any) -> list[str]:
    width = max(len(expected_name), len(found_name))
    return [
        f"  {path}",
        f"    {expected_name:{width}}  {text(expected)}",
        f"    {found_name:{width}}  {text(found)}",
    ]


def text(value: Any) -> str:
    if value is ABSENT:
        return "(absent)"
    shown = json.dumps(value, ensure_ascii=False)
    return shown if len(shown) <= LONGEST else f"{shown[:LONGEST]}… ({len(shown)} characters)"
