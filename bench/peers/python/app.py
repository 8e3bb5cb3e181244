"""What gunicorn serves: the same as bench/Servers/BenchApplication.cs."""

import os
import time


def app(environment, start):
    path = environment["PATH_INFO"]
    if path == "/block":
        time.sleep(0.05)
    body = f"{os.getpid()}\n".encode() if path == "/pid" else b"hello\n"
    start("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
