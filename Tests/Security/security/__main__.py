"""Runs all checks, one service after the other."""

import asyncio
import contextlib
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import traceback
import urllib.request
import warnings
from collections.abc import Awaitable, Callable
from pathlib import Path

import grpc
from crash.postgres import Postgres
from crash.sagamore import BINARY
from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.service import RPCError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from . import limits, roles, tokens
from .service import Caller, Service, until

Check = Callable[[Service, Path], Awaitable[None]]
CLUSTER = "/temporal.api.workflowservice.v1.WorkflowService/GetClusterInfo"


@activity.defn
async def book(name: str) -> str:
    return f"booked {name}"


@workflow.defn
class Trip:
    @workflow.run
    async def run(self, name: str) -> str:
        from datetime import timedelta

        return await workflow.execute_activity(book, name, start_to_close_timeout=timedelta(seconds=10))


async def roles_of_every_call(service: Service, folder: Path) -> None:
    service.configure(roles.authorization(), more="namespaces:\n  - name: here\n  - name: elsewhere\n")
    await service.begin()
    await roles.every_call_with_every_role(service)


async def official_sdk(service: Service, folder: Path) -> None:
    """A worker has a worker's key, and whoever starts sagas a writer's; each can do no more than that."""
    keys = roles.keys()
    service.configure(roles.authorization(), more="namespaces:\n  - name: here\n")
    await service.begin()

    async def connect(permission: str) -> Client:
        return await Client.connect(service.address, namespace="here", api_key=keys[permission], tls=False)

    worker_client, writer = await connect("here:worker"), await connect("here:write")
    worker = Worker(
        worker_client,
        task_queue="trips",
        workflows=[Trip],
        activities=[book],
        workflow_runner=UnsandboxedWorkflowRunner(),
    )
    async with worker:
        result = await writer.execute_workflow(Trip.run, "Rome", id="trip", task_queue="trips")
        assert result == "booked Rome", result
    for client in (worker_client, await connect("elsewhere:admin"), await connect("here:read")):
        try:
            await client.start_workflow(Trip.run, "Rome", id="other", task_queue="trips")
        except RPCError as error:
            assert "Request unauthorized" in str(error), error
        else:
            raise AssertionError("somebody without the role has started a workflow")


async def keys_replaced_by_hang_up(service: Service, folder: Path) -> None:
    def one(key: str) -> str:
        permissions = f'["{roles.SYSTEM}:read"]'
        return f"authorization:\n  apiKeys:\n    - name: one\n      key: {key}\n      permissions: {permissions}\n"

    def works(key: str) -> bool:
        with Caller(service.address, f"Bearer {key}") as caller:
            return caller.call(CLUSTER)[0] == "OK"

    service.configure(one("first-key-0123456789"))
    await service.begin()
    assert works("first-key-0123456789")
    assert not works("second-key-0123456789")
    service.configure(one("second-key-0123456789"))
    assert service.process
    service.process.send_signal(signal.SIGHUP)
    await until(lambda: works("second-key-0123456789"), "the new key works")
    assert not works("first-key-0123456789"), "a key that was taken away still works"
    assert "key-0123456789" not in service.log.read_text(), "a key is in the log"


async def tokens_with_a_file(service: Service, folder: Path) -> None:
    (folder / "keys.json").write_text(tokens.key_set(*tokens.SIGNERS))
    service.configure(tokens.authorization("keys.json"), more="namespaces:\n  - name: here\n")
    await service.begin()
    await until(lambda: tokens.works(service, tokens.SIGNERS[0]) == "OK", "the key set is read", service.last_words)
    await tokens.every_defect_is_refused(service, folder)
    await tokens.a_key_set_that_changes(service, folder)


async def tokens_with_an_address(service: Service, folder: Path) -> None:
    """Its certificate is verified; while there are no keys, calls are to be repeated; a new key is looked for."""
    certificate(folder, "issuer", "/CN=127.0.0.1", ["-addext", "subjectAltName=IP:127.0.0.1"])
    issuer = tokens.Address(str(folder / "issuer.pem"), str(folder / "issuer-key.pem"))
    first, second = tokens.Signer("RS256", "1"), tokens.Signer("EdDSA", "2")
    issuer.body = tokens.key_set(first)
    try:
        service.configure(tokens.authorization(issuer.url), more="namespaces:\n  - name: here\n")
        await service.begin()
        await until(lambda: "the key set cannot be used" in service.log.read_text(), "the certificate is not believed")
        assert tokens.works(service, first) == "UNAVAILABLE"
        await service.stop()
        roots = "    roots: issuer.pem\n"
        service.configure(tokens.authorization(issuer.url, roots), more="namespaces:\n  - name: here\n")
        await service.begin()
        await until(lambda: tokens.works(service, first) == "OK", "the key set is read", service.last_words)
        issuer.body = tokens.key_set(first, second)
        await until(lambda: tokens.works(service, second) == "OK", "the second key is known", service.last_words)
        issuer.status = 500
        assert tokens.works(service, first) == "OK"
    finally:
        issuer.close()


