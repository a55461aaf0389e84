"""The openai Python SDK against a gateway, one scenario per call: openai_sdk.py NAME, with $CODEFERRY_URL and $CODEFERRY_KEY.

The SDK itself does not validate what it gets; its types, validated strictly, are a second and independent reading of
what we write. A scenario that is not as it should be raises.
"""

import base64
import json
import os
import sys

import openai
from openai.types import Completion, ImageGenCompletedEvent, ImagesResponse, Model
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import BaseModel, TypeAdapter

URL, KEY = os.environ["CODEFERRY_URL"] + "/v1", os.environ["CODEFERRY_KEY"]
MODEL = "gpt-6.1-sol"
LOCAL = "ollama/llama3.2:3b"
PARAMETERS = {"type": "object", "properties": {"place": {"type": "string"}}, "required": ["place"]}
WEATHER = {"type": "function", "function": {"name": "weather", "description": "The weather of a place.", "parameters": PARAMETERS}}
CALL = '[[demo:tool weather {"place":"Ærø","days":[1,2]}]]'


class Number(BaseModel):
    """What the demo answers where JSON is asked for."""

    n: int


def client(**options):
    return openai.OpenAI(**{"base_url": URL, "api_key": KEY, "max_retries": 0, **options})


def asking(text, **more):
    return {"model": MODEL, "messages": [{"role": "user", "content": text}], **more}


def strictly(kind, value):
    return TypeAdapter(kind).validate_json(json.dumps(value), strict=True)


def whole(body):
    """The answer as it stands on the wire, checked against the SDK's own type."""
    response = client().chat.completions.with_raw_response.create(**body)
    assert response.headers["x-request-id"].startswith("req_"), response.headers
    return strictly(ChatCompletion, json.loads(response.http_response.text))


def frames(calling):
    """The data of every frame of a stream, as it stands on the wire."""
    with calling as response:
        lines = [line for line in response.iter_lines() if line]
    return [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]


def chunks(body):
    """Every chunk of a chat stream, checked against the SDK's own type."""
    *data, done = frames(client().chat.completions.with_streaming_response.create(**body, stream=True))
    assert done == "[DONE]", done
    return [strictly(ChatCompletionChunk, json.loads(chunk)) for chunk in data]


def both(body):
    """The answer whole, and as the SDK puts it together from the stream; strictly checked on both ways."""
    one = whole(body)
    assert chunks(body)[0].choices[0].delta.role == "assistant"
    with client().chat.completions.stream(**body) as stream:
        two = stream.get_final_completion()
    for left, right in zip(one.choices, two.choices, strict=True):
        assert left.finish_reason == right.finish_reason, (left, right)
        # Before the first word nobody knows whether there will be one: a stream begins with an empty text.
        assert (left.message.content or "") == (right.message.content or ""), (left, right)
        assert len(left.message.tool_calls or []) == len(right.message.tool_calls or []), (left, right)
    return one, two


def text():
    body = asking("[[demo:text Good morning — 你好 🛳]]")
    body["messages"].insert(0, {"role": "system", "content": "Be brief."})
    for completion in both(body):
        choice = completion.choices[0]
        assert (choice.message.content, choice.finish_reason) == ("Good morning — 你好 🛳", "stop"), completion
        assert (completion.model, choice.message.role) == (MODEL, "assistant"), completion
    counted = whole(body).usage
    assert counted.prompt_tokens > 0 and counted.completion_tokens > 0, counted
    assert counted.total_tokens == counted.prompt_tokens + counted.completion_tokens, counted
    last = chunks(body | {"stream_options": {"include_usage": True}})[-1]
    assert (last.choices, last.usage.prompt_tokens) == ([], counted.prompt_tokens), last
    assert client().chat.completions.create(**body)._request_id.startswith("req_")


def limits():
    cut = whole(asking("[[demo:text one two END three]]", stop=["END"])).choices[0]
    assert (cut.message.content, cut.finish_reason) == ("one two ", "stop"), cut
    short = whole(asking("[[demo:long 500]]", max_completion_tokens=5)).choices[0]
    assert short.finish_reason == "length", short


