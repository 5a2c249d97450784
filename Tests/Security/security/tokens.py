"""Tokens of every algorithm and with every defect, and key sets that change."""

import base64
import contextlib
import hmac
import http.server
import json
import ssl
import threading
import time
from pathlib import Path

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from .service import Caller, Service, until

DESCRIBE = "/temporal.api.workflowservice.v1.WorkflowService/DescribeNamespace"
HERE = b"\x0a\x04here"


class Signer:
    """A private key, and its public half as it stands in a key set."""

    def __init__(self, algorithm: str, kid: str) -> None:
        self.algorithm, self.kid = algorithm, kid
        if algorithm == "RS256":
            self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
            self.jwk = json.loads(RSAAlgorithm.to_jwk(self.key.public_key()))
        elif algorithm == "ES256":
            self.key = ec.generate_private_key(ec.SECP256R1())
            self.jwk = json.loads(ECAlgorithm.to_jwk(self.key.public_key()))
        else:
            self.key = ed25519.Ed25519PrivateKey.generate()
            self.jwk = json.loads(OKPAlgorithm.to_jwk(self.key.public_key()))
        self.jwk |= {"kid": kid, "use": "sig"}
        self.jwk.pop("key_ops", None)

    def token(self, headers: dict | None = None, **claims) -> str:
        body = {
            "sub": "somebody", "exp": time.time() + 300, "aud": "sagamore", "iss": "https://issuer.test",
            "permissions": ["here:read"],
        }  # fmt: skip
        body.update(claims)
        body = {key: value for key, value in body.items() if value is not None}
        return jwt.encode(body, self.key, algorithm=self.algorithm, headers={"kid": self.kid} | (headers or {}))

    def with_text_as_expiry(self) -> str:
        """The library makes no such token."""
        body = {"exp": "tomorrow", "aud": "sagamore", "iss": "https://issuer.test", "permissions": ["here:read"]}
        return jwt.api_jws.encode(json.dumps(body).encode(), self.key, self.algorithm, headers={"kid": self.kid})


SIGNERS = [Signer("RS256", "r"), Signer("ES256", "e"), Signer("EdDSA", "d")]


def key_set(*signers: Signer) -> str:
    return json.dumps({"keys": [{"kty": "oct", "k": "c2VjcmV0"}, *(signer.jwk for signer in signers)]})


def authorization(place: str, more: str = "") -> str:
    return f"""authorization:
  jwt:
    keySet: {place}
    audience: sagamore
    issuer: https://issuer.test
{more}"""


def part(value: dict) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def defects() -> dict[str, tuple[str, str]]:
    """By name: a token, and what the answer has to say."""
    rsa_signer, ec_signer, ed_signer = SIGNERS
    good = rsa_signer.token()
    head, body, signature = good.split(".")
    stranger = Signer("RS256", "r")
    claims = {"exp": time.time() + 300, "aud": "sagamore", "iss": "https://issuer.test", "permissions": ["here:admin"]}
    signed = f"{part({'alg': 'HS256', 'kid': 'r'})}.{part(claims)}"
    digest = hmac.digest(rsa_signer.jwk["n"].encode(), signed.encode(), "sha256")
    symmetric = f"{signed}.{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"
    none = f"{part({'alg': 'none'})}.{part(claims)}."
    swapped = Signer("ES256", "r").token()
    critical = rsa_signer.token(headers={"crit": ["x"], "x": 1})
    return {
        "alg none": (none, "algorithm"),
        "alg None": (f"{part({'alg': 'None'})}.{part(claims)}.", "algorithm"),
        "the public key as a secret": (symmetric, "algorithm"),
        "another key's signature": (stranger.token(), "signature is wrong"),
        "another algorithm for the key": (swapped, "not in the key set"),
        "an unknown key": (Signer("ES256", "other").token(), "not in the key set"),
        "a changed body": (f"{head}.{part(claims)}.{signature}", "signature is wrong"),
        "a changed signature": (f"{head}.{body}.{'A' * len(signature)}", "signature is wrong"),
        "no signature": (f"{head}.{body}.", "signature is wrong"),
        "a signature of the wrong size": (f"{head}.{body}.{signature[:40]}", "signature is wrong"),
        "expired": (ec_signer.token(exp=time.time() - 60), "has expired"),
        "never expires": (ed_signer.token(exp=None), "no 'exp'"),
        "an exp that is text": (ec_signer.with_text_as_expiry(), "not a JSON Web Token"),
        "not valid yet": (ec_signer.token(nbf=time.time() + 60), "not valid yet"),
        "another audience": (ec_signer.token(aud="others"), "another audience"),
        "no audience": (ec_signer.token(aud=None), "another audience"),
        "another issuer": (ec_signer.token(iss="https://evil.test"), "another issuer"),
        "a critical extension": (critical, "not a JSON Web Token"),
        "no JSON": ("bm90.anNvbg.eA", "not a JSON Web Token"),
        "not base64": ("a+b.c=d.e", "not a JSON Web Token"),
        "three dots": (good + ".x", "not known"),
        "a word": ("hello", "not known"),
        "huge": (f"{head}.{'A' * 15_000}.{signature}", "Request unauthorized"),
    }


