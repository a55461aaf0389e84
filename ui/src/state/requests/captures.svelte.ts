// Captures: whole exchanges, written down because somebody asked for it.

import { beginCapture, captures as ask, deleteCapture, endCapture, type CaptureAsk } from '../../api/requests';
import type { Captures as All, CaptureState } from '../../api/types';
import { live } from '../live.svelte';
import { toasts } from '../toasts.svelte';

class Captures {
  /** What there is. `null`: not read yet. */
  all = $state.raw<All | null>(null);
  problem = $state.raw<unknown>(null);
  busy = $state(false);
  /** What an answer said, until the stream says it, too. */
  #told = $state.raw<{ state: CaptureState; over: CaptureState | undefined } | null>(null);

  /** Whether any are made now. */
  get state(): CaptureState | undefined {
    const told = live.status?.capture;
    return this.#told !== null && this.#told.over === told ? this.#told.state : told;
  }

  get on(): boolean {
    return this.state?.on === true;
  }

  async load(): Promise<void> {
    try {
      this.all = await ask();
      this.problem = null;
    } catch (error) {
      this.problem = error;
    }
  }

  begin(wish: CaptureAsk): Promise<boolean> {
    return this.#change(async () => this.#tell(await beginCapture(wish)));
  }

  end(): Promise<boolean> {
    return this.#change(async () => {
      await endCapture();
      this.#tell({ on: false, dropped: 0, problem: null });
    });
  }

  remove(id: string): Promise<boolean> {
    return this.#change(() => deleteCapture(id));
  }

  async removeAll(): Promise<boolean> {
    return this.#change(async () => {
      for (const { id } of this.all?.captures ?? []) await deleteCapture(id);
    });
  }

  #tell(state: CaptureState): void {
    this.#told = { state, over: live.status?.capture };
  }

  async #change(how: () => Promise<unknown>): Promise<boolean> {
    this.busy = true;
    try {
      await how();
      return true;
    } catch (error) {
      toasts.fail(error);
      return false;
    } finally {
      this.busy = false;
      await this.load();
    }
  }
}

export const captures = new Captures();
