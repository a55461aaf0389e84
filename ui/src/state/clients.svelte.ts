// The programs that come to the gateway, by their own settings.

import { clients as ask, connectClient, restoreClient } from '../api/client';
import type { Client } from '../api/types';
import { toasts } from './toasts.svelte';

class Clients {
  /** `null`: not read yet. */
  all = $state.raw<Client[] | null>(null);
  /** Which one is being changed. */
  busy = $state<string | null>(null);
  problem = $state.raw<unknown>(null);

  async load(): Promise<void> {
    try {
      this.all = (await ask()).clients;
      this.problem = null;
    } catch (error) {
      this.problem = error;
    }
  }

  connect(client: string): Promise<boolean> {
    return this.#change(client, connectClient);
  }

  restore(client: string): Promise<boolean> {
    return this.#change(client, restoreClient);
  }

  async #change(client: string, how: typeof connectClient): Promise<boolean> {
    this.busy = client;
    try {
      const changed = await how(client);
      this.all = (this.all ?? []).map((known) => (known.client === client ? changed : known));
      if (changed.told !== null) toasts.say(changed.told);
      return true;
    } catch (error) {
      toasts.fail(error);
      return false;
    } finally {
      this.busy = null;
    }
  }
}

export const clients = new Clients();
