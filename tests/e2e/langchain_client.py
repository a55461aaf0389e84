"""LangChain's ChatOpenAI against a gateway, in both dialects: langchain_client.py NAME, with $CODEFERRY_URL and $CODEFERRY_KEY.

A scenario that is not as it should be raises.
"""

import json
import os
import sys

from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from pydantic import BaseModel

CALL = '[[demo:tool weather {"place":"Ærø"}]]'


class Number(BaseModel):
    """What the demo answers where JSON is asked for."""

    n: int


@tool
def weather(place: str) -> str:
    """The weather of a place."""
    return f"It is windy in {place}."


def models():
    for dialect in (False, True):
        yield ChatOpenAI(
            model="gpt-6.1-sol",
            base_url=os.environ["CODEFERRY_URL"] + "/v1",
            api_key=os.environ["CODEFERRY_KEY"],
            max_retries=0,
            use_responses_api=dialect,
        )


def text():
    for model in models():
        assert model.invoke("[[demo:text Good morning — 你好 🛳]]").text == "Good morning — 你好 🛳"
        streamed = list(model.stream("[[demo:text Good morning — 你好 🛳]]"))
        assert "".join(chunk.text for chunk in streamed) == "Good morning — 你好 🛳", streamed


def tools():
    """Two rounds, the first one whole, the second one streamed; its own objects go back."""
    plan = f"[[demo:turns {json.dumps([CALL, CALL, '[[demo:text Two places.]]'])}]]"
    for model in models():
        bound = model.bind_tools([weather])
        said = bound.invoke(history := [HumanMessage(plan)])
        for _ in range(2):
            (call,) = said.tool_calls
            assert (call["name"], call["args"]) == ("weather", {"place": "Ærø"}), said
            history += [said, ToolMessage(weather.invoke(call["args"]), tool_call_id=call["id"])]
            first, *rest = bound.stream(history)
            said = sum(rest, first)
        assert said.text == "Two places.", said


def structured():
    for model in models():
        assert isinstance(model.with_structured_output(Number).invoke("[[demo:json]]"), Number)


if __name__ == "__main__":
    globals()[sys.argv[1]]()
