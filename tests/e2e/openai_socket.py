"""The openai Python SDK over a WebSocket: openai_socket.py NAME, with $CODEFERRY_URL and $CODEFERRY_KEY.

Each event is checked against the SDK's own type. A scenario that is not as it should be raises.
"""

import os
import sys

import openai
from openai.types.responses import ResponsesServerEvent
from pydantic import TypeAdapter

EVENT = TypeAdapter(ResponsesServerEvent)
MODEL = "gpt-6.1-sol"
ENDS = ("response.completed", "response.incomplete", "response.failed", "error")


def client(**options):
    return openai.OpenAI(
        **{"base_url": os.environ["CODEFERRY_URL"] + "/v1", "api_key": os.environ["CODEFERRY_KEY"], **options}
    )


def last(connection, said, **more):
    """The last event of a response."""
    connection.response.create(**{"model": MODEL, "input": said, **more})
    while True:
        data = connection.recv_bytes()
        EVENT.validate_json(data, strict=True)
        event = connection.parse_event(data)
        if event.type in ENDS:
            return event


def conversation():
    with client().responses.connect() as connection:
        first = last(connection, "[[demo:reasoning]][[demo:text Well.]]")
        assert first.response.output_text == "Well.", first
        going_on = last(connection, "[[demo:text And on.]]", previous_response_id=first.response.id)
        assert going_on.response.output_text == "And on.", going_on
        call = {"type": "function", "name": "weather", "parameters": {"type": "object", "properties": {}}, "strict": False}
        called = last(connection, "[[demo:tool weather {}]]", tools=[call])
        assert [item.type for item in called.response.output] == ["function_call"], called


def errors():
    with client().responses.connect() as connection:
        for said, more, status, code in [
            ("x", {"model": "none"}, 404, "model_not_found"),
            ("x", {"previous_response_id": "resp_none"}, 400, "previous_response_not_found"),
            ("[[demo:overloaded]]", {}, 503, "server_is_overloaded"),
            ("[[demo:long 3000]][[demo:error late]]", {}, 500, "server_error"),
        ]:
            event = last(connection, said, **more)
            assert event.type == "error", event
            assert (event.status, event.error.code) == (status, code), event
        # What this server does not know ends nothing.
        connection.send({"type": "response.steer", "input": "left"})
        data = connection.recv_bytes()
        EVENT.validate_json(data, strict=True)
        assert connection.parse_event(data).status == 400, data
        assert last(connection, "[[demo:text Still here.]]").response.output_text == "Still here."
    try:
        with client(api_key="cf_wrong").responses.connect(max_retries=0) as connection:
            last(connection, "x")
    except Exception as error:
        assert "401" in str(error), error
    else:
        raise AssertionError("a wrong key opens nothing")


if __name__ == "__main__":
    globals()[sys.argv[1]]()