def tools():
    body = asking(f"[[demo:reasoning]]{CALL}", tools=[WEATHER])
    for completion in both(body):
        choice = completion.choices[0]
        (call,) = choice.message.tool_calls
        assert (choice.finish_reason, call.type, call.function.name) == ("tool_calls", "function", "weather"), choice
        assert json.loads(call.function.arguments) == {"place": "Ærø", "days": [1, 2]}, call
        # As an application sends it back: the SDK's own objects.
        answer = {"role": "tool", "tool_call_id": call.id, "content": "Windy."}
        after = client().chat.completions.create(**body | {"messages": [*body["messages"], choice.message, answer]})
        assert "Windy." in after.choices[0].message.content, after
    forced = asking("hello", tools=[WEATHER], tool_choice={"type": "function", "function": {"name": "weather"}})
    assert whole(forced).choices[0].message.tool_calls[0].function.name == "weather"
    for completion in both(asking("[[demo:parallel 6]]", tools=[WEATHER])):
        assert len({call.id for call in completion.choices[0].message.tool_calls}) == 6, completion


def functions():
    """The older form, which has room for one call."""
    body = asking(CALL, functions=[WEATHER["function"]])
    choice = whole(body).choices[0]
    assert (choice.finish_reason, choice.message.function_call.name) == ("function_call", "weather"), choice
    named = [chunk.choices[0].delta.function_call for chunk in chunks(body) if chunk.choices[0].delta.function_call]
    arguments = "".join(call.arguments or "" for call in named)
    assert (named[0].name, json.loads(arguments)) == ("weather", {"place": "Ærø", "days": [1, 2]}), named


def parse():
    parsed = client().chat.completions.parse(**asking("[[demo:json]]"), response_format=Number)
    assert isinstance(parsed.choices[0].message.parsed, Number), parsed
    with client().chat.completions.stream(**asking("[[demo:json]]"), response_format=Number) as stream:
        assert isinstance(stream.get_final_completion().choices[0].message.parsed, Number)
    refused = whole(asking("[[demo:refusal]]")).choices[0].message
    assert refused.refusal or refused.content, refused


def completions():
    """A prompt in place of a conversation."""
    response = client().completions.with_raw_response.create(model=MODEL, prompt="[[demo:text Once]]")
    made = strictly(Completion, json.loads(response.http_response.text))
    assert (made.choices[0].text, made.choices[0].finish_reason, made.object) == ("Once", "stop", "text_completion"), made
    streamed = client().completions.create(model=MODEL, prompt="[[demo:text Once]]", stream=True)
    assert "".join(chunk.choices[0].text for chunk in streamed if chunk.choices) == "Once"


def said(text, **more):
    return {"model": MODEL, "input": text, **more}


def responses():
    """The dialect of the models themselves: passed on, and still as the SDK's types say."""
    tool = {"type": "function", "name": "weather", "parameters": PARAMETERS, "strict": False}
    for body in (said("[[demo:text Good morning — 你好 🛳]]"), said(f"[[demo:reasoning]]{CALL}", tools=[tool])):
        raw = client().responses.with_raw_response.create(**body)
        one = strictly(Response, json.loads(raw.http_response.text))
        events = [json.loads(data) for data in frames(client().responses.with_streaming_response.create(**body, stream=True))]
        typed = [strictly(ResponseStreamEvent, event) for event in events if not event["type"].startswith("codex.")]
        assert [event.sequence_number for event in typed] == sorted(event.sequence_number for event in typed)
        with client().responses.stream(**body) as stream:
            two = stream.get_final_response()
        assert (one.status, two.status, one.output_text) == ("completed", "completed", two.output_text), (one, two)
        assert [item.type for item in one.output] == [item.type for item in two.output], (one, two)
    (call,) = [item for item in one.output if item.type == "function_call"]
    assert (call.name, json.loads(call.arguments)) == ("weather", {"place": "Ærø", "days": [1, 2]}), call
    # As an application sends it back: the SDK's own objects.
    history = [{"role": "user", "content": body["input"]}, *one.output]
    history.append({"type": "function_call_output", "call_id": call.call_id, "output": "Windy."})
    after = client().responses.create(**said(history, tools=[tool]))
    assert "Windy." in after.output_text, after