def certificate(folder: Path, name: str, subject: str, more: list[str], signed_by: str | None = None) -> None:
    command = [
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
        "-subj", subject, "-keyout", f"{name}-key.pem", "-out", f"{name}.pem", *more,
    ]  # fmt: skip
    if signed_by:
        command += ["-CA", f"{signed_by}.pem", "-CAkey", f"{signed_by}-key.pem"]
    subprocess.run(command, cwd=folder, check=True, stdin=subprocess.DEVNULL, capture_output=True)


async def client_certificates(service: Service, folder: Path) -> None:
    """The subject of a certificate is who calls; a key in the call counts before it."""
    certificate(folder, "server", "/CN=localhost", ["-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"])
    certificate(folder, "clients", "/CN=clients", [])
    for name, subject in (("reader", "/O=Acme/CN=reader"), ("stranger", "/O=Acme/CN=stranger")):
        certificate(folder, name, subject, [], signed_by="clients")
    lines = "  tls:\n    certificate: server.pem\n    key: server-key.pem\n    clientRoots: clients.pem\n"
    service.configure(
        f"""authorization:
  apiKeys:
    - name: nobody
      key: key-without-roles-0123
      permissions: []
  certificates:
    - subject: "CN=reader,O=Acme"
      permissions: ["{roles.SYSTEM}:read"]
""",
        grpc_lines=lines,
    )
    await service.begin()

    def status(name: str, authorization: str | None = None) -> tuple[str, str]:
        credentials = grpc.ssl_channel_credentials(
            *((folder / file).read_bytes() for file in ("server.pem", f"{name}-key.pem", f"{name}.pem"))
        )
        with Caller(service.address, authorization, credentials) as caller:
            return caller.call(CLUSTER)

    def show(*options: str) -> str:
        command = [str(BINARY), "workflow", "show", "--address", service.address, "--workflow-id", "none", *options]
        done = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        assert done.returncode == 1, done
        return done.stderr

    own = ["--tls-ca-path", "server.pem", "--tls-cert-path", "reader.pem", "--tls-key-path", "reader-key.pem"]
    assert "workflow not found" in show(*own), show(*own)
    assert "needs a role" in show(*own, "--api-key", "key-without-roles-0123"), show(*own)
    assert "no Sagamore server answers" in show(), show()
    assert status("reader")[0] == "OK", status("reader")
    assert "no known client certificate" in status("stranger")[1], status("stranger")
    assert "needs the role" in status("reader", "Bearer key-without-roles-0123")[1]
    assert "not known" in status("reader", "Bearer something-else-0123456")[1]


async def pages_with_encryption(service: Service, folder: Path) -> None:
    """TLS 1.2 and newer for the pages, and a renewed certificate within seconds."""
    certificate(folder, "server", "/CN=localhost", ["-addext", "subjectAltName=IP:127.0.0.1"])
    service.configure("")
    text = service.configuration.read_text().replace(
        "http:\n", "http:\n  tls:\n    certificate: server.pem\n    key: server-key.pem\n"
    )
    service.configuration.write_text(text)
    await service.start()

    def page(oldest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2, newest: ssl.TLSVersion | None = None) -> str:
        context = ssl.create_default_context(cafile=str(folder / "server.pem"))
        context.minimum_version = oldest
        if newest:
            context.maximum_version = newest
            context.set_ciphers("ALL:@SECLEVEL=0")
        try:
            address = service.web.replace("http:", "https:") + "/readyz"
            with urllib.request.urlopen(address, timeout=5, context=context) as answer:
                return answer.read().decode()
        except OSError as error:
            return str(error)

    await until(lambda: page() == "ready\n", "the page is there over TLS", lambda: page() + service.last_words())
    assert page(ssl.TLSVersion.TLSv1_3) == "ready\n"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        assert page(ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_1) != "ready\n", "TLS 1.1 is accepted"
    with contextlib.suppress(OSError), urllib.request.urlopen(service.web + "/readyz", timeout=5) as answer:
        raise AssertionError(f"plain text is answered: {answer.read()}")
    certificate(folder, "server", "/CN=localhost", ["-addext", "subjectAltName=IP:127.0.0.1"])
    await until(lambda: "the certificate was renewed" in service.log.read_text(), "the new one is taken over")
    assert page() == "ready\n", page()


CHECKS: list[Check] = [
    roles_of_every_call, official_sdk, keys_replaced_by_hang_up, tokens_with_a_file, tokens_with_an_address,
    client_certificates, pages_with_encryption, limits.rates_and_their_changes, limits.completions_are_never_refused,
    limits.polls_and_open_workflows, limits.limits_of_a_caller,
]  # fmt: skip


async def main() -> int:
    passed = failed = 0
    only = sys.argv[1:]
    folder = Path(tempfile.mkdtemp(prefix="sagamore-security-"))
    postgres = Postgres(folder)
    try:
        await postgres.start()
        for number, check in enumerate(CHECKS):
            if only and not any(word in check.__name__ for word in only):
                continue
            own = folder / check.__name__
            own.mkdir()
            service = Service("node", own, postgres.database(f"check{number}"))
            try:
                await check(service, own)
            except Exception as error:
                failed += 1
                print(f"failed: {check.__name__}: {error}")
                if not isinstance(error, AssertionError):
                    traceback.print_exc(file=sys.stdout)
            else:
                passed += 1
                print(f"passed: {check.__name__}", flush=True)
            finally:
                service.clean()
    finally:
        postgres.clean()
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


sys.exit(asyncio.run(main()))
