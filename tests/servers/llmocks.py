"""How to tell llmock what to do, and to ask what it has seen."""

import json
import urllib.request
from collections.abc import Collection
from typing import Any

from tests.servers.addresses import address


def admin(method: str, path: str, body: Any = None) -> Any:
    request = urllib.request.Request(
        f"{address('FAIRLEAD_LLMOCK')}/_llmock/{path}",
        data=json.dumps(body).encode() if body is not None else None,
        method=method,
        headers={"content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.loads(answer.read())


def script(*behaviors: dict[str, Any]) -> None:
    admin("POST", "scenario", {"behaviors": list(behaviors)})


def seen() -> list[dict[str, Any]]:
    """Every request it served, in the order in which they came."""
    return admin("GET", "requests")["requests"]


def judge(but: Collection[str]) -> None:
    """No error stands in its verdict on us *but* those."""
    findings = admin("GET", "verdict")["findings"]
    errors = {finding["code"] for finding in findings if finding["severity"] == "error"}
    assert errors <= set(but), findings
