// Short words about what was just done, or could not be done.

import { ApiError, problemOf } from '../api/client';

export interface Toast {
  id: number;
  tone: 'good' | 'bad';
  text: string;
  hint: string | null;
}

/** How long good news stays. Bad news stays until it is put away. */
const STAYS = 4_000;

class Toasts {
  all = $state.raw<Toast[]>([]);
  #next = 1;

  say(text: string): void {
    const toast = this.#add({ tone: 'good', text, hint: null });
    setTimeout(() => this.close(toast), STAYS);
  }

  /** What went wrong. Who is locked out sees that elsewhere. */
  fail(error: unknown): void {
    if (error instanceof ApiError && error.isLockedOut) return;
    const { message, hint } = problemOf(error);
    this.#add({ tone: 'bad', text: message, hint });
  }

  close(id: number): void {
    this.all = this.all.filter((toast) => toast.id !== id);
  }

  #add(toast: Omit<Toast, 'id'>): number {
    const id = this.#next++;
    // The same words twice are said once.
    this.all = [...this.all.filter((known) => known.text !== toast.text), { ...toast, id }].slice(-3);
    return id;
  }
}

export const toasts = new Toasts();
