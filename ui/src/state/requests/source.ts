// Where a list has its requests from, so that tests can do without a gateway.

import type { Filter } from '../../api/requests';
import type { Exchange } from '../../api/types';
import type { Crossing, News } from '../live.svelte';

/** Rows of the log; `next`: ask for what comes before this, `null`: that was all. */
export type Page = { exchanges: Exchange[]; next: number | null };

export interface Source {
  page(filter: Filter, before: number | null, limit: number): Promise<Page>;
  /** What is under way. */
  open(): readonly Crossing[];
  /** What ended of late: the log may not have it yet. */
  recent(): readonly Exchange[];
  follow(tell: (news: News) => void): () => void;
  /** Before the next picture. */
  frame(run: () => void): void;
  after(milliseconds: number, run: () => void): void;
  now(): number;
}
