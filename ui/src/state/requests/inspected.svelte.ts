// The one request that is looked at closely, with what only the log, its conversation and its capture know.

import { ApiError } from '../../api/client';
import { capture, captures, conversation, exchange } from '../../api/requests';
import type { Capture, Conversation, ExchangeDetail } from '../../api/types';

/** Who goes through a list with the keys is not asked for at every step. */
const PAUSE = 120;

export class Inspected {
  id = $state<string | null>(null);
  /** `null`: not read yet, or not known to the log. */
  detail = $state.raw<ExchangeDetail | null>(null);
  problem = $state.raw<unknown>(null);
  conversation = $state.raw<Conversation | null>(null);
  /** `undefined`: not looked for yet; `null`: there is none. */
  capture = $state.raw<Capture | null | undefined>(undefined);
  captureProblem = $state.raw<unknown>(null);
  #timer: ReturnType<typeof setTimeout> | undefined;

  show(id: string): void {
    const first = this.id === null;
    this.wait(id);
    this.#timer = setTimeout(() => void this.#read(id), first ? 0 : PAUSE);
  }

  /** There is nothing to read of it yet. */
  wait(id: string): void {
    clearTimeout(this.#timer);
    if (id !== this.id) {
      this.detail = null;
      this.conversation = null;
      this.capture = undefined;
      this.captureProblem = null;
      this.problem = null;
    }
    this.id = id;
  }

  close(): void {
    clearTimeout(this.#timer);
    this.id = null;
  }

  /** What became of the prompt cache here, in a sentence. */
  get explanation(): string | null {
    return this.conversation?.turns.find((turn) => turn.id === this.id)?.explanation ?? null;
  }

  retry(): void {
    this.problem = null;
    if (this.id !== null) void this.#read(this.id);
  }

  async #read(id: string): Promise<void> {
    try {
      const detail = await exchange(id);
      if (id !== this.id) return;
      this.detail = detail;
      this.problem = null;
      if (detail.conversation === null) return;
      // Without it, what it would explain is missing and nothing else.
      const found = await conversation(detail.conversation).catch(() => null);
      if (id === this.id) this.conversation = found;
    } catch (error) {
      if (id === this.id) this.problem = error;
    }
  }

  /** Looks for the capture, when somebody wants to see it. */
  async readCapture(): Promise<void> {
    const id = this.id;
    if (id === null || this.capture !== undefined) return;
    this.captureProblem = null;
    try {
      // Most have none, which is no error: the list knows.
      const { captures: taken } = await captures();
      const found = taken.some((one) => one.id === id) ? await capture(id) : null;
      if (id === this.id) this.capture = found;
    } catch (error) {
      if (id !== this.id) return;
      if (error instanceof ApiError && error.code === 'unknown_capture') this.capture = null;
      else this.captureProblem = error;
    }
  }
}

export const inspected = new Inspected();
