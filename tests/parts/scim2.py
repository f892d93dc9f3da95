"""scim2-server with a house for each realm and tenant: /r/{realm}/t/{tenant}/v2.

python scim2.py PORT

GET /asked tells the cache-control of the latest question.
"""

import re
import sys
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from scim2_models import ScimProvider
from scim2_server.applications.wsgi import WSGIApplication
from scim2_server.memory import InMemoryStorage
from scim2_server.service import ScimService
from scim2_server.utils import (
    load_default_resource_types,
    load_default_schemas,
    load_default_service_provider_config,
)


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Quiet(WSGIRequestHandler):
    def log_message(self, *_args):
        pass


provider = ScimProvider.from_discovery(
    load_default_schemas().values(),
    load_default_resource_types().values(),
    config=load_default_service_provider_config(),
)
service = ScimService(provider, secret="of these tests")
houses = {}
asked = b""


def application(environ, start_response):
    """WSGI hands the path over decoded, so a realm that is a URL has slashes in it here."""
    global asked
    if environ["PATH_INFO"] == "/asked":
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [asked]
    asked = environ.get("HTTP_CACHE_CONTROL", "").encode()
    match = re.fullmatch(r"(/r/.+/t/[^/]+)(/v2/.*)", environ["PATH_INFO"])
    if match is None:
        start_response("404 Not Found", [("Content-Type", "text/html")])
        return [b"<h1>Not Found</h1>"]
    house, environ["PATH_INFO"] = match.groups()
    environ["SCRIPT_NAME"] = house
    if house not in houses:
        houses[house] = WSGIApplication(InMemoryStorage(), provider, service)
    return houses[house](environ, start_response)


with make_server(
    "127.0.0.1", int(sys.argv[1]), application, server_class=Server, handler_class=Quiet
) as server:
    server.serve_forever()
