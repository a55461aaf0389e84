// What events told and the log has not confirmed: until when it is asked, and from which moment on.

import type { Exchange } from '../../api/types';

/** What the log has not written by then it has dropped. */
const GIVE_UP = 30_000;
/** Events themselves were missed: whatever came since that moment. */
const GAP = '';

export class Unsure {
  readonly #known = new Map<string, { at: number; until: number }>();

  get size(): number {
    return this.#known.size;
  }

  has(id: string): boolean {
    return this.#known.has(id);
  }

  /** Events were missed, and nobody knows yet what they would have told. */
  get hasGap(): boolean {
    return this.has(GAP);
  }

  /** From when on the log is asked. */
  get oldest(): number {
    return Math.min(...[...this.#known.values()].map((unsure) => unsure.at));
  }

  add(id: string, at: number, now: number): void {
    this.#known.set(id, { at, until: now + GIVE_UP });
  }

  missed(since: number, now: number): void {
    this.add(GAP, since, now);
  }

  confirm(exchanges: readonly Exchange[]): void {
    for (const { id } of exchanges) this.#known.delete(id);
  }

  /** The log was asked: a gap is closed, and what took too long is given up. */
  settle(now: number): void {
    this.#known.delete(GAP);
    for (const [id, { until }] of this.#known) if (until < now) this.#known.delete(id);
  }

  clear(): void {
    this.#known.clear();
  }
}
