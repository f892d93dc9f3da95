"""A directory of users that speaks `subgate.directory.v1`, on Google's gRPC stack.

    python directory_grpc.py PROTO_FOLDER ADDRESS [TLS_FOLDER]

It takes its orders as lines of JSON on standard input and answers each with one on standard output,
the first without being asked. Closing standard input ends it.
"""

import collections
import concurrent.futures
import json
import os
import sys
import threading

import grpc
from google.protobuf import json_format

sys.path.insert(0, sys.argv[1])
proto = grpc.protos("subgate/directory/v1/directory.proto")


class House:
    """Who is there, what happened, and how badly it is told."""

    def __init__(self):
        self.changed = threading.Condition()
        self.users = {}
        self.lagging = None
        self.mood = {}
        self.calls = collections.deque(maxlen=1000)
        # A token is the generation and how many messages came before.
        self.generation = os.urandom(4).hex()
        self.log = []
        self.how_to_forget = "reset"
        self.tokens = True
        self.mute = False
        # Streams of an older era end with this status.
        self.era, self.end = 0, "UNAVAILABLE"

    # What is ordered.

    def put(self, rows):
        self.users = {(row["realm"], row.get("tenant"), row["subject"]): row for row in rows}

    def lag(self, on):
        """Whether ordinary calls see who was there now, whatever is put from now on."""
        self.lagging = dict(self.users) if on else None

    def answer(self, **mood):
        """How calls of GetUser are answered; nothing: as it is."""
        self.mood = mood

    def called(self):
        """Who was asked for since the last time, and with which token."""
        calls = list(self.calls)
        self.calls.clear()
        return calls

    def tell(self, event):
        self.log.append(json_format.ParseDict({"event": event}, proto.WatchResponse()))

    def tell_bytes(self, hex):
        self.log.append(bytes.fromhex(hex))

    def forget(self, how):
        """No token is known any more; who comes with one is told so by `reset` or a status."""
        self.generation, self.how_to_forget = os.urandom(4).hex(), how

    def give_tokens(self, on):
        self.tokens = on

    def be_mute(self, on):
        self.mute = on

    def hang_up(self, status):
        self.era, self.end = self.era + 1, status

    # What is called.

    def get_user(self, request, context):
        with self.changed:
            mood = self.mood
            now = self.users if request.consistency == 2 or self.lagging is None else self.lagging
            tenant = request.tenant if request.HasField("tenant") else None
            row = now.get((request.realm, tenant, request.subject))
            call = json_format.MessageToDict(request, preserving_proto_field_name=True)
            metadata = dict(context.invocation_metadata())
            self.calls.append({**call, "authorization": metadata.get("authorization")})
        if "after" in mood:
            gone = threading.Event()
            context.add_callback(gone.set)
            gone.wait(mood["after"])
        if "status" in mood:
            if "retry_after" in mood:
                context.set_trailing_metadata([("retry-after", mood["retry_after"])])
            context.abort(grpc.StatusCode[mood["status"]], "as ordered")
        if "bytes" in mood:
            return bytes.fromhex(mood["bytes"])
        if "message" in mood:
            return json_format.ParseDict(mood["message"], proto.GetUserResponse())
        answer = proto.GetUserResponse()
        if row is None:
            found = answer.not_found
        else:
            found = answer.user
            found.id = row["id"]
            found.status = 1 if row.get("status", "active") == "active" else 2
            found.roles.extend(row.get("roles", []))
            found.version = row.get("version", "")
            for name, value in row.get("attributes", {}).items():
                found.attributes[name].values.append(value)
        found.realm, found.subject = request.realm, request.subject
        if tenant is not None:
            found.tenant = tenant
        return answer

    def watch(self, request, context):
        era = self.era
        context.add_callback(self.stir)
        generation, _, at = request.resume_token.decode().partition(":")
        first = proto.WatchResponse(heartbeat=proto.Heartbeat())
        if not request.resume_token:
            at = len(self.log)
        elif generation == self.generation:
            at = int(at)
        elif self.how_to_forget == "reset":
            first, at = proto.WatchResponse(reset=proto.Reset()), len(self.log)
        else:
            context.abort(grpc.StatusCode[self.how_to_forget], "the token is not known")
        if not self.mute:
            yield self.bearing(first, at)
        while context.is_active():
            with self.changed:
                every = request.heartbeat_every.ToTimedelta().total_seconds()
                self.changed.wait_for(
                    lambda: at < len(self.log) or self.era != era or not context.is_active(), every
                )
                told, at = self.log[at:], len(self.log)
                ended = self.era != era
            before = at - len(told)
            for number, message in enumerate(told, before + 1):
                yield self.bearing(message, number)
            if ended:
                context.abort(grpc.StatusCode[self.end], "as ordered")
            if not told and not self.mute:
                yield self.bearing(proto.WatchResponse(heartbeat=proto.Heartbeat()), at)

    def bearing(self, message, at):
        if isinstance(message, bytes):
            return message
        bearing = proto.WatchResponse()
        bearing.CopyFrom(message)
        bearing.resume_token = f"{self.generation}:{at}".encode() if self.tokens else b""
        return bearing

    def stir(self):
        with self.changed:
            self.changed.notify_all()


class Door:
    """The port, which can be closed and opened again."""

    def __init__(self, house, address, tls):
        self.house, self.address, self.tls, self.server = house, address, tls, None

    def up(self):
        server = grpc.server(
            concurrent.futures.ThreadPoolExecutor(max_workers=64), options=[("grpc.so_reuseport", 0)]
        )
        methods = {
            "GetUser": grpc.unary_unary_rpc_method_handler(
                self.house.get_user, proto.GetUserRequest.FromString, encoded
            ),
            "Watch": grpc.unary_stream_rpc_method_handler(
                self.house.watch, proto.WatchRequest.FromString, encoded
            ),
        }
        server.add_generic_rpc_handlers(
            [grpc.method_handlers_generic_handler("subgate.directory.v1.Directory", methods)]
        )
        if self.tls:
            key, chain, roots = (
                open(os.path.join(self.tls, name), "rb").read()
                for name in ("server.key", "server.crt", "ca.crt")
            )
            credentials = grpc.ssl_server_credentials([(key, chain)], roots, True)
            server.add_secure_port(self.address, credentials)
        else:
            server.add_insecure_port(self.address)
        server.start()
        self.server = server

    def down(self):
        self.server.stop(None).wait()


def encoded(message):
    return message if isinstance(message, bytes) else message.SerializeToString()


def main():
    house = House()
    tls = sys.argv[3] if len(sys.argv) > 3 else None
    door = Door(house, sys.argv[2], tls)
    door.up()
    print(json.dumps(None), flush=True)
    for line in sys.stdin:
        [name, arguments] = json.loads(line)
        if name in ("up", "down"):
            done = getattr(door, name)()
        else:
            with house.changed:
                done = getattr(house, name)(**arguments)
                house.changed.notify_all()
        print(json.dumps(done), flush=True)
    door.server.stop(None)


main()
