// A request to try something with, and what comes of it. It lives as long as the page: nothing of it is kept.

import { ApiError, problemOf, type Problem } from '../../api/client';
import { play, type Dialect } from '../../api/playground';
import type { PlayRecord, Step } from '../../api/types';
import { exchange } from '../../api/requests';
import type { ExchangeDetail } from '../../api/types';
import { NOTHING, after } from './answer';
import { made, type Wrong } from './request';

export interface Timed<T> {
  at: number;
  what: T;
}

export interface Head {
  at: number;
  status: number;
  headers: [string, string][];
}

/** No more of each are kept; the answer is put together from all of them. */
export const KEPT = 2_000;
/** The request log is a moment behind. */
const LOG_TRIES = 8;
const LOG_PAUSE = 150;

/** Where it stands: `stopped` by the person, `lost` when the connection broke, `refused` by this page's own door. */
export type Stage = 'idle' | 'running' | 'done' | 'stopped' | 'lost' | 'refused';

export class Playground {
  dialect = $state<Dialect>('anthropic');
  model = $state('claude-sonnet-4-5');
  system = $state('');
  prompt = $state('');
  tools = $state('');
  maxTokens = $state<number | null>(1024);
  stream = $state(true);

  stage = $state<Stage>('idle');
  wrong = $state.raw<{ what: Wrong; why: string } | null>(null);
  problem = $state.raw<Problem | null>(null);
  head = $state.raw<Head | null>(null);
  frames = $state.raw<Timed<string>[]>([]);
  steps = $state.raw<Timed<Step>[]>([]);
  /** How many there were, with those that are not kept. */
  counted = $state.raw({ frames: 0, steps: 0 });
  answer = $state.raw(NOTHING);
  /** When it was over. */
  ended = $state<number | null>(null);
  /** As the request log has it. */
  logged = $state.raw<ExchangeDetail | null>(null);

  #stop: AbortController | null = null;
  #pending: PlayRecord[] = [];
  #due = false;
  readonly #soon: (run: () => void) => void;

  /** `soon` runs something with the next picture. */
  constructor(soon: (run: () => void) => void) {
    this.#soon = soon;
  }

  /** What would be sent. */
  get made() {
    const { dialect, model, system, prompt, tools, maxTokens, stream } = this;
    return made({ dialect, model, system, prompt, tools, maxTokens, stream });
  }

  async send(): Promise<void> {
    if (this.stage === 'running') return;
    const request = this.made;
    this.wrong = 'wrong' in request ? { what: request.wrong, why: request.why } : null;
    if ('wrong' in request) return;
    this.#clear();
    this.stage = 'running';
    const stop = (this.#stop = new AbortController());
    try {
      await play({ dialect: this.dialect, request: request.body }, stop.signal, (records) => this.#take(records));
      this.#flush();
      this.stage = this.ended === null ? 'lost' : 'done';
    } catch (error) {
      this.#flush();
      if (stop.signal.aborted) this.stage = 'stopped';
      else if (error instanceof ApiError) {
        this.stage = 'refused';
        this.problem = problemOf(error);
      } else this.stage = 'lost';
    }
    this.#stop = null;
    await this.#readLog();
  }

  /** Leaves as a client does; what came so far stays. */
  stop(): void {
    this.#stop?.abort();
  }

  #clear(): void {
    this.#pending = [];
    this.problem = null;
    this.head = null;
    this.frames = [];
    this.steps = [];
    this.counted = { frames: 0, steps: 0 };
    this.answer = NOTHING;
    this.ended = null;
    this.logged = null;
  }

  /** What comes between two pictures is shown with the next, all at once. */
  #take(records: PlayRecord[]): void {
    this.#pending.push(...records);
    if (this.#due || this.#pending.length === 0) return;
    this.#due = true;
    this.#soon(() => this.#flush());
  }

  #flush(): void {
    this.#due = false;
    const records = this.#pending;
    this.#pending = [];
    const frames: Timed<string>[] = [];
    const steps: Timed<Step>[] = [];
    for (const record of records) {
      const at = record.at_ms;
      if (record.kind === 'head') this.head = { at, status: record.status, headers: record.headers };
      else if (record.kind === 'frame') frames.push({ at, what: record.text });
      else if (record.kind === 'turn') steps.push({ at, what: record });
      else this.ended = at;
    }
    if (frames.length > 0) this.frames = [...this.frames, ...frames].slice(-KEPT);
    if (steps.length > 0) this.steps = [...this.steps, ...steps].slice(-KEPT);
    this.answer = after(
      this.answer,
      steps.map((step) => step.what),
    );
    const { counted } = this;
    this.counted = { frames: counted.frames + frames.length, steps: counted.steps + steps.length };
  }

  /** The id of the exchange, as its answer told it. */
  get id(): string | null {
    return this.head?.headers.find(([name]) => name === 'request-id')?.[1] ?? null;
  }

  async #readLog(): Promise<void> {
    const id = this.id;
    for (let tries = 0; id !== null && tries < LOG_TRIES && this.id === id; tries += 1) {
      try {
        const logged = await exchange(id);
        if (this.id === id) this.logged = logged;
        return;
      } catch (error) {
        if (!(error instanceof ApiError && error.status === 404)) return;
        await new Promise((again) => setTimeout(again, LOG_PAUSE));
      }
    }
  }
}

/** A dozen pictures a second are enough to follow, and leave rows the time to be laid out. */
const PICTURE = 80;
export const playground = new Playground((run) => void setTimeout(run, PICTURE));
