// A busy gateway, without its work: everything comes from the real one but the events, of which there are as many as wanted.

import { createServer, request as ask, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** So many are told at once. */
const BEAT = 50;

export class Storm {
  /** Told so far. */
  told = 0;
  readonly #timers = new Set<ReturnType<typeof setInterval>>();
  readonly #server = createServer((request, response) => this.#pass(request, response));
  #count = 0;

  private constructor(
    private readonly gateway: string,
    private readonly perSecond: number,
  ) {}

  static async before(gateway: string, perSecond: number): Promise<Storm> {
    const storm = new Storm(gateway, perSecond);
    await new Promise<void>((resolve) => storm.#server.listen(0, '127.0.0.1', resolve));
    return storm;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): Promise<void> {
    this.#timers.forEach(clearInterval);
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  #pass(request: IncomingMessage, response: ServerResponse): void {
    const { host } = new URL(this.gateway);
    const headers = { ...request.headers, host };
    if (headers.origin !== undefined) headers.origin = this.gateway;
    const path = request.url ?? '/';
    const asked = ask(`${this.gateway}${path}`, { method: request.method ?? 'GET', headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
      if (path.startsWith('/api/events')) this.#blow(response);
    });
    asked.on('error', () => response.destroy());
    response.on('close', () => asked.destroy());
    request.pipe(asked);
  }

  /** Each exchange is told of four times: as it begins, is tried, is answered, and ends. */
  #blow(to: ServerResponse): void {
    const begun = performance.now();
    let told = 0;
    const timer = setInterval(() => {
      // By the clock: a timer on a busy machine is late.
      const due = ((performance.now() - begun) / 1000) * (this.perSecond / 4);
      for (; told < due; told += 1) this.#one(to);
    }, BEAT);
    this.#timers.add(timer);
    to.on('close', () => clearInterval(timer));
  }

  #one(to: ServerResponse): void {
    const at = new Date().toISOString();
    const id = `req_${String((this.#count += 1)).padStart(26, '0')}`;
    const known = { id, at, client: `agent-${this.#count % 5}`, dialect: 'anthropic', asked: 'claude-sonnet-4-5', model: 'gpt-5.2', effort: null, streamed: true };
    const tell = (name: string, data: object) => {
      this.told += 1;
      to.write(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
    };
    tell('exchange.started', { ...known, account: null, attempts: 0, first_byte_ms: null });
    tell('exchange.attempt', { id, attempt: 1, account: 'acc_demo', provider: 'demo', after: null });
    setTimeout(() => tell('exchange.first_token', { id, first_byte_ms: 120 }), 120);
    const done = {
      ...known,
      ...{ path: '/v1/messages', user_agent: null, conversation: null, route: 'default', provider: 'demo', account: 'acc_demo', picked: null },
      ...{ tokens: { input: 1200, cached: 900, output: 80, reasoning: 0 }, first_byte_ms: 120, total_ms: 400, outcome: 'completed', status: 200 },
      ...{ error: null, message: null, losses: [], notes: [], attempts: [{ account: 'acc_demo', provider: 'demo', ms: 100 }], upstream_id: null, prefix: null },
    };
    setTimeout(() => tell('exchange.done', done), 400);
  }
}
