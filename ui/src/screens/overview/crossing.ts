// The Crossing, as data: who stands on which shore, and which lanes lead across. Pure.

import type { Account, Exchange, Outcome } from '../../api/types';
import type { Crossing } from '../../state/live.svelte';
import { nameOf } from '../../parts/account';

/** So many stand on a shore at once. */
export const ROOM = 5;
/** The height of one of them. */
export const ROW = 28;

export type Mood = 'rest' | 'asked' | 'flows' | 'retries' | 'failed' | 'done';

export interface Lane {
  key: string;
  client: string;
  /** The account's id; `null` while nobody was picked. */
  account: string | null;
  mood: Mood;
  /** How many exchanges are on it. */
  count: number;
  /** The one that began last. */
  last: { model: string; at: number } | null;
}

export interface Shores {
  clients: string[];
  /** `ready`: it could take the next request. */
  accounts: { id: string; name: string; ready: boolean }[];
  lanes: Lane[];
}

/** An exchange that has just ended, and lingers. */
export interface Ended {
  exchange: Crossing;
  outcome: Outcome;
}

/** From what says the most to what says the least. */
const WEIGHT: Mood[] = ['failed', 'retries', 'flows', 'asked', 'done', 'rest'];

export function moodOf(exchange: Crossing): Mood {
  if (exchange.first_byte_ms !== null) return 'flows';
  return exchange.attempts > 1 ? 'retries' : 'asked';
}

/** What is drawn now: what is under way, what has just ended, and where the last ones went. */
export function shores(open: Crossing[], ended: Ended[], recent: Exchange[], known: Account[]): Shores {
  const lanes = new Map<string, Lane>();
  const add = (client: string, account: string | null, mood: Mood, last: Lane['last']) => {
    const key = `${client}\n${account ?? ''}`;
    const lane = lanes.get(key);
    const under = last === null ? 0 : 1;
    if (lane === undefined) {
      lanes.set(key, { key, client, account, mood, count: under, last });
      return;
    }
    if (WEIGHT.indexOf(mood) < WEIGHT.indexOf(lane.mood)) lane.mood = mood;
    lane.count += under;
    if (last !== null && (lane.last === null || last.at > lane.last.at)) lane.last = last;
  };
  for (const one of open) {
    add(one.client, one.account, moodOf(one), { model: one.model, at: Date.parse(one.at) });
  }
  for (const { exchange, outcome } of ended) {
    const bad = outcome === 'failed' || outcome === 'refused';
    add(exchange.client, exchange.account, bad ? 'failed' : 'done', null);
  }
  for (const one of recent) add(one.client, one.account, 'rest', null);

  const clients = [...new Set([...lanes.values()].map((lane) => lane.client))].slice(0, ROOM);
  const busy = new Set([...lanes.values()].map((lane) => lane.account));
  const rank = (account: Account) => (account.active ? 0 : busy.has(account.id) ? 1 : account.named ? 3 : 2);
  const accounts = [...known].sort((a, b) => rank(a) - rank(b)).slice(0, ROOM);
  const ids = new Set(accounts.map((account) => account.id));
  return {
    clients,
    accounts: accounts.map((account) => ({ id: account.id, name: nameOf(account), ready: account.state === 'ready' && !account.paused })),
    // What says the most is drawn last, and so on top.
    lanes: [...lanes.values()]
      .filter((lane) => clients.includes(lane.client) && (lane.account === null || ids.has(lane.account)))
      .sort((a, b) => WEIGHT.indexOf(b.mood) - WEIGHT.indexOf(a.mood)),
  };
}

/** The line of a lane, in a box 100 wide: from the left shore through the gateway in the middle to the right one. */
export function line(left: number, right: number | null, middle: number): string {
  const out = `M0 ${left}C30 ${left} 28 ${middle} 50 ${middle}`;
  return right === null ? out : `${out}C72 ${middle} 70 ${right} 100 ${right}`;
}

/** Where the n-th of `of` stands, on a shore of this height. */
export function place(at: number, of: number, height: number): number {
  return (height - of * ROW) / 2 + at * ROW + ROW / 2;
}
