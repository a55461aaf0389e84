// The newest requests, held whole: those under way and those that ended while somebody watches. Pure.
//
// Everything is in the order of the log: by the moment a request came in, the newest first. So one under way stands where it
// will stand when it is over, and nothing moves when it ends.

import type { Crossing } from '../live.svelte';
import type { Exchange } from '../../api/types';

export interface Entry {
  id: string;
  /** When it came in, in milliseconds. */
  at: number;
  /** While it is under way. */
  open: Crossing | null;
  /** When it is over. */
  done: Exchange | null;
}

export const ofDone = (done: Exchange): Entry => ({ id: done.id, at: Date.parse(done.at), open: null, done });
export const ofOpen = (open: Crossing): Entry => ({ id: open.id, at: Date.parse(open.at), open, done: null });

/** Negative: `a` stands above `b`. */
export function compare(a: Entry, b: Entry): number {
  return b.at - a.at || (b.done?.seq ?? Infinity) - (a.done?.seq ?? Infinity) || (a.id < b.id ? 1 : a.id > b.id ? -1 : 0);
}

/** What is known of one request now. What the log says is more than what an event says, and an end is final. */
export function joined(known: Entry, news: Entry): Entry {
  if (news.done === null) return known.done === null ? news : known;
  return known.done?.seq !== undefined && news.done.seq === undefined ? known : news;
}

/** A list with news in it: what is known is renewed in its place, the rest is put where it belongs. */
export function merge(known: readonly Entry[], news: Iterable<Entry>): Entry[] {
  const byId = new Map(known.map((entry) => [entry.id, entry]));
  for (const entry of news) {
    const before = byId.get(entry.id);
    byId.set(entry.id, before === undefined ? entry : joined(before, entry));
  }
  return [...byId.values()].sort(compare);
}

/** Where a list that has grown too long may be cut: behind a row by which the log can go on. `-1`: nowhere. */
export function cutAfter(entries: readonly Entry[], keep: number): number {
  return entries.findIndex((entry, index) => index >= keep - 1 && entry.done?.seq !== undefined);
}
