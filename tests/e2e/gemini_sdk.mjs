// Google's npm SDK against a gateway, one scenario per call: gemini_sdk.mjs NAME, with $CODEFERRY_URL, $CODEFERRY_KEY and
// $SDK_MODULE, the package's own entry. A scenario that is not as it should be throws.

import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";

const { GoogleGenAI, FunctionCallingConfigMode, Type } = await import(pathToFileURL(process.env.SDK_MODULE).href);

const model = "gemini-3-pro";
const CALL = '[[demo:tool weather {"place":"Ærø","days":[1,2]}]]';
const weather = {
  name: "weather",
  description: "tells",
  parameters: { type: Type.OBJECT, properties: { place: { type: Type.STRING } }, required: ["place"] },
};

function client(options = {}) {
  return new GoogleGenAI({
    apiKey: process.env.CODEFERRY_KEY,
    httpOptions: { baseUrl: process.env.CODEFERRY_URL },
    ...options,
  });
}

async function gathered(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}

async function text() {
  const request = { model, contents: "[[demo:text Good morning — 你好 🛳]]", config: { systemInstruction: "Be brief." } };
  const whole = await client().models.generateContent(request);
  assert.equal(whole.text, "Good morning — 你好 🛳");
  assert.equal(whole.candidates[0].finishReason, "STOP");
  assert.ok(whole.usageMetadata.totalTokenCount > 0);
  const chunks = await gathered(await client().models.generateContentStream(request));
  assert.equal(chunks.map((chunk) => chunk.text ?? "").join(""), whole.text);
  assert.equal(chunks.at(-1).candidates[0].finishReason, "STOP");
}

// A chat keeps the history, and with it what was thought.
async function chat() {
  const config = { tools: [{ functionDeclarations: [weather] }], thinkingConfig: { includeThoughts: true } };
  const talk = client().chats.create({ model, config });
  const plan = `[[demo:turns ${JSON.stringify([`[[demo:reasoning]]${CALL}`, "[[demo:text Windy.]]"])}]]`;
  const chunks = await gathered(await talk.sendMessageStream({ message: plan }));
  const [call] = chunks.flatMap((chunk) => chunk.functionCalls ?? []);
  assert.deepEqual([call.name, call.args], ["weather", { place: "Ærø", days: [1, 2] }]);
  assert.ok(chunks.some((chunk) => chunk.candidates[0].content.parts.some((part) => part.thought && part.text)));
  const functionResponse = { id: call.id, name: call.name, response: { output: "gusts" } };
  const answer = await talk.sendMessage({ message: [{ functionResponse }] });
  assert.equal(answer.text, "Windy.");
}

async function limits() {
  const contents = "[[demo:text one two three four five]]";
  const short = await client().models.generateContent({ model, contents, config: { maxOutputTokens: 2 } });
  assert.equal(short.candidates[0].finishReason, "MAX_TOKENS");
  const stopped = await client().models.generateContent({ model, contents, config: { stopSequences: ["three"] } });
  assert.equal(stopped.text, "one two ");
  const mode = FunctionCallingConfigMode.NONE;
  const config = { tools: [{ functionDeclarations: [weather] }], toolConfig: { functionCallingConfig: { mode } } };
  assert.equal((await client().models.generateContent({ model, contents: "[[demo:text ok]]", config })).text, "ok");
}

async function models() {
  const all = [];
  for await (const known of await client().models.list({ config: { pageSize: 3 } })) all.push(known.name);
  assert.ok(all.includes("models/gpt-6.1-sol") && new Set(all).size === all.length, `${all}`);
  assert.equal((await client().models.get({ model })).name, `models/${model}`);
  const counted = await client().models.countTokens({ model, contents: "hello world" });
  assert.equal(counted.totalTokens, 14);
}

async function errors() {
  const status = (promise) => promise.then(() => 200, (error) => error.status);
  const ask = (contents, options) => client(options).models.generateContent({ model, contents });
  assert.equal(await status(ask("x", { apiKey: "cfk_wrong" })), 401);
  assert.equal(await status(ask("[[demo:limit 10800]]")), 429);
  assert.equal(await status(client().models.generateContent({ model: "llama-9", contents: "x" })), 404);
}

// A failure in the middle of a stream is thrown.
async function late() {
  const contents = "[[demo:long 4000]][[demo:overloaded late]]";
  const stream = await client().models.generateContentStream({ model, contents });
  await assert.rejects(gathered(stream), (error) => error.status === 503);
}

// By the address of Google's cloud, with a key.
async function vertex() {
  const cloud = client({ vertexai: true });
  assert.equal((await cloud.models.generateContent({ model, contents: "[[demo:text ok]]" })).text, "ok");
}

await { text, chat, limits, models, errors, late, vertex }[process.argv[2]]();
