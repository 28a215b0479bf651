"""Faults for the proxy: what networks and stores do on bad days."""

import time

from tests.support.proxy import Answer, Exchange, Fault


def delayed(seconds: float) -> Fault:
    """The right answer, late."""

    def fault(exchange: Exchange) -> None:
        answer = exchange.forward()
        exchange.hang(seconds)
        exchange.answer(answer)

    return fault


def silent(exchange: Exchange) -> None:
    """Nothing comes."""
    exchange.hang(60)
    exchange.reset()


def stalled(exchange: Exchange) -> None:
    """Half of the answer, then nothing more."""
    answer = exchange.forward()
    exchange.answer(answer._replace(body=answer.body[: len(answer.body) // 2]), length=len(answer.body))
    exchange.hang(60)


def dripping(exchange: Exchange) -> None:
    """The answer, some bytes a second, so that no silence is ever long."""
    answer = exchange.forward()
    exchange.answer(answer._replace(body=b""), length=len(answer.body))
    try:
        for start in range(0, len(answer.body), 16):
            exchange.handler.wfile.write(answer.body[start : start + 16])
            exchange.handler.wfile.flush()
            if exchange.handler.proxy.ending.wait(0.25):
                return
    except OSError:
        return


def reset(exchange: Exchange) -> None:
    """The connection ends before the server has seen the request."""
    exchange.reset()


def reset_after(exchange: Exchange) -> None:
    """The server does it, and the connection ends before it could say so."""
    exchange.forward()
    exchange.reset()


def error_after(exchange: Exchange) -> None:
    """The server does it, and what is in between says 500."""
    exchange.forward()
    exchange.answer(_xml(500, "InternalError", "We encountered an internal error. Please try again."))


def truncated(exchange: Exchange) -> None:
    """Half of the body, then the connection ends."""
    answer = exchange.forward()
    exchange.answer(answer._replace(body=answer.body[: len(answer.body) // 2]), length=len(answer.body))


def halved(exchange: Exchange) -> None:
    """Half of the body with a length that agrees with it."""
    answer = exchange.forward()
    exchange.answer(answer._replace(body=answer.body[: len(answer.body) // 2]))


def zeroed(exchange: Exchange) -> None:
    """A body of the right length whose second half was never written."""
    answer = exchange.forward()
    half = len(answer.body) // 2
    exchange.answer(answer._replace(body=answer.body[:half] + bytes(len(answer.body) - half)))


def flipped(exchange: Exchange) -> None:
    """A body with one wrong bit in its middle."""
    answer = exchange.forward()
    body = bytearray(answer.body)
    if body:
        body[len(body) // 2] ^= 1
    exchange.answer(answer._replace(body=bytes(body)))


def wrong_etag(exchange: Exchange) -> None:
    """The right body under the ETag of another."""
    answer = exchange.forward()
    headers = {name: value for name, value in answer.headers.items() if name.lower() != "etag"}
    exchange.answer(answer._replace(headers={**headers, "ETag": '"00000000000000000000000000000000"'}))


def skewed(exchange: Exchange) -> None:
    """A server whose clock is a day ahead."""
    answer = exchange.forward()
    tomorrow = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 86400))
    exchange.answer(answer._replace(headers={**answer.headers, "Date": tomorrow, "Last-Modified": tomorrow}))


def garbage(exchange: Exchange) -> None:
    """What is no HTTP."""
    exchange.handler.wfile.write(b"\x00\x01 not http at all\r\n\r\n")
    exchange.handler.wfile.flush()
    exchange.reset()


def status(code: int, name: str, message: str = "injected") -> Fault:
    """A refusal of the store's."""
    return lambda exchange: exchange.answer(_xml(code, name, message))


def _xml(code: int, name: str, message: str) -> Answer:
    text = f"<Error><Code>{name}</Code><Message>{message}</Message></Error>"
    return Answer(code, {"Content-Type": "application/xml"}, f'<?xml version="1.0"?>{text}'.encode())


internal_error = status(500, "InternalError")
slow_down = status(503, "SlowDown", "Please reduce your request rate.")
forbidden = status(403, "AccessDenied")
time_skewed = status(
    403, "RequestTimeTooSkewed", "The difference between the request time and the current time is too large."
)
not_found = status(404, "NoSuchKey")
conflict = status(409, "ConditionalRequestConflict")
precondition = status(412, "PreconditionFailed")
