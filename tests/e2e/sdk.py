"""The anthropic Python SDK against a gateway, one scenario per call: sdk.py NAME, with $CODEFERRY_URL and $CODEFERRY_KEY.

The SDK itself does not validate what it gets; its types, validated strictly, are a second and independent reading of
what we write (`claude-code.md` §10). A scenario that is not as it should be raises.
"""

import asyncio
import json
import os
import sys

import anthropic
from anthropic import beta_tool
from anthropic.types import Message, MessageTokensCount, ModelInfo, RawMessageStreamEvent
from pydantic import TypeAdapter

URL, KEY = os.environ["CODEFERRY_URL"], os.environ["CODEFERRY_KEY"]
MODEL = "claude-opus-4-8"
WEATHER = {
    "name": "weather",
    "description": "The weather of a place.",
    "input_schema": {"type": "object", "properties": {"place": {"type": "string"}}, "required": ["place"]},
}
CALL = '[[demo:tool weather {"place":"Ærø","days":[1,2]}]]'


def client(**options):
    return anthropic.Anthropic(**{"base_url": URL, "auth_token": KEY, "max_retries": 0, **options})


def asking(text, **more):
    return {"model": MODEL, "max_tokens": 4096, "messages": [{"role": "user", "content": text}], **more}


def strictly(kind, value):
    return TypeAdapter(kind).validate_json(json.dumps(value), strict=True)


def raw_message(body):
    """The answer as it stands on the wire, checked against the SDK's own type."""
    response = client().messages.with_raw_response.create(**body)
    return strictly(Message, json.loads(response.http_response.text)), response


