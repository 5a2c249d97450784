"""Every call with every role, against the table in the documentation."""

import re
from pathlib import Path

import temporalio.api.operatorservice.v1.service_pb2 as operator_service
import temporalio.api.workflowservice.v1.service_pb2 as workflow_service
from google.protobuf import message_factory

from .service import Caller, Service

PAGE = Path(__file__).resolve().parents[3] / "docs/SECURITY.md"
SERVICES = [
    workflow_service.DESCRIPTOR.services_by_name["WorkflowService"],
    operator_service.DESCRIPTOR.services_by_name["OperatorService"],
]
ROLES = ["worker", "read", "write", "admin"]
SUFFICE = {
    "anybody": ["none", *ROLES],
    "member": ROLES,
    "read": ["read", "write", "admin"],
    "worker": ["worker", "write", "admin"],
    "write": ["write", "admin"],
    "admin": ["admin"],
}
SYSTEM = "temporal-system"


def table() -> dict[str, tuple[bool, str]]:
    """By the call's name: whether it belongs to no namespace, and what it needs."""
    found: dict[str, tuple[bool, str]] = {}
    for line in PAGE.read_text().splitlines():
        match = re.fullmatch(r"\| (the namespace|`temporal-system`) \| (\w+) \| (.*) \|", line)
        if not match:
            continue
        for name in re.findall(r"`(\w+)`", match[3]):
            assert name not in found, f"{name} is there twice"
            found[name] = (match[1] != "the namespace", match[2])
    return found


def keys() -> dict[str, str]:
    """A key for each set of permissions, by that: nobody in particular, and each role in three places."""
    names = ["none"] + [f"{place}:{role}" for place in ("here", "elsewhere", SYSTEM) for role in ROLES]
    return {name: f"key-for-{name.replace(':', '-')}-0123456789" for name in names}


def authorization() -> str:
    lines = ["authorization:", "  apiKeys:"]
    for name, key in keys().items():
        permissions = "[]" if name == "none" else f'["{name}"]'
        lines += [f'    - name: "{name}"', f"      key: {key}", f"      permissions: {permissions}"]
    return "\n".join(lines) + "\n"


def is_granted(permission: str, system: bool, needed: str) -> bool:
    if needed == "anybody":
        return True
    place, _, role = permission.partition(":")
    if place == "elsewhere" or (system and place != SYSTEM):
        return False
    return role in SUFFICE[needed]


async def every_call_with_every_role(service: Service) -> None:
    rules, problems, calls = table(), [], 0
    names = [method.name for service_ in SERVICES for method in service_.methods]
    assert sorted(rules) == sorted(names), f"the table has others than the contract: {set(rules) ^ set(names)}"
    for permission, key in keys().items():
        with Caller(service.address, f"Bearer {key}") as caller:
            for contract in SERVICES:
                for method in contract.methods:
                    system, needed = rules[method.name]
                    calls += 1
                    status, message = ask(caller, contract, method)
                    if status == "UNIMPLEMENTED":
                        continue
                    refused = status == "PERMISSION_DENIED" and message.startswith("Request unauthorized")
                    if refused == is_granted(permission, system, needed):
                        problems.append(f"{method.name} with {permission}: {status} {message}")
    with Caller(service.address) as caller:
        for contract in SERVICES:
            for method in contract.methods:
                calls += 1
                status, message = ask(caller, contract, method)
                if (status == "OK") != (rules[method.name][1] == "anybody"):
                    problems.append(f"{method.name} with nothing: {status} {message}")
    assert not problems, "\n  ".join(problems)
    print(f"  {calls} calls")


def ask(caller: Caller, contract, method) -> tuple[str, str]:
    request = message_factory.GetMessageClass(method.input_type)()
    if "namespace" in request.DESCRIPTOR.fields_by_name:
        request.namespace = "here"
    # Polls without a deadline of their own are refused at once, once the role is known to suffice.
    timeout = 1.0 if method.name.startswith("Poll") else 10.0
    return caller.call(f"/{contract.full_name}/{method.name}", request.SerializeToString(), timeout)
