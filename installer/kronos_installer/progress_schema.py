"""The JSON Schema of a line of progress (stderr with --json); `./inv docs` publishes it.

The lines are written by xapi_shim.base.progress.
"""

from __future__ import annotations

import json
import sys
from typing import Any


def progress_schema() -> dict[str, Any]:
    """Return the schema."""
    counted = {
        "number": {"type": "integer", "minimum": 1, "description": "Which step it is, from 1."},
        "total": {"type": "integer", "minimum": 1, "description": "How many steps there are."},
    }
    text = {"type": "string", "description": "What it is about, for people."}
    seconds = {"type": "number", "minimum": 0, "description": "How long it took."}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A line of xapi-host-setup's progress",
        "description": "One JSON object a line on stderr with --json. A step starts, then is done or has failed.",
        "oneOf": [
            _line({"event": {"const": "info"}, "text": text}),
            _line({"event": {"const": "start"}, "text": text}, counted),
            _line({"event": {"enum": ["done", "failed"]}, "text": text, "seconds": seconds}, counted),
        ],
    }


def _line(properties: dict[str, Any], counted: dict[str, Any] | None = None) -> dict[str, Any]:
    made: dict[str, Any] = {
        "type": "object",
        "additionalProperties": False,
        "properties": {**properties, **(counted or {})},
        "required": list(properties),
    }
    return made | ({"dependentRequired": {"number": ["total"], "total": ["number"]}} if counted else {})


if __name__ == "__main__":
    sys.stdout.write(json.dumps(progress_schema(), indent=2) + "\n")
