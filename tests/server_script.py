"""A small server, as a script: a container or a peer as a separate process."""

_SCRIPT = """
import http.server, os, sys
{respond}

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        self.answer(200, b"")
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(*respond(body, self.headers))
    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass

http.server.ThreadingHTTPServer(("127.0.0.1", int({port})), Handler).serve_forever()
"""


def server_script(respond: str, *, port: str = 'os.environ["SAGEMAKER_BIND_TO_PORT"]') -> str:
    """The script of a server that answers GETs with 200, and POSTs as `respond` says.

    Args:
        respond: Python source of `respond(body, headers)`, which returns status and body.
        port: Python source of the loopback port.
    """
    return _SCRIPT.format(respond=respond, port=port)