def raw_events(body):
    """Every frame of a stream as it stands on the wire, checked against the SDK's own types."""
    with client().messages.with_streaming_response.create(**body, stream=True) as response:
        lines = [line for line in response.iter_lines() if line]
    names = [line.removeprefix("event: ") for line in lines if line.startswith("event: ")]
    events = [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")]
    assert names == [event["type"] for event in events], names
    return [strictly(RawMessageStreamEvent, event) for event in events if event["type"] != "ping"]


def both(body):
    """The answer whole, and as the SDK puts it together from the stream; strictly checked on both ways."""
    whole, _ = raw_message(body)
    assert raw_events(body)[0].type == "message_start"
    with client().messages.stream(**body) as stream:
        text = "".join(stream.text_stream)
        streamed = stream.get_final_message()
    assert text == "".join(block.text for block in whole.content if block.type == "text")
    assert [block.type for block in streamed.content] == [block.type for block in whole.content], streamed
    assert streamed.stop_reason == whole.stop_reason, (streamed.stop_reason, whole.stop_reason)
    return whole, streamed


def text():
    whole, streamed = both(asking("[[demo:text Good morning — 你好 🛳]]", system="Be brief."))
    for message in (whole, streamed):
        assert message.content[0].text == "Good morning — 你好 🛳", message
        assert (message.model, message.role, message.stop_reason) == (MODEL, "assistant", "end_turn"), message
        assert message.usage.input_tokens > 0 and message.usage.output_tokens > 0, message.usage
    again, response = raw_message(asking("[[demo:text hi]]"))
    assert response.headers["request-id"].startswith("req_")
    assert client().messages.create(**asking("[[demo:text hi]]"))._request_id.startswith("req_")
    assert again.id.startswith("msg_")


def limits():
    cut, _ = raw_message(asking("[[demo:text one two END three]]", stop_sequences=["END"]))
    assert (cut.content[0].text, cut.stop_reason, cut.stop_sequence) == ("one two ", "stop_sequence", "END"), cut
    short, _ = raw_message({**asking("[[demo:long 500]]"), "max_tokens": 5})
    assert short.stop_reason == "max_tokens", short


def tools():
    body = asking(f"[[demo:reasoning]]{CALL}", tools=[WEATHER])
    for message in both(body):
        call = message.content[-1]
        assert (call.type, call.name, call.input) == ("tool_use", "weather", {"place": "Ærø", "days": [1, 2]}), call
        assert message.stop_reason == "tool_use"
        # As an application sends it back: the SDK's own objects.
        answer = [{"type": "tool_result", "tool_use_id": call.id, "content": "Windy."}]
        history = [*body["messages"], {"role": "assistant", "content": message.content}, {"role": "user", "content": answer}]
        after = client().messages.create(**{**body, "messages": history})
        assert "Windy." in after.content[-1].text, after
    forced, _ = raw_message(asking("hello", tools=[WEATHER], tool_choice={"type": "tool", "name": "weather"}))
    assert forced.content[-1].name == "weather", forced
    many, _ = raw_message(asking("[[demo:parallel 6]]", tools=[WEATHER]))
    assert len({block.id for block in many.content}) == 6, many


def thinking():
    body = asking("[[demo:reasoning Because.]][[demo:text So.]]", thinking={"type": "enabled", "budget_tokens": 2048})
    for message in both(body):
        thought, said = message.content
        assert (thought.type, said.text) == ("thinking", "So."), message
        assert "Because." in thought.thinking and thought.signature, thought
        history = [*body["messages"], {"role": "assistant", "content": message.content}]
        history.append({"role": "user", "content": "[[demo:text And on.]]"})
        assert client().messages.create(**{**body, "messages": history}).content[-1].text == "And on."


def web_search():
    tool = {"type": "web_search_20250305", "name": "web_search", "max_uses": 3}
    for message in both(asking("[[demo:search car ferries]]", tools=[tool])):
        use, result = message.content[:2]
        assert (use.type, use.name, use.input["query"]) == ("server_tool_use", "web_search", "car ferries"), use
        assert result.tool_use_id == use.id and [page.url for page in result.content], result
        cited = [citation for block in message.content[2:] for citation in block.citations or []]
        assert {citation.title for citation in cited} == {"Example one", "Example two"}, message
        assert message.usage.server_tool_use.web_search_requests == 1, message.usage
        # Once more, with all of it in the history.
        history = [{"role": "user", "content": "search"}, {"role": "assistant", "content": message.content}]
        history.append({"role": "user", "content": "[[demo:text Known.]]"})
        assert client().messages.create(**asking("") | {"messages": history}).content[0].text == "Known."


def structured():
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"], "additionalProperties": False}
    output = {"format": {"type": "json_schema", "schema": schema}}
    whole, _ = both(asking("[[demo:json]]", output_config=output))
    assert isinstance(json.loads(whole.content[0].text)["n"], int), whole


def count_tokens():
    def count(**body):
        response = client().messages.with_raw_response.count_tokens(**body)
        return strictly(MessageTokensCount, json.loads(response.http_response.text)).input_tokens

    messages = [{"role": "user", "content": "Hello, ferry"}]
    short = count(model=MODEL, messages=messages)
    assert 3 <= short <= 20, short
    with_tools = count(model=MODEL, messages=messages, tools=[WEATHER], system="Be brief.")
    assert short + 15 <= with_tools <= short + 200, (short, with_tools)
    long = count(model=MODEL, messages=[{"role": "user", "content": "渡轮" * 1000}])
    assert 900 <= long <= 4000, long


def models():
    pages = client().models.with_raw_response.list(limit=1000)
    raw = json.loads(pages.http_response.text)
    assert raw["data"], raw
    for model in raw["data"]:
        strictly(ModelInfo, model)
    listed = [model.id for model in client().models.list(limit=1000)]
    assert "gpt-6.1-sol" in listed and len(listed) == len(set(listed)), listed
    assert [model.id for model in client().models.list(limit=4)] == listed, "page by page it is the same list"
    one = client().models.retrieve(listed[0])
    assert (one.id, one.type) == (listed[0], "model"), one


def errors():
    def raised(kind, status, word, call):
        try:
            call()
        except anthropic.APIStatusError as error:
            assert type(error) is kind, f"{type(error)} instead of {kind}: {error}"
            assert error.status_code == status, error
            assert word in error.message, error.message
            assert error.request_id.startswith("req_") and error.body["type"] == "error", error.body
        else:
            raise AssertionError(f"{kind} was not raised")

    def message(text, **options):
        return lambda: client(**options).messages.create(**asking(text))

    raised(anthropic.AuthenticationError, 401, "key", message("hi", auth_token="cf_wrong"))
    raised(anthropic.BadRequestError, 400, "prompt is too long: ", message("[[demo:overflow]]"))
    raised(anthropic.BadRequestError, 400, "max_tokens", lambda: client().messages.create(**{**asking("x"), "max_tokens": -1}))
    raised(anthropic.NotFoundError, 404, "no-such", lambda: client().messages.create(**{**asking("x"), "model": "no-such"}))
    raised(anthropic.NotFoundError, 404, "no-such", lambda: client().models.retrieve("no-such"))
    raised(anthropic.ContentTooLargeError, 413, "", message("x" * 1_200_000))
    raised(anthropic.OverloadedError, 529, "overloaded", message("[[demo:overloaded]]"))
    raised(anthropic.InternalServerError, 502, "", message("[[demo:500 always]]"))
    # A refusal before the first byte is a status for a stream as well.
    raised(anthropic.BadRequestError, 400, "prompt is too long: ", lambda: [*client().messages.create(**asking("[[demo:overflow]]"), stream=True)])
    # After it, the SDK raises what the error event says.
    try:
        with client().messages.stream(**asking("[[demo:cut]]")) as stream:
            shown = "".join(stream.text_stream)
    except anthropic.APIStatusError as error:
        assert error.body["error"]["type"] == "api_error" and error.body["error"]["message"], error.body
    else:
        raise AssertionError(f"a broken stream ended well: {shown}")
    # Last, because the account is not asked again.
    raised(anthropic.RateLimitError, 429, "it resets at", message("[[demo:limit 10800]]"))


def retries():
    """The SDK tries again what may be tried again, and nothing else."""
    patient = client(max_retries=2)
    try:
        patient.messages.create(**asking("[[demo:limit 10800]]"))
    except anthropic.RateLimitError as error:
        assert error.response.headers["x-should-retry"] == "false"
    else:
        raise AssertionError("there is a limit")


@beta_tool
def weather(place: str) -> str:
    """The weather of a place.

    Args:
        place: Where.
    """
    return f"It is windy in {place}."


PLAN = '[[demo:turns ["[[demo:tool weather {\\"place\\":\\"Ærø\\"}]]","[[demo:tool weather {\\"place\\":\\"Fur\\"}]]","[[demo:text Two places.]]"]]]'


def tool_runner():
    runner = client().beta.messages.tool_runner(**asking(PLAN), tools=[weather])
    seen = [message.stop_reason for message in runner]
    assert seen == ["tool_use", "tool_use", "end_turn"], seen


def tool_runner_streamed():
    runner = client().beta.messages.tool_runner(**asking(PLAN), tools=[weather], stream=True)
    for stream in runner:
        last = stream.get_final_message()
    assert last.content[-1].text == "Two places.", last


def many_at_once():
    async def one(clients, n):
        async with clients.messages.stream(**asking(f"[[demo:drip 20 5]][[demo:text end of {n}]]")) as stream:
            message = await stream.get_final_message()
        assert message.content[-1].text.endswith(f"end of {n}"), message

    async def all_of_them():
        async with anthropic.AsyncAnthropic(base_url=URL, auth_token=KEY, max_retries=0) as clients:
            await asyncio.gather(*(one(clients, n) for n in range(30)))

    asyncio.run(all_of_them())


if __name__ == "__main__":
    globals()[sys.argv[1]]()