def responses_told():
    """At a server that speaks chat: the same events, told anew."""
    tool = {"type": "function", "name": "weather", "parameters": PARAMETERS, "strict": False}
    call = '[[demo:tool weather {"place":"Ærø"}]]'
    for body in (
        said("[[demo:text Good morning — 你好 🛳]][[demo:usage]]"),
        said("[[demo:refuse I will not.]]"),
        said(f"[[demo:think Let me see.]]{call}", tools=[tool], instructions="Be brief.", reasoning={"summary": "auto"}),
    ):
        body["model"] = LOCAL
        raw = client().responses.with_raw_response.create(**body)
        one = strictly(Response, json.loads(raw.http_response.text))
        events = [json.loads(data) for data in frames(client().responses.with_streaming_response.create(**body, stream=True))]
        typed = [strictly(ResponseStreamEvent, event) for event in events]
        assert [event.sequence_number for event in typed] == list(range(len(typed)))
        with client().responses.stream(**body) as stream:
            seen = [event.type for event in stream]
            two = stream.get_final_response()
        assert {event["type"] for event in events} <= set(seen), (seen, events)
        assert (one.model, one.status, one.output_text) == (LOCAL, "completed", two.output_text), (one, two)
        assert [item.type for item in one.output] == [item.type for item in two.output], (one, two)
    thought, call = one.output
    assert thought.summary[0].text == "Let me see.", thought
    assert (call.name, json.loads(call.arguments)) == ("weather", {"place": "Ærø"}), call
    history = [{"role": "user", "content": body["input"]}, *one.output]
    history.append({"type": "function_call_output", "call_id": call.call_id, "output": "Windy."})
    after = client().responses.create(**said(history, tools=[tool]) | {"model": LOCAL})
    assert "Windy." in after.output_text, after
    json_said = said('[[demo:text {"n":3}]]') | {"model": LOCAL}
    assert client().responses.parse(**json_said, text_format=Number).output_parsed.n == 3
    with client().responses.stream(**json_said, text_format=Number) as stream:
        assert stream.get_final_response().output_parsed.n == 3


def responses_length():
    """The plans' hosts know no length: it is kept here."""
    for model in (MODEL, LOCAL):
        body = said("[[demo:text one two three four five six seven]]", max_output_tokens=3) | {"model": model}
        one = client().responses.create(**body)
        typed = [strictly(ResponseStreamEvent, json.loads(data)) for data in frames(client().responses.with_streaming_response.create(**body, stream=True))]
        assert typed[-1].type == "response.incomplete", typed[-1]
        with client().responses.stream(**body) as stream:
            seen = list(stream)
        for response in (one, typed[-1].response, seen[-1].response):
            assert (response.status, response.incomplete_details.reason) == ("incomplete", "max_output_tokens"), response
            assert (response.output_text, response.output[0].status) == (one.output_text, "incomplete"), response
            assert one.output_text.startswith("one two"), one
        assert response.max_output_tokens == 3 and response.usage.output_tokens <= 4, response


def responses_parse():
    parsed = client().responses.parse(**said("[[demo:json]]"), text_format=Number)
    assert isinstance(parsed.output_parsed, Number), parsed
    with client().responses.stream(**said("[[demo:json]]"), text_format=Number) as stream:
        assert isinstance(stream.get_final_response().output_parsed, Number)


def pictures():
    """Forms, as the SDK sends edits, and both ways to get an answer."""
    png = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
    images, asked = client().images, {"model": "gpt-image-2", "prompt": "a dot"}
    for answer in (
        images.with_raw_response.generate(**asked, n=1),
        images.with_raw_response.edit(**asked, image=png, mask=("m.png", png), n=1),
        images.with_raw_response.edit(**asked, image=[("a.png", png), ("b.png", png, "image/png")], size="1024x1024"),
    ):
        made = strictly(ImagesResponse, json.loads(answer.http_response.text))
        assert base64.b64decode(made.data[0].b64_json) == png, made
    for kind, call in (("image_generation", images.generate(**asked, stream=True)), ("image_edit", images.edit(**asked, image=png, stream=True))):
        (event,) = list(call)
        assert (event.type, base64.b64decode(event.b64_json)) == (f"{kind}.completed", png), event
    data = frames(images.with_streaming_response.generate(**asked, stream=True))
    strictly(ImageGenCompletedEvent, json.loads(data[0]))


