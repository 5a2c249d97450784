"""The event stream of swift-testing: one JSON object a line, written while the tests run.

The stream survives a crash of the test process, so counts come from here and never from the terminal output.
"""

import json
import re

from outcome import Outcome

QUOTED_REASON = re.compile(r': "(.*)"$', re.DOTALL)


class EventStream:
    """The state of a test run, updated event by event."""

    def __init__(self):
        self.names = {}
        self.running = {}
        self.results = {}
        self.issues = {}
        self.has_ended = False

    def feed(self, line: str) -> list:
        """Handles one line. Returns the lines to show at once: failures and skips."""
        record = json.loads(line)
        payload = record["payload"]
        if record["kind"] == "test":
            if payload["kind"] == "function":
                self.names[payload["id"]] = self.name(payload["id"])
            return []
        test = payload.get("testID")
        texts = [message["text"] for message in payload.get("messages", [])]
        if payload["kind"] == "runEnded":
            self.has_ended = True
        elif payload["kind"] == "issueRecorded":
            return self.issue(test, payload, texts)
        elif test not in self.names:
            return []  # a suite; its tests have their own events
        elif payload["kind"] == "testStarted":
            self.running[test] = payload["instant"]["absolute"]
        elif payload["kind"] in ("testEnded", "testSkipped"):
            self.running.pop(test, None)
            symbol = payload["messages"][0]["symbol"] if payload.get("messages") else "fail"
            if symbol == "skip":
                return self.skip(test, texts)
            self.results[test] = "failed" if symbol == "fail" else "passed"
        return []

    def issue(self, test, payload: dict, texts: list) -> list:
        issue = payload["issue"]
        if issue.get("isKnown") or issue.get("isFailure") is False:
            return []
        place = issue.get("sourceLocation") or {}
        where = f" ({place['fileID']}:{place['line']})" if "fileID" in place else ""
        text = "\n    ".join("\n".join(texts).splitlines())
        line = f"{self.names.get(test, 'outside of any test')}{where}: {text}"
        self.issues.setdefault(test if test in self.names else None, []).append(line)
        return [f"failed: {line}"]

    def skip(self, test, texts: list) -> list:
        text = texts[0] if texts else ""
        reason = QUOTED_REASON.search(text)
        self.results[test] = "skipped", reason[1] if reason else "no reason given"
        return [f"skipped: {self.names[test]}: {self.results[test][1]}"]

    def outcome(self) -> Outcome:
        """The outcome so far. A test that did not end, or did not start before the process died, has failed."""
        outcome = Outcome()
        for test, name in self.names.items():
            result = self.results.get(test)
            if result == "passed":
                outcome.passed += 1
            elif result == "failed":
                outcome.failures.append("\n".join(self.issues.get(test, [f"{name}: failed"])))
            elif result:
                outcome.skips.append(f"{name}: {result[1]}")
            elif test in self.running:
                outcome.failures.append(f"{name}: the process ended while it ran")
            else:
                outcome.failures.append(f"{name}: did not run, since the process had ended")
        outcome.failures += self.issues.get(None, [])
        return outcome

    @staticmethod
    def name(test: str) -> str:
        """A test's name: `ATests.S/good()` for `ATests.S/good()/A.swift:3:4`."""
        return re.sub(r"/[^/]+\.swift:\d+:\d+$", "", test)
