"""What a handler writes for one event: the item, as it is sent.

Usage: python peer_answer.py HANDLER EVENT FOLDER... ; the folders are first on the import path.
"""

import importlib
import json
import sys
from types import SimpleNamespace
from typing import Any

name, event, *folders = sys.argv[1:]
sys.path[:0] = folders

from botocore.httpsession import URLLib3Session  # noqa: E402

items: list[dict[str, Any]] = []
send = URLLib3Session.send


def keep_and_send(session: Any, request: Any) -> Any:
    if request.headers.get("X-Amz-Target", b"").endswith(b"PutItem"):
        items.append(json.loads(request.body)["Item"])
    return send(session, request)


URLLib3Session.send = keep_and_send
importlib.import_module(name).handler(json.loads(event), SimpleNamespace(aws_request_id="answer"))
(item,) = items
best = [each["M"] for each in item["top_labels"]["L"]]
answer = [{"label": each["label"]["S"], "score": float(each["score"]["N"])} for each in best]
print(json.dumps({"label": item["label"]["S"], "top_labels": answer}))
