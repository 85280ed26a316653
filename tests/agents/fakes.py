"""A fake model for Codex and Gemini: says the next line of a script at each request, and keeps what it was shown.

Small on purpose: just enough of both APIs that the real clients run their tools and hooks offline. A step is a call,
`("exec_command", {"cmd": "..."})`; after the last one it says FAKE-DONE. Claude has its own, see `kit`.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Step = tuple[str, dict[str, Any] | str]
"""A tool and what it is called with; text for Codex's free-form tools (apply_patch)."""


class Model:
    """`url`: where it listens; `shown`: the bodies of the requests so far."""

    def __init__(self, url: str, steps: Sequence[Step]) -> None:
        self.url, self.steps = url, list(steps)
        self.shown: list[dict[str, Any]] = []
        self.lock = threading.Lock()

    def next(self, body: dict[str, Any]) -> Step | None:
        with self.lock:
            self.shown.append(body)
            return self.steps.pop(0) if self.steps else None

    def saw(self, text: str) -> bool:
        """Whether the model was shown `text`."""
        return any(json.dumps(text)[1:-1] in json.dumps(body) for body in self.shown)


@contextmanager
def model(steps: Sequence[Step]) -> Iterator[Model]:
    """A model that listens until the end of the block."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    one = server.model = Model(f"http://127.0.0.1:{server.server_address[1]}", steps)  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield one
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self._answer(b"{}", "application/json")

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        path = self.path.partition("?")[0]
        if path.endswith("/responses"):
            self._answer(_codex(self._next(raw)), "text/event-stream")
        elif path.endswith(":streamGenerateContent"):
            said = json.dumps(_gemini(self._next(raw))).encode()
            self._answer(b"data: " + said + b"\r\n\r\n", "text/event-stream")
        elif path.endswith(":generateContent"):
            self._answer(json.dumps(_gemini(None)).encode(), "application/json")
        else:
            self._answer(b'{"totalTokens": 1}', "application/json")

    def _next(self, raw: bytes) -> Step | None:
        one: Model = self.server.model  # type: ignore[attr-defined]
        return one.next(json.loads(raw or b"{}"))

    def _answer(self, text: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


def _codex(step: Step | None) -> bytes:
    item: dict[str, Any]
    match step:
        case None:
            text = {"type": "output_text", "text": "FAKE-DONE"}
            item = {"type": "message", "role": "assistant", "id": "m1", "content": [text]}
        case (name, str(words)):
            item = {"type": "custom_tool_call", "call_id": f"c{id(words)}", "name": name, "input": words}
        case (name, arguments):
            item = {"type": "function_call", "call_id": f"c{id(arguments)}", "name": name}
            item["arguments"] = json.dumps(arguments)
    tokens = {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}
    usage = {**tokens, "input_tokens_details": None, "output_tokens_details": None}
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": {"id": "r1"}},
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": {"id": "r1", "usage": usage}},
    ]
    return b"".join(f"event: {e['type']}\ndata: {json.dumps(e)}\n\n".encode() for e in events)


def _gemini(step: Step | None) -> dict[str, Any]:
    part = {"text": "FAKE-DONE"} if step is None else {"functionCall": {"name": step[0], "args": step[1]}}
    said = {"content": {"role": "model", "parts": [part]}, "finishReason": "STOP", "index": 0}
    return {"candidates": [said], "usageMetadata": {"promptTokenCount": 1, "candidatesTokenCount": 1}}
