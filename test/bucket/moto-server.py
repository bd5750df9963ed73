"""moto's S3 server on a free port: prints its address, and ends with its standard input.

moto looks for an object and stores it in two steps; requests are taken one at a time, so that `If-None-Match: *` lets
exactly one of several writers through, as in a real server.
"""

import sys
import threading

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

app = DomainDispatcherApplication(create_backend_app)
turn = threading.Lock()


def one_at_a_time(environ, start_response):
    with turn:
        return app(environ, start_response)


server = make_server("127.0.0.1", 0, one_at_a_time, threaded=True)
print(f"http://127.0.0.1:{server.server_port}", flush=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
sys.stdin.read()
