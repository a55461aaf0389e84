// The programs that come to the gateway, by their own settings. Files are written by `done` alone, after a plan was shown.

import { bring } from '../i18n/said.svelte';
import { type Aim, type At, clients as ask, plan as askPlan, revert, setUp } from '../api/clients';
import type { Client, ClientChanged, ClientPlan } from '../api/types';

class Clients {
  /** `null`: not read yet. */
  all = $state.raw<Client[] | null>(null);
  /** Where they are told to go. */
  url = $state('');
  /** The person's, for paths. */
  home = $state<string | null>(null);
  /** The folder whose own settings are looked at, too. */
  project = $state<string | null>(null);
  problem = $state.raw<unknown>(null);
  #asked = 0;

  async load(): Promise<void> {
    const mine = ++this.#asked;
    try {
      const [{ clients, url, home }] = await Promise.all([ask(this.project), bring('clients')]);
      if (mine !== this.#asked) return;
      this.all = clients;
      this.url = url;
      this.home = home;
      this.problem = null;
    } catch (error) {
      if (mine === this.#asked) this.problem = error;
    }
  }

  get(client: string): Client | null {
    return this.all?.find((one) => one.client === client) ?? null;
  }

  at(client: string, target: string): At {
    return { client, target, project: this.project };
  }

  /** What would be done; nothing is. */
  plan(at: At, to: Aim): Promise<ClientPlan> {
    return askPlan(at, to);
  }

  /** Does what the plan showed, or nothing. */
  async done(at: At, to: Aim, plan: ClientPlan): Promise<ClientChanged> {
    try {
      return await (to === 'revert' ? revert : setUp)(at, plan.plan);
    } finally {
      await this.load();
    }
  }
}

export const clients = new Clients();
