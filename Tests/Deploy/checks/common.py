"""What the checks share."""

import json
import os
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
DEPLOY = ROOT / "deploy"
BINARY = Path(os.environ.get("SAGAMORE_BINARY") or ROOT / ".build/debug/sagamore")


class Skipped(Exception):
    """Why something could not be checked."""


def said_by(*command: str | Path, folder: Path = ROOT) -> str:
    """What a command says.

    Raises:
        AssertionError: It failed.
    """
    done = run(*command, folder=folder)
    words = " ".join(str(word) for word in command[:3])
    assert done.returncode == 0, f"{words} ended with {done.returncode}: {done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def run(*command: str | Path, folder: Path = ROOT, **settings) -> subprocess.CompletedProcess:
    return subprocess.run(
        command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, **settings
    )  # fmt: skip


def prometheus(program: str) -> str:
    done = run(ROOT / "scripts/test-prometheus")
    if done.returncode:
        raise Skipped(done.stderr.strip())
    return str(Path(done.stdout.strip()) / program)


def documents(text: str) -> list:
    """The documents of a YAML text."""
    try:
        import yaml
    except ImportError:
        raise Skipped("the tests' Python has no PyYAML") from None
    try:
        return [document for document in yaml.safe_load_all(text) if document is not None]
    except yaml.YAMLError as error:
        raise AssertionError(f"not YAML: {error}") from None


def document(path: Path):
    """The only document of a YAML file."""
    (found,) = documents(path.read_text())
    return found


def read(address: str) -> str:
    """What a page says, or why it says nothing."""
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:
            return answer.read().decode()
    except (urllib.error.URLError, OSError) as error:
        return f"{error}"


def fails_only_to_reach(configuration: Path, environment: dict[str, str]) -> None:
    """`serve --check` finds no mistake in a configuration whose PostgreSQL and Kafka are not there."""
    command = [BINARY, "serve", "--config", configuration, "--check", "--output", "json"]
    done = run(*command, folder=configuration.parent, env={"PATH": os.environ["PATH"], **environment}, timeout=120)
    assert done.returncode == 1, f"exit status {done.returncode}: {done.stderr}{done.stdout}"
    failed = {each["subject"] for each in json.loads(done.stdout)["checks"] if not each["ok"]}
    assert failed == {"PostgreSQL", "Kafka"}, f"failed: {failed}"
