// The keys by which programs come in. A new one is known here until it is put away, and never again.

import { makeKey } from '../api/client';
import { keys as ask, revokeKey } from '../api/settings';
import type { KeyCreated, KeyInfo } from '../api/types';
import { toasts } from './toasts.svelte';

export class ClientKeys {
  /** `null`: not read yet. */
  all = $state.raw<KeyInfo[] | null>(null);
  /** The one just made, in full. */
  made = $state.raw<KeyCreated | null>(null);
  busy = $state(false);
  problem = $state.raw<unknown>(null);

  async load(): Promise<void> {
    try {
      this.all = (await ask()).keys;
      this.problem = null;
    } catch (error) {
      this.problem = error;
    }
  }

  create(name: string): Promise<boolean> {
    return this.#change(async () => void (this.made = await makeKey(name)));
  }

  revoke(name: string): Promise<boolean> {
    return this.#change(async () => {
      await revokeKey(name);
      // It opens nothing any more: nobody is to copy it.
      if (this.made?.name === name) this.made = null;
    });
  }

  async #change(how: () => Promise<void>): Promise<boolean> {
    this.busy = true;
    try {
      await how();
      await this.load();
      return true;
    } catch (error) {
      toasts.fail(error);
      return false;
    } finally {
      this.busy = false;
    }
  }
}
