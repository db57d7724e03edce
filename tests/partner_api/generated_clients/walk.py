"""Walk the scenario with the Python client that openapi-generator made; its files are untouched.

Called with the scenario and the first values; prints one line of JSON for each step.
"""

from __future__ import annotations

import importlib
import inspect
import json
import re
import sys
from pathlib import Path
from typing import Any, get_type_hints

made: Any = importlib.import_module("openapi_client")


def at(answer: Any, pointer: str) -> Any:
    for name in pointer.split("/")[1:]:
        answer = answer[int(name) if isinstance(answer, list) else name]
    return answer


def snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).replace("-", "_").lower()


def told(step: dict[str, Any], values: dict[str, str]) -> dict[str, Any]:
    text = re.sub(r"\$([A-Za-z]+)", lambda found: values[found[1]], json.dumps(step))
    filled: dict[str, Any] = json.loads(text)
    return filled


def call(step: dict[str, Any], portal: str) -> Any:
    setting = made.Configuration(host=step.get("at", portal), access_token=step.get("token"))
    if "basic" in step:
        setting.username, setting.password = step["basic"]
    client = made.ApiClient(setting)
    classes = [each for name, each in vars(made).items() if name.endswith("Api")]
    name = snake(step["call"])
    method = next(getattr(each(client), name) for each in classes if hasattr(each, name))
    arguments = {snake(key): value for key, value in step.get("parameters", {}).items()}
    if "body" in step:
        # The only argument whose type is one of the generated models.
        for parameter in inspect.signature(method).parameters:
            kind = str(get_type_hints(method).get(parameter))
            if found := re.search(r"openapi_client\.models\.\w+\.(\w+)", kind):
                arguments[parameter] = getattr(made, found[1]).from_dict(step["body"])
    answer = method(**arguments)
    if isinstance(answer, bytes):
        return {"begins": answer[:4].decode("latin-1"), "size": len(answer)}
    return json.loads(answer.to_json()) if answer is not None else None


def main() -> None:
    steps = json.loads(Path(sys.argv[1]).read_text())
    values: dict[str, str] = json.loads(Path(sys.argv[2]).read_text())
    for step in steps:
        step = told(step, values)
        try:
            answer = call(step, values["portal"])
        except made.ApiException as error:
            body = json.loads(error.body)
            code = body["error"] if "error" in body else body["errors"][0]["code"]
            print(json.dumps({"refused": [error.status, code]}))
            continue
        values |= {name: at(answer, pointer) for name, pointer in step.get("keep", {}).items()}
        print(json.dumps({"answer": answer}))


main()
