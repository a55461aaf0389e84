// In which order accounts are shown and go first: by priority, and of equals as they came. Pure.

import type { Account } from '../api/types';

type Ranked = Pick<Account, 'id' | 'priority'>;

/** What an account's priority is to be. */
export interface Rank {
  id: string;
  priority: number;
}

export function byPriority<T extends Ranked>(accounts: T[]): T[] {
  return [...accounts].sort((a, b) => b.priority - a.priority);
}

/** The same ids, with this one at that place. Beyond the ends is at the end. */
export function placed(ids: string[], id: string, to: number): string[] {
  const others = ids.filter((other) => other !== id);
  const at = Math.min(Math.max(to, 0), others.length);
  return [...others.slice(0, at), id, ...others.slice(at)];
}

/** What has to change so that they stand in this order: each its own priority, the last one 0. */
export function ranks(accounts: Ranked[], ids: string[]): Rank[] {
  const last = ids.length - 1;
  return changed(accounts, ids.map((id, at) => ({ id, priority: last - at })));
}

/** What has to change so that none goes before another. */
export function alike(accounts: Ranked[]): Rank[] {
  return changed(accounts, accounts.map(({ id }) => ({ id, priority: 0 })));
}

export function areAlike(accounts: Ranked[]): boolean {
  return accounts.every(({ priority }) => priority === accounts[0]?.priority);
}

/** The place a row would take if it were dropped there; `middles` are those of the rows as they stand. */
export function dropPlace(middles: number[], from: number, y: number): number {
  const above = middles.filter((middle) => middle < y).length;
  return above > from ? above - 1 : above;
}

function changed(accounts: Ranked[], wanted: Rank[]): Rank[] {
  return wanted.filter((rank) => accounts.find(({ id }) => id === rank.id)?.priority !== rank.priority);
}
