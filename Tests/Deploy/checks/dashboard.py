"""The Grafana dashboard, and what alerts have in common with it."""

import itertools
import json
import re
import tempfile
from pathlib import Path

from .common import DEPLOY, ROOT, document, prometheus, said_by

DASHBOARD = DEPLOY / "grafana/sagamore.json"
# Values for Grafana's variables, to make PromQL of an expression.
VARIABLES = {"$__rate_interval": "5m", "$__range": "1h", "$job": "sagamore", "$instance": ".*"}


def whole() -> dict:
    return json.loads(DASHBOARD.read_text())


def panels() -> list[dict]:
    return [panel for panel in whole()["panels"] if panel["type"] != "row"]


def expressions() -> list[str]:
    """What is asked of Prometheus: by panels, annotations and variables."""
    found = [target["expr"] for panel in panels() for target in panel["targets"]]
    return found + [each["expr"] for each in whole()["annotations"]["list"]]


def panels_explain_themselves() -> None:
    ids = [panel["id"] for panel in whole()["panels"]]
    assert len(set(ids)) == len(ids), "two panels have one id"
    for panel in whole()["panels"]:
        assert panel["title"], f"panel {panel['id']} has no title"
    for panel in panels():
        assert panel.get("description"), f"{panel['title']} has no description"
        assert panel["fieldConfig"]["defaults"].get("unit"), f"{panel['title']} has no unit"
        assert panel["datasource"]["uid"] == "${datasource}", f"{panel['title']} insists on one data source"
    for one, other in itertools.combinations(whole()["panels"], 2):
        assert not overlap(one["gridPos"], other["gridPos"]), f"{one['title']} covers {other['title']}"


def overlap(one: dict, other: dict) -> bool:
    return all(
        one[start] < other[start] + other[size] and other[start] < one[start] + one[size]
        for start, size in (("x", "w"), ("y", "h"))
    )


def metrics_are_documented() -> None:
    """Each metric is in the table of docs/OPERATIONS.md."""
    page = (ROOT / "docs/OPERATIONS.md").read_text()
    asked = expressions() + [each.get("definition", "") for each in whole()["templating"]["list"]]
    names = set(re.findall(r"\b(?:sagamore|service|process)_[a-z_]+", re.sub(r'"[^"]*"', "", "\n".join(asked))))
    assert len(names) > 20, f"only {names} were found"
    known = {name: re.sub("_(bucket|sum|count)$", "", name) for name in names if not name.startswith("process_")}
    missing = sorted({base for base in known.values() if not re.search(rf"`{base}[`{{]", page)})
    assert not missing, f"not in the table of docs/OPERATIONS.md: {', '.join(missing)}"


def prometheus_understands_it() -> None:
    rules = []
    for number, expression in enumerate(expressions()):
        for variable, value in VARIABLES.items():
            expression = expression.replace(variable, value)
        assert "$" not in expression, f"an unknown variable: {expression}"
        rules.append({"record": f"panel:{number}", "expr": expression})
    with tempfile.TemporaryDirectory(prefix="sagamore-dashboard-") as folder:
        file = Path(folder) / "rules.yaml"
        file.write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}))
        said_by(prometheus("promtool"), "check", "rules", file)


def alerts_say_what_to_do() -> None:
    rules = [rule for group in document(DEPLOY / "prometheus/alerts.yaml")["groups"] for rule in group["rules"]]
    assert rules
    for rule in rules:
        for key in ("summary", "description"):
            assert rule["annotations"].get(key), f"{rule['alert']} has no {key}"
        assert rule["labels"].get("severity") in ("warning", "critical"), f"{rule['alert']} has no severity"
