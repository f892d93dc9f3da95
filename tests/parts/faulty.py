"""A user service as a process of its own, which can be killed, slowed and made to lie.

python3 faulty.py PORT

GET /v1/realms/{realm}/tenants/{tenant}/users/{subject}: the user, or 404 {"code": "user_not_found"}.
PUT /state puts a new state in the place of the old one; GET /calls tells who was asked for how often.

A read with `Cache-Control: no-cache` sees `people`. Any other sees what `replica` has under
"tenant/subject", be it a record or null, and `people` where that has nothing.
"""

import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

state = {"people": [], "replica": {}, "mood": "well", "delay": 0.0}
calls = {}
most = {"now": 0, "at_once": 0}
lock = threading.Lock()


def record(tenant, subject):
    return {
        "id": f"u-{subject}",
        "subject": subject,
        "tenant": tenant,
        "status": "active",
        "email": f"{subject}@example.com",
    }


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/ready":
            return self.say(200, {})
        if self.path == "/calls":
            with lock:
                return self.say(200, {"calls": calls, "at_once": most["at_once"]})
        if not self.path.startswith("/v1/realms/"):
            return self.say(404, {"detail": "no such page"})
        with lock:
            most["now"] += 1
            most["at_once"] = max(most["at_once"], most["now"])
        try:
            self.user()
        finally:
            with lock:
                most["now"] -= 1

    def do_PUT(self):
        length = int(self.headers["content-length"])
        told = json.loads(self.rfile.read(length))
        with lock:
            state.update(told)
        self.say(204, None)

    def user(self):
        parts = [unquote(part) for part in self.path.split("/")]
        tenant, subject = parts[5], parts[7]
        with lock:
            calls[subject] = calls.get(subject, 0) + 1
            now = dict(state)
        time.sleep(now["delay"])
        kind, _, value = now["mood"].partition(" ")
        if kind == "well":
            found = self.find(now, tenant, subject)
            if found is None:
                self.say(404, {"code": "user_not_found", "message": "no such user"})
            else:
                self.say(200, found)
        elif kind == "status":
            self.say(int(value), {"error": "no luck today"})
        elif kind == "throttled":
            self.say(429, {"error": "slow down"}, {"retry-after": value})
        elif kind == "html_not_found":
            self.send(404, b"<html><h1>404 Not Found</h1></html>", {"content-type": "text/html"})
        elif kind == "other_not_found":
            self.say(404, {"detail": "Not Found"})
        elif kind == "garbage":
            self.send(200, b"{\x00\xff]", {"content-type": "application/json"})
        elif kind == "truncated":
            body = json.dumps(record(tenant, subject)).encode()
            self.send(200, body[:20], {"content-type": "application/json"}, length=len(body))
            self.close_connection = True
        elif kind == "endless":
            self.endless()
        elif kind == "other_user":
            self.say(200, record(tenant, "mallory"))
        elif kind == "other_tenant":
            self.say(200, record("elsewhere", subject))

    def find(self, now, tenant, subject):
        place = f"{tenant}/{subject}"
        consistent = self.headers["cache-control"] == "no-cache"
        if not consistent and place in now["replica"]:
            return now["replica"][place]
        for one in now["people"]:
            if one["tenant"] == tenant and one["subject"] == subject:
                return one
        return None

    def endless(self):
        """A body without a length and without an end: RFC 9112 6.3, rule 8."""
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("connection", "close")
        self.end_headers()
        try:
            while True:
                self.wfile.write(b" " * 65536)
        except OSError:
            self.close_connection = True

    def say(self, status, body, headers=()):
        data = b"" if body is None else json.dumps(body).encode()
        self.send(status, data, {"content-type": "application/json", **dict(headers)})

    def send(self, status, data, headers, length=None):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(data) if length is None else length))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_args):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request, client_address):
        """A client that hangs up is nothing to write about."""


Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
