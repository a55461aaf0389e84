/* eslint-disable svelte/prefer-svelte-reactivity -- only how many wait is watched, not which */
// The new requests that wait while somebody reads: as many as are kept, and whether there were more.

import { type Entry, merge } from './head';

export const WAITING = 1_000;

export class Waiting {
  count = $state(0);
  overflowed = $state(false);
  #entries = new Map<string, Entry>();

  add(news: Entry[]): void {
    const waiting = merge([...this.#entries.values()], news);
    if (waiting.length > WAITING) this.overflowed = true;
    this.#entries = new Map(waiting.slice(0, WAITING).map((entry) => [entry.id, entry]));
    this.count = this.#entries.size;
  }

  /** More came than could be told one by one. */
  overflow(): void {
    this.overflowed = true;
  }

  /** They wait no longer. */
  drop(): Entry[] {
    const entries = [...this.#entries.values()];
    this.#entries = new Map();
    this.count = 0;
    this.overflowed = false;
    return entries;
  }
}
