// A gateway of one's own: the real program, a folder of its own, and nothing of the person's.

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { binary, python } from './tools';

const run = promisify(execFile);

/** One that is asked by a client. */
export interface Asked {
  status: number;
  text: string;
}

export class Gateway {
  #token = '';
  #key = '';

  private constructor(
    readonly url: string,
    /** The person's home. */
    readonly home: string,
    readonly pid: number,
    private readonly child: ChildProcess,
    private readonly environment: Record<string, string>,
  ) {}

  static async start(options: { demo?: boolean; auth?: string } = {}): Promise<Gateway> {
    const home = mkdtempSync(join(tmpdir(), 'codeferry-e2e-'));
    mkdirSync(join(home, '.claude'));
    const environment = {
      PATH: process.env.PATH ?? '',
      HOME: home,
      CODEFERRY_HOME: join(home, 'data'),
      CODEFERRY_VAULT: 'file',
      // Whoever asks elsewhere finds nobody.
      CODEFERRY_AUTH_URL: options.auth ?? 'http://127.0.0.1:9',
      CODEFERRY_CHATGPT_URL: 'http://127.0.0.1:9',
      CODEFERRY_OPENAI_URL: 'http://127.0.0.1:9',
      TZ: 'UTC',
    };
    const demo = options.demo === false ? [] : ['--demo'];
    const child = spawn(binary() ?? '', ['serve', ...demo, '--json', '--port', '0'], {
      env: environment,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const line = await new Promise<string>((resolve, reject) => {
      createInterface({ input: child.stdout }).once('line', resolve);
      child.once('exit', (code) => reject(new Error(`codeferry ended with ${code}`)));
    });
    const { url } = JSON.parse(line) as { url: string };
    const gateway = new Gateway(url, home, child.pid ?? 0, child, environment);
    const { stdout } = await run(binary() ?? '', ['token'], { env: environment });
    gateway.#token = stdout.trim();
    gateway.#key = ((await gateway.api('POST', '/keys', { name: 'laptop' })) as { key: string }).key;
    return gateway;
  }

  /** The control API, as a script uses it. */
  async api(method: string, path: string, body?: unknown): Promise<unknown> {
    const response = await fetch(`${this.url}/api${path}`, {
      method,
      headers: { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text === '' ? null : JSON.parse(text);
  }

  /** A link that lets a browser in, once. */
  async link(): Promise<string> {
    return ((await this.api('POST', '/session/link', {})) as { url: string }).url;
  }

  /** What a coding agent asks. */
  async say(text: string, more: { model?: string; signal?: AbortSignal; max_tokens?: number } = {}): Promise<Asked> {
    const { signal, ...body } = more;
    const response = await fetch(`${this.url}/v1/messages`, {
      method: 'POST',
      headers: { 'x-api-key': this.#key, 'content-type': 'application/json', 'anthropic-version': '2023-06-01' },
      body: JSON.stringify({
        model: 'claude-sonnet-4-5',
        max_tokens: 256,
        stream: true,
        ...body,
        messages: [{ role: 'user', content: text }],
      }),
      ...(signal === undefined ? {} : { signal }),
    });
    return { status: response.status, text: await response.text() };
  }

  /** So many requests as if they had been made in the last weeks. The log of the demo is another one than the person's. */
  async remember(many: number): Promise<void> {
    // The file is there with the first of them.
    await this.say('[[demo:text The last one.]]', { model: 'opus' });
    const written = async () => ((await this.api('GET', '/exchanges?limit=1')) as { exchanges: unknown[] }).exchanges.length > 0;
    while (!(await written())) await new Promise((resolve) => setTimeout(resolve, 50));
    const file = join(this.home, 'data', 'requests-demo.sqlite');
    await run(python() ?? '', [join(import.meta.dirname, 'rows.py'), file, String(many)]);
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.child.once('exit', resolve));
    if (this.child.exitCode === null) {
      this.child.kill('SIGTERM');
      const late = setTimeout(() => this.child.kill('SIGKILL'), 5_000);
      await ended;
      clearTimeout(late);
    }
    rmSync(this.home, { recursive: true, force: true });
  }

  /** What the programs of this person see. */
  get variables(): Record<string, string> {
    return this.environment;
  }
}
