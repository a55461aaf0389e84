// A captured request as a command for a shell. Pure.

import type { Capture } from '../api/types';

/** What stands where the key was. */
export const KEY = 'YOUR_CODEFERRY_KEY';

/** What curl sets by itself, what belongs to one connection, and what is secret. */
const LEFT_OUT = new Set([
  'host',
  'content-length',
  'connection',
  'accept-encoding',
  'transfer-encoding',
  'expect',
  'keep-alive',
  'te',
  'upgrade',
  'authorization',
  'x-api-key',
  'cookie',
  'proxy-authorization',
]);

/** As a shell takes it word for word. */
export const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** The same request again. `null`: a part of it is missing, so it cannot be sent again. */
export function curl(request: Capture['request'], url: string): string | null {
  if (request.body.cut !== undefined && request.body.cut > 0) return null;
  const [method = 'POST', path = '/'] = request.line.split(' ');
  const headers = request.headers.filter((line) => !LEFT_OUT.has((line.split(':')[0] ?? '').trim().toLowerCase()));
  const body = request.body.json === undefined ? request.body.text : JSON.stringify(request.body.json);
  const lines = [
    `curl --no-buffer -X ${method} ${quoted(new URL(path, url).href)}`,
    `-H ${quoted(`Authorization: Bearer ${KEY}`)}`,
    ...headers.map((line) => `-H ${quoted(line)}`),
    ...(body === undefined ? [] : [`--data-raw ${quoted(body)}`]),
  ];
  return lines.join(' \\\n  ');
}

/** Where no capture is: the same question to the same model, with a text of one's own. */
export function sketch(exchange: { path: string; asked: string; model: string; streamed: boolean }, url: string): string {
  const body = {
    model: exchange.asked || exchange.model,
    max_tokens: 1024,
    stream: exchange.streamed,
    messages: [{ role: 'user', content: 'Hello' }],
  };
  const anthropic = !/\/(chat\/)?completions|\/responses/.test(exchange.path);
  const headers = ['content-type: application/json', ...(anthropic ? ['anthropic-version: 2023-06-01'] : [])];
  const line = `POST ${exchange.path || '/v1/messages'} HTTP/1.1`;
  return curl({ line, headers, body: { bytes: 0, json: body } }, url) ?? '';
}
