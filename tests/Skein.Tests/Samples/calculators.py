"""A client of the four calculators that shares no code with them: raw sockets, and only what their protocol says.

    python3 calculators.py STATELESS STATEFUL DISPATCHER HTTP      their ports; prints what is wrong, ends with 1 if anything is
"""
import http.client
import json
import math
import random
import socket
import sys
import threading
import time

STATELESS, STATEFUL, DISPATCHER, HTTP = (int(port) for port in sys.argv[1:5])
TCP = [STATELESS, STATEFUL, DISPATCHER]
faults = []
began = time.monotonic()   # the server runs already
random.seed(20261121)


def check(condition, *what):
    if not condition:
        faults.append(" ".join(map(str, what)))


def talk(port, *pieces, end=False, pause=0.0):
    """Sends the pieces one by one, keeps the sending side open unless told otherwise, and reads to the end."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces:
            connection.sendall(piece)
            if pause:
                time.sleep(pause)
        if end:
            connection.shutdown(socket.SHUT_WR)
        answer = b""
        while part := connection.recv(65536):
            answer += part
    try:
        value = json.loads(answer)
    except ValueError:
        value = None
    check(isinstance(value, dict), port, "answered", answer[:200], "to", b"".join(pieces)[:80])
    return value if isinstance(value, dict) else {}


def ask(port, **request):
    return talk(port, json.dumps(request).encode())


def post(body, method="POST", path="/calculate", headers=None):
    connection = http.client.HTTPConnection("127.0.0.1", HTTP, timeout=60)
    connection.request(method, path, body, headers or {"Content-Type": "application/json"})
    response = connection.getresponse()
    text = response.read()
    connection.close()
    return response.status, json.loads(text)


def is_error(answer, *what):
    check(isinstance(answer.get("error"), str) and answer["error"] and "result" in answer and answer["result"] is None, "no error:", answer, *what)


# --- what is right ---------------------------------------------------------------------------------------------------------------------
NUMBERS = [0, 1, -1, 10, 5, 0.1, 0.2, 1e-7, 2.5, 1 / 3, 1e15, 123456789012345678, 2**53 + 1, 1.7976931348623157e308, 5e-324, -0.0]
PYTHON = {"add": lambda a, b: a + b, "subtract": lambda a, b: a - b, "multiply": lambda a, b: a * b, "divide": lambda a, b: a / b}
for operation, compute in PYTHON.items():
    for _ in range(12):
        a, b = random.choice(NUMBERS), random.choice(NUMBERS)
        expected = None if operation == "divide" and b == 0 else compute(float(a), float(b))
        if expected is not None and math.isinf(expected):
            expected = None
        request = {"operation": operation, "a": a, "b": b}
        for port, named in ((STATELESS, ("server_type", "stateless")), (DISPATCHER, None)):
            answer = ask(port, **request)
            check(answer.get("result") == expected and ("error" in answer) == (expected is None), port, request, "gave", answer)
            check(named is None or answer.get(named[0]) == named[1], answer)
            check(port != DISPATCHER or (isinstance(answer.get("worker"), int) and answer["worker"] >= 1), answer)
        status, answer = post(json.dumps(request))
        check((status, answer.get("result")) == (200 if expected is not None else 400, expected), "HTTP", request, "gave", status, answer)

# --- framing: any pieces, any whitespace, open or ended, more behind -------------------------------------------------------------------
request = b' \r\n\t { "operation"\n:\t"add" , "a" : 10.0e0,"b":5 , "more": {"x": [1, "}{\\"", {}]} }'
for port in TCP:
    extra = {"session_id": None} if port == STATEFUL else {}
    text = request.replace(b'"add"', b'"calculate"') if port == STATEFUL else request
    for pieces in ([text], [bytes([c]) for c in text], [text[:20], text[20:21], text[21:]], [b" " * 70000, text], [text, b"\n"]):
        check(talk(port, *pieces).get("result") == 15, port, "in", len(pieces), "pieces")
        check(talk(port, *pieces, end=True).get("result") == 15, port, "in", len(pieces), "pieces, ended")
    # What follows the object byte by byte breaks nothing, though the answer has gone.
    check(talk(port, *[bytes([c]) for c in text[-9:].join([text[:-9], b"      \n"])], pause=0.002).get("result") == 15, port, "slow, and blanks behind")

# --- what is wrong ---------------------------------------------------------------------------------------------------------------------
MEGABYTE = b"x" * (1 << 20)
BAD = [
    b"[]", b'[{"operation":"add","a":1,"b":2}]', b'"text"', b"null ", b"true ", b"12 ", b"{]", b"{}}"[:2], b"nonsense", b"{'operation':'add'}",
    b'{"operation":"add","a":1,"b":2,}', b'{"operation":"add" "a":1}', b'{"operation":"add","a":01,"b":2}', b'{"operation":"add","a":NaN,"b":2}',
    b'{"operation":"add","a":Infinity,"b":2}', b'{"operation":"add","a":1e400,"b":2}', b'{"operation":"add","a":1,"b":-1e999999999999}',
    b'{"operation":"add","a":"1","b":2}', b'{"operation":"add","a":true,"b":2}', b'{"operation":"add","a":null,"b":2}', b'{"operation":"add","a":[1],"b":2}',
    b'{"operation":"add","a":1}', b'{"operation":"add","b":1}', b'{"a":1,"b":2}', b'{"operation":7,"a":1,"b":2}', b'{"operation":null,"a":1,"b":2}',
    b'{"operation":"modulo","a":1,"b":2}', b'{"operation":"Add","a":1,"b":2}', b'{"operation":"divide","a":1,"b":0}', b'{"operation":"divide","a":0,"b":-0.0}',
    b'{"operation":"multiply","a":1e308,"b":10}', b'{"operation":"add","a":' + b"9" * 400 + b',"b":1}', b'{"operation":"\\ud800","a":1,"b":2}',
    b'{"\\ud800":1,"operation":"modulo"}', b'{"operation":"\xff\xfe","a":1,"b":2}', b"\xef\xbb\xbf[]", b"\x00\x01\x02\x80\xff" * 100, bytes(random.randrange(256) for _ in range(50_000)),
    b'{"operation":"add","a":"' + MEGABYTE + b'","b":1}', b'{"operation":"' + MEGABYTE + b'","a":1,"b":1}', MEGABYTE, b"[" * 100_000, b'{"a":' * 1000 + b"1" + b"}" * 1000,
    b'{"a":"' + MEGABYTE * 3 + b'"}', b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00",
]
for bad in BAD:
    for port in TCP:
        is_error(talk(port, bad), port, bad[:60])
    status, answer = post(bad)
    check(status == 400, "HTTP", status, bad[:60])
    is_error(answer, "HTTP", bad[:60])
for half in (b"", b"  ", b"{", b'{"operation":"add","a":1', b'{"operation":"add","a":1,"b":2', b'"', b"12", b"nul"):
    for port in TCP:
        is_error(talk(port, half, end=True), port, half)
    status, answer = post(half)
    check(status == 400, "HTTP", status, half)
    is_error(answer, "HTTP", half)

# --- sessions --------------------------------------------------------------------------------------------------------------------------
started = ask(STATEFUL, operation="start_session", session_id=None)
me = started.get("session_id")
check(isinstance(me, str) and isinstance(started.get("message"), str) and started.get("server_type") == "stateful", started)
for unknown in (None, "nobody", "", 7, me.upper() + "x", {"id": me}):
    adopted = ask(STATEFUL, operation="calculate", session_id=unknown, a=1, b=2)
    check(adopted.get("result") == 3 and adopted.get("session_id") not in (me, unknown, None), "unknown", unknown, adopted)
is_error(ask(STATEFUL, operation="use_last", session_id=me, b=1), "use_last of nothing")
check("error" in ask(STATEFUL, operation="undo", session_id=me), "undo of nothing")
check(ask(STATEFUL, operation="history", session_id=me).get("history") == [], "a history from nothing")
check(ask(STATEFUL, operation="history", session_id=me).get("last_result", 0) is None, "a last result from nothing")
first = ask(STATEFUL, operation="calculate", session_id=me, a=10, b=5)
check(first.get("result") == 15 and first.get("session_id") == me, first)
for failing in ({"a": 1, "b": 0, "op": "divide"}, {"a": 1}, {"a": 1, "b": "2"}, {"a": 1, "b": 1, "op": "modulo"}, {"a": 1e308, "b": 1e308}):
    failed = ask(STATEFUL, operation="calculate", session_id=me, **failing)
    is_error(failed, failing)
    check(failed.get("session_id") == me, failed)
last = ask(STATEFUL, operation="use_last", session_id=me, b=2, op="multiply")
check(last.get("result") == 30 and isinstance(last.get("operation"), str), last)
ask(STATEFUL, operation="calculate", session_id=me, a=0.1, b=0.2, op="add")
history = ask(STATEFUL, operation="history", session_id=me)
check(history.get("history") == [{"operation": "10 add 5", "result": 15}, {"operation": "15 multiply 2", "result": 30},
                                 {"operation": "0.1 add 0.2", "result": 0.1 + 0.2}], history)
check(history.get("operation_count") == 3 and history.get("last_result") == 0.1 + 0.2, history)
stats = ask(STATEFUL, operation="stats", session_id=me)
check(stats.get("your_operations") == 3 and 0 <= stats.get("session_age", -1) < 600 and stats.get("total_sessions", 0) >= 7, stats)
for undone, left in (({"operation": "0.1 add 0.2", "result": 0.1 + 0.2}, 30), ({"operation": "15 multiply 2", "result": 30}, 15), ({"operation": "10 add 5", "result": 15}, None)):
    answer = ask(STATEFUL, operation="undo", session_id=me)
    check(answer.get("undone") == undone and "last_result" in answer and answer["last_result"] == left, answer)
check("error" in ask(STATEFUL, operation="undo", session_id=me), "one undo too many")
is_error(ask(STATEFUL, operation="fly", session_id=me), "fly")
ended = ask(STATEFUL, operation="end_session", session_id=me)
check(isinstance(ended.get("message"), str) and ended.get("session_id") == me, ended)
check(ask(STATEFUL, operation="stats", session_id=me).get("session_id") != me, "a session that has ended goes on")

# --- many at a time, among them some that stop in the middle ----------------------------------------------------------------------------
stalled = []
for port in TCP:
    for _ in range(3):
        stalled.append(socket.create_connection(("127.0.0.1", port)))
        stalled[-1].sendall(b'{"operation": "add", ')
mine = {}


def busy(number):
    session = ask(STATEFUL, operation="start_session").get("session_id")
    for i in range(10):
        check(ask(STATELESS, operation="add", a=number, b=i).get("result") == number + i, "stateless", number, i)
        check(ask(DISPATCHER, operation="multiply", a=number, b=i).get("result") == number * i, "dispatcher", number, i)
        ask(STATEFUL, operation="calculate", session_id=session, a=number, b=i)
    mine[number] = [entry["result"] for entry in ask(STATEFUL, operation="history", session_id=session).get("history", [])]


threads = [threading.Thread(target=busy, args=(number,)) for number in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
check(mine == {number: [number + i for i in range(10)] for number in range(8)}, "sessions mixed", mine)

# --- HTTP ------------------------------------------------------------------------------------------------------------------------------
least = time.monotonic() - began
status, before = post(None, "GET", "/health")
check(status == 200 and before.get("status") == "healthy" and before.get("uptime_seconds", -1) >= least, before, least)
post(json.dumps({"operation": "add", "a": 1, "b": 2}))
check(post(None, "GET", "/health")[1]["requests_handled"] >= before["requests_handled"] + 2, "requests_handled")
status, info = post(None, "GET", "/info")
check(status == 200 and socket.gethostname() in info.values() and isinstance(info.get("pid"), int) and info.get("limits"), info)
for method, path in (("GET", "/calculate"), ("POST", "/health"), ("GET", "/" + "x" * 20_000), ("DELETE", "/calculate"), ("GET", "/nothing")):
    status, answer = post(None, method, path)
    check(status == 400 and isinstance(answer.get("error"), str), method, path[:20], status, answer)
with socket.create_connection(("127.0.0.1", HTTP), timeout=60) as connection:
    connection.sendall(b"POST /calculate HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nnonsense\r\n")
    check(connection.recv(65536).startswith(b"HTTP/1.1 400"), "a chunk that is none")
with socket.create_connection(("127.0.0.1", HTTP), timeout=60) as connection:
    connection.sendall(b"\x00garbage\xff\r\n\r\n")
    check(connection.recv(65536).startswith(b"HTTP/1.1 400"), "garbage")

# --- unfinished after five seconds, on every port at once: what was stalled above, and one with nothing ----------------------------------
silent = [socket.create_connection(("127.0.0.1", port)) for port in TCP]
began = time.monotonic()
for connection in stalled + silent:
    connection.settimeout(60)
    answer = b""
    while part := connection.recv(65536):
        answer += part
    is_error(json.loads(answer or b"{}"), "unfinished")
    connection.close()
check(time.monotonic() - began > 3, "the silent were not given five seconds")

print("\n".join(faults) or "all as it should be")
sys.exit(1 if faults else 0)
