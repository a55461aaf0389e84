// The openai npm SDK against a gateway, one scenario per call: openai_sdk.mjs NAME, with $CODEFERRY_URL, $CODEFERRY_KEY and
// $SDK_MODULE, the package's own entry. A scenario that is not as it should be throws.

import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";

const { default: OpenAI } = await import(pathToFileURL(process.env.SDK_MODULE).href);

const model = "gpt-6.1-sol";
const parameters = { type: "object", properties: { place: { type: "string" } }, required: ["place"] };
const CALL = '[[demo:tool weather {"place":"Ærø","days":[1,2]}]]';

function client(options = {}) {
  return new OpenAI({
    baseURL: `${process.env.CODEFERRY_URL}/v1`,
    apiKey: process.env.CODEFERRY_KEY,
    maxRetries: 0,
    ...options,
  });
}

function asking(content, more = {}) {
  return { model, messages: [{ role: "user", content }], ...more };
}

async function chat() {
  const body = asking("[[demo:text Good morning — 你好 🛳]]");
  const whole = await client().chat.completions.create(body);
  const streamed = await client().chat.completions.stream(body).finalChatCompletion();
  for (const completion of [whole, streamed]) {
    assert.equal(completion.choices[0].message.content, "Good morning — 你好 🛳");
    assert.equal(completion.choices[0].finish_reason, "stop");
    assert.equal(completion.model, model);
  }
  assert.ok(whole.usage.total_tokens > 0);
}

async function tools() {
  const seen = [];
  const weather = (input) => {
    seen.push(input);
    return "Windy.";
  };
  const tool = { type: "function", function: { name: "weather", parameters, function: weather, parse: JSON.parse } };
  const plan = `[[demo:turns ${JSON.stringify([CALL, CALL, "[[demo:text Two places.]]"])}]]`;
  for (const stream of [false, true]) {
    const runner = client().chat.completions.runTools(asking(plan, { tools: [tool], stream }));
    assert.equal(await runner.finalContent(), "Two places.");
  }
  assert.deepEqual(seen, Array(4).fill({ place: "Ærø", days: [1, 2] }));
}

async function responses() {
  const tool = { type: "function", name: "weather", parameters, strict: false };
  const body = { model, input: `[[demo:reasoning]]${CALL}`, tools: [tool] };
  const whole = await client().responses.create(body);
  const streamed = await client().responses.stream(body).finalResponse();
  for (const response of [whole, streamed]) {
    assert.equal(response.status, "completed");
    const call = response.output.find((item) => item.type === "function_call");
    assert.deepEqual(JSON.parse(call.arguments), { place: "Ærø", days: [1, 2] });
    const answer = { type: "function_call_output", call_id: call.call_id, output: "Windy." };
    const input = [{ role: "user", content: body.input }, ...response.output, answer];
    assert.match((await client().responses.create({ ...body, input })).output_text, /Windy\./);
  }
}

// At a server that speaks chat: the same events, told anew.
async function told() {
  const tools = [{ type: "function", name: "weather", parameters, strict: false }];
  const input = '[[demo:think Let me see.]][[demo:text Well.]][[demo:tool weather {"place":"Ærø"}]]';
  const body = { model: "ollama/llama3.2:3b", input, tools };
  const stream = client().responses.stream(body);
  const seen = [];
  stream.on("event", (event) => seen.push(event.type));
  const streamed = await stream.finalResponse();
  for (const response of [await client().responses.create(body), streamed]) {
    const [thought, message, call] = response.output;
    assert.equal(thought.summary[0].text, "Let me see.");
    assert.equal(message.content[0].text, "Well.");
    assert.deepEqual(JSON.parse(call.arguments), { place: "Ærø" });
    const answer = { type: "function_call_output", call_id: call.call_id, output: "Windy." };
    const next = [{ role: "user", content: input }, ...response.output, answer];
    assert.match((await client().responses.create({ ...body, input: next })).output_text, /Windy\./);
  }
  for (const name of ["output_text.delta", "function_call_arguments.delta", "reasoning_summary_text.delta", "completed"]) {
    assert.ok(seen.includes(`response.${name}`), name);
  }
}

async function raised(kind, status, code, call) {
  await assert.rejects(call, (error) => {
    assert.equal(error.constructor, kind, `${error}`);
    assert.deepEqual([error.status, error.code], [status, code]);
    assert.match(error.requestID, /^req_/);
    return true;
  });
}

async function errors() {
  const { AuthenticationError, BadRequestError, InternalServerError, NotFoundError, RateLimitError } = OpenAI;
  const chat = (text, options) => () => client(options).chat.completions.create(asking(text));
  const response = (text, options) => () => client(options).responses.create({ model, input: text });
  for (const ask of [chat, response]) {
    await raised(AuthenticationError, 401, "invalid_api_key", ask("hi", { apiKey: "cf_wrong" }));
    await raised(BadRequestError, 400, "context_length_exceeded", ask("[[demo:overflow]]"));
    await raised(InternalServerError, 503, "server_is_overloaded", ask("[[demo:overloaded]]"));
  }
  await raised(NotFoundError, 404, "model_not_found", () => client().models.retrieve("no-such"));
  await assert.rejects(async () => {
    for await (const chunk of await client().chat.completions.create(asking("[[demo:cut]]", { stream: true }))) {
      assert.ok(chunk.choices);
    }
  }, OpenAI.APIError);
  // Last, because the account is not asked again; what is final the SDK does not try again.
  for (const ask of [chat, response]) {
    await raised(RateLimitError, 429, "usage_limit_reached", ask("[[demo:limit 10800]]", { maxRetries: 2 }));
  }
}

await { chat, tools, responses, told, errors }[process.argv[2]]();