def models():
    raw = json.loads(client().models.with_raw_response.list().http_response.text)
    for model in raw["data"]:
        strictly(Model, model)
    listed = [model.id for model in client().models.list()]
    assert MODEL in listed and len(listed) == len(set(listed)), listed
    assert (client().models.retrieve(MODEL).id, client().models.retrieve(MODEL).object) == (MODEL, "model")


def raised(kind, status, word, call, **facts):
    """Calls, and looks at what the SDK makes of the refusal."""
    try:
        call()
    except openai.APIStatusError as error:
        assert type(error) is kind, f"{type(error)} instead of {kind}: {error}"
        assert error.status_code == status, error
        assert word in error.message, error.message
        assert error.request_id.startswith("req_"), error.request_id
        assert set(error.body) >= {"message", "type", "param", "code"}, error.body
        for name, value in facts.items():
            assert error.body[name] == value, (name, error.body)
        return error
    raise AssertionError(f"{kind} was not raised")


def errors():
    def chat(text, *, key=KEY, **more):
        return lambda: client(api_key=key).chat.completions.create(**asking(text, **more))

    def response(text, *, key=KEY, **more):
        return lambda: client(api_key=key).responses.create(**said(text, **more))

    for ask in (chat, response):
        raised(openai.AuthenticationError, 401, "key", ask("hi", key="cf_wrong"), code="invalid_api_key")
        origin = {"Origin": "https://elsewhere.example"}
        raised(openai.PermissionDeniedError, 403, "", ask("hi", extra_headers=origin), type="permission_error")
        raised(openai.BadRequestError, 400, "", ask("[[demo:overflow]]"), code="context_length_exceeded")
        raised(openai.BadRequestError, 400, "", ask("hi", tools="none"), param="tools")
        raised(openai.NotFoundError, 404, "no-such", ask("x", extra_body={"model": "no-such"}), code="model_not_found", param="model")
        raised(openai.APIStatusError, 413, "", ask("x" * 1_200_000), code="request_entity_too_large")
        raised(openai.InternalServerError, 503, "", ask("[[demo:overloaded]]"), code="server_is_overloaded")
        raised(openai.InternalServerError, 502, "", ask("[[demo:500 always]]"), type="server_error")
        # A refusal before the first byte is a status for a stream as well.
        raised(openai.BadRequestError, 400, "", ask("[[demo:overflow]]", stream=True), code="context_length_exceeded")
    raised(openai.BadRequestError, 400, "n", chat("hi", n=2), param="n")
    raised(openai.BadRequestError, 400, "", chat("hi", extra_body={"messages": [{"role": "user", "content": [{"type": "text"}]}]}), param="messages[0].content[0].text")
    raised(openai.NotFoundError, 404, "no-such", lambda: client().models.retrieve("no-such"), code="model_not_found")
    raised(openai.NotFoundError, 404, "", lambda: client().embeddings.create(model=MODEL, input="x"), code="not_found")
    # After it, the SDK raises what the stream says: chat in its own words, Responses by an event.
    try:
        for _ in client().chat.completions.create(**asking("[[demo:cut]]"), stream=True):
            pass
    except openai.APIError as error:
        assert error.body["type"] == "server_error" and error.body["message"], error.body
    else:
        raise AssertionError("a broken stream ended well")
    try:
        seen = [event.type for event in client().responses.create(**said("[[demo:cut]]"), stream=True)]
    except openai.APIError as error:
        assert error.message, error
    else:
        assert seen[-1] in ("response.failed", "error"), seen
    # Last, because the account is not asked again.
    for ask in (chat, response):
        error = raised(openai.RateLimitError, 429, "", ask("[[demo:limit 50]]"), param=None)
        assert 30 < int(error.response.headers["retry-after"]) <= 50, error.response.headers


def retries():
    """The SDK tries again what may be tried again, and nothing else."""
    patient = client(max_retries=2)
    error = raised(openai.RateLimitError, 429, "", lambda: patient.chat.completions.create(**asking("[[demo:limit 10800]]")))
    assert error.response.headers["x-should-retry"] == "false" and "retry-after" not in error.response.headers
    raised(openai.RateLimitError, 429, "", lambda: patient.responses.create(**said("[[demo:limit 10800]]")))


if __name__ == "__main__":
    globals()[sys.argv[1]]()
