#!/usr/bin/env python3
"""A Lambda Runtime API of a few lines: hands events to a `bootstrap` and collects its answers.

Usage: runtime_api.py EVENT

Prints its address, then "response" or "error" with the answer to the one event (JSON), and ends.
"""
import http.server
import json
import queue
import sys
import threading
import time
import uuid

ANSWER_SECONDS_MAX = 60
PREFIX = "/2018-06-01/runtime/"


class RuntimeApi:
    """invoke() gives one event and waits for what the function says to it."""

    def __init__(self, function_arn="arn:aws:lambda:us-east-1:123456789012:function:f"):
        self.function_arn = function_arn
        self.events, self.answers = queue.Queue(), queue.Queue()
        api = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def reply(self, status, body=b"", headers=()):
                self.send_response(status)
                for name, value in headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self):
                event = api.events.get()
                if event is None:
                    self.reply(410)
                    return
                self.reply(200, json.dumps(event).encode(), [
                    ("Lambda-Runtime-Aws-Request-Id", str(uuid.uuid4())),
                    ("Lambda-Runtime-Deadline-Ms", str(int(time.time() * 1000) + 60000)),
                    ("Lambda-Runtime-Invoked-Function-Arn", api.function_arn)])

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                # …/invocation/ID/response, …/invocation/ID/error or …/init/error
                kind = self.path.removeprefix(PREFIX).rsplit("/", 1)[-1]
                if self.path.endswith("/init/error"):
                    kind = "init error"
                self.reply(202)
                api.answers.put((kind, json.loads(body)))

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.address = f"127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def invoke(self, event):
        """("response" or "error", the answer's JSON)."""
        self.events.put(event)
        return self.answers.get(timeout=ANSWER_SECONDS_MAX)

    def close(self):
        """The function ends by itself when it asks for the next event."""
        self.events.put(None)

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def main():
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    api = RuntimeApi()
    print(api.address, flush=True)
    kind, answer = api.invoke(json.loads(sys.argv[1]))
    print(kind, json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
