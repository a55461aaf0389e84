// A request of this page's own, seen from both sides: docs/api.md, "Playground".

import { send } from './client';
import type { PlayRecord } from './types';

/** Languages that are spoken there. */
export const DIALECTS = ['anthropic', 'chat', 'responses'] as const;
export type Dialect = (typeof DIALECTS)[number];

export interface Ask {
  dialect: Dialect;
  request: object;
}

/** Reads records from a stream that may be cut anywhere. */
export class RecordReader {
  readonly #decoder = new TextDecoder();
  #rest = '';

  /** The records that are whole now. */
  feed(bytes: Uint8Array): PlayRecord[] {
    this.#rest += this.#decoder.decode(bytes, { stream: true });
    const parts = this.#rest.split('\n\n');
    this.#rest = parts.pop() ?? '';
    return parts.filter((part) => part.startsWith('data: ')).map((part) => JSON.parse(part.slice(6)) as PlayRecord);
  }
}

/** Asks, and tells what comes as it comes. Ends with the answer; throws when it is refused, breaks off, or is stopped. */
export async function play(ask: Ask, signal: AbortSignal, tell: (records: PlayRecord[]) => void): Promise<void> {
  const response = await send('POST', '/playground', ask, signal);
  const body = response.body?.getReader();
  const reader = new RecordReader();
  for (let piece = await body?.read(); piece?.value !== undefined; piece = await body?.read()) {
    tell(reader.feed(piece.value));
  }
}
