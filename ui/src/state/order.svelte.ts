// Putting the accounts that pay in an order. Until it is written, the order that is wanted is shown.

import { accounts as ask, setPriority } from '../api/client';
import type { Account } from '../api/types';
import { live } from './live.svelte';
import { alike, areAlike, byPriority, placed, ranks, type Rank } from './order';
import { toasts } from './toasts.svelte';

/** What was done last. */
type Done = { what: 'moved'; id: string } | { what: 'levelled' } | { what: 'undone' };

class Order {
  #wanted = $state.raw<string[] | null>(null);
  /** Priorities as they were before what was done last. */
  #before: Rank[] = [];
  done = $state.raw<Done | null>(null);
  busy = $state(false);
  /** A row that is being dragged, and where it would stand. */
  drag = $state.raw<{ id: string; to: number } | null>(null);

  /** Those that pay, as they are shown. */
  get accounts(): Account[] {
    const paying = byPriority(live.accounts.filter((account) => !account.named));
    const wanted = this.#wanted;
    if (wanted === null) return paying;
    return paying.sort((a, b) => wanted.indexOf(a.id) - wanted.indexOf(b.id));
  }

  get alike(): boolean {
    return areAlike(this.accounts);
  }

  place(id: string): number {
    return this.accounts.findIndex((account) => account.id === id);
  }

  async move(id: string, to: number): Promise<void> {
    const shown = this.accounts;
    const ids = shown.map((account) => account.id);
    const wanted = placed(ids, id, to);
    if (this.busy || wanted.join() === ids.join()) return;
    this.#wanted = wanted;
    await this.#write(ranks(shown, wanted), { what: 'moved', id });
  }

  async level(): Promise<void> {
    if (!this.busy) await this.#write(alike(this.accounts), { what: 'levelled' });
  }

  async undo(): Promise<void> {
    // One that was removed meanwhile has no place to go back to.
    const here = this.#before.filter((rank) => live.accounts.some((account) => account.id === rank.id));
    if (!this.busy) await this.#write(here, { what: 'undone' });
  }

  async #write(changes: Rank[], done: Done): Promise<void> {
    this.busy = true;
    this.#before = this.accounts.map(({ id, priority }) => ({ id, priority }));
    this.done = null;
    try {
      for (const { id, priority } of changes) await setPriority(id, priority);
      this.done = done;
    } catch (error) {
      toasts.fail(error);
    }
    try {
      // The stream tells it, too, and perhaps later.
      live.accounts = (await ask()).accounts;
    } catch {
      // The stream will.
    }
    this.#wanted = null;
    this.busy = false;
  }
}

export const order = new Order();