async def every_defect_is_refused(service: Service, folder: Path) -> None:
    problems = []
    for signer in SIGNERS:
        tokens = [signer.token(), signer.token(aud=["x", "sagamore"]), signer.token(nbf=time.time() - 5)]
        tokens += [signer.token(permissions=["temporal-system:admin", "nonsense", "x:y"])]
        for token in tokens:
            with Caller(service.address, f"Bearer {token}") as caller:
                for _ in range(2):
                    status = caller.call(DESCRIBE, HERE)
                    if status[0] != "OK":
                        problems.append(f"a good token of {signer.algorithm}: {status}")
    for permissions in (["elsewhere:admin"], [], None, "here", {"here": "read"}):
        with Caller(service.address, f"Bearer {SIGNERS[0].token(permissions=permissions)}") as caller:
            status = caller.call(DESCRIBE, HERE)
            if status[0] != "PERMISSION_DENIED":
                problems.append(f"permissions {permissions}: {status}")
    found = defects()
    for name, (token, reason) in found.items():
        with Caller(service.address, f"Bearer {token}") as caller:
            status, message = caller.call(DESCRIBE, HERE)
            if status != "PERMISSION_DENIED" or reason not in message:
                problems.append(f"{name}: {status} {message}")
    # HTTP/2 itself refuses a field that ends with a space.
    for scheme in ("", "Bearer", "Bearer ", "Basic c2VjcmV0", "bearerx y"):
        with Caller(service.address, scheme) as caller:
            if (status := caller.call(DESCRIBE, HERE))[0] not in ("PERMISSION_DENIED", "INTERNAL"):
                problems.append(f"authorization '{scheme}': {status}")
    with Caller(service.address, "Bearer " + "A" * 70_000) as caller:
        status = caller.call(DESCRIBE, HERE)[0]
        if status == "OK":
            problems.append(f"a header of 70,000 bytes: {status}")
    assert not problems, "\n  ".join(problems)
    log = service.log.read_text()
    for name, (token, _) in found.items():
        is_hidden = len(token) < 20 or (token[:60] not in log and token[-60:] not in log)
        assert is_hidden, f"the token '{name}' is in the log"
    assert any(line.get("message") == "call refused" for line in service.lines()), "no refusal is in the log"
    metrics = service.page("/metrics")
    for reason in ("signature", "expired", "audience", "algorithm", "role", "unknown_key"):
        assert f'sagamore_authorization_refusals_total{{reason="{reason}"}}' in metrics, f"{reason} is not counted"


def works(service: Service, signer: Signer) -> str:
    with Caller(service.address, f"Bearer {signer.token()}") as caller:
        return caller.call(DESCRIBE, HERE)[0]


async def a_key_set_that_changes(service: Service, folder: Path) -> None:
    """A file is read again when it changes; one that cannot be used changes nothing."""
    old, new = SIGNERS[0], Signer("ES256", "new")
    file = folder / "keys.json"
    assert works(service, old) == "OK"
    assert works(service, new) == "PERMISSION_DENIED"
    file.write_text("{")
    await until(lambda: "the key set cannot be used" in service.log.read_text(), "the mistake is logged")
    assert works(service, old) == "OK", "a key set that cannot be used has replaced the one before"
    file.write_text(key_set(new))
    await until(lambda: works(service, new) == "OK", "the new key is known")
    assert works(service, old) == "PERMISSION_DENIED", "a key that was taken away is still believed"
    file.write_text(key_set(*SIGNERS))
    await until(lambda: works(service, old) == "OK", "the old keys are back")


class Address:
    """An issuer's address for its key set."""

    def __init__(self, certificate: str | None = None, key: str | None = None) -> None:
        issuer = self
        self.body, self.status, self.count = "", 200, 0

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.count += 1
                self.send_response(issuer.status)
                self.end_headers()
                with contextlib.suppress(OSError):
                    self.wfile.write(issuer.body.encode())

            def log_message(self, *_) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        scheme = "http"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate, key)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
            scheme = "https"
        self.url = f"{scheme}://127.0.0.1:{self.server.server_address[1]}/keys"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
