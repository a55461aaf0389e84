// Which model a name means: the catalogue, what the families of a client's models lead to, and names of one's own. A change
// is saved at once, and the last one can be taken back.

import { problemOf, type Problem } from '../api/client';
import * as api from '../api/routes';
import type { Role, RoleName, Target } from '../api/routes';
import type { Alias, Destination, Model } from '../api/types';

/** What can lead somewhere: `role:opus`, `alias:fast`. */
export type Name = `role:${RoleName}` | `alias:${string}`;

const same = (a: Target | null, b: Target | null) => a?.model === b?.model && a?.effort === b?.effort;

export class Routes {
  /** `null`: not read yet. */
  models = $state.raw<Model[] | null>(null);
  /** No catalogue was fetched yet: these are the models that are known anyway. */
  builtin = $state(false);
  roles = $state.raw<Role[]>([]);
  aliases = $state.raw<Alias[]>([]);
  /** Why nothing could be read. */
  problem = $state.raw<Problem | null>(null);
  /** What is being saved. */
  saving = $state<Name | null>(null);
  /** Why the last change was refused, and of what. */
  refused = $state.raw<(Problem & { name: Name }) | null>(null);
  /** The last change, and what was there before; `null`: nothing, or the default. */
  last = $state.raw<{ name: Name; before: Target | null } | null>(null);

  async load(): Promise<void> {
    try {
      const [catalogue, table] = await Promise.all([api.models(), api.routes()]);
      this.models = catalogue.models;
      this.builtin = catalogue.builtin;
      this.roles = table.roles;
      this.aliases = table.aliases;
      this.problem = null;
    } catch (error) {
      this.problem = problemOf(error);
    }
  }

  /** What a name leads to because somebody said so. */
  set(name: Name): Target | null {
    const found = name.startsWith('role:')
      ? this.roles.find((role) => `role:${role.role}` === name && role.set)
      : this.aliases.find((alias) => `alias:${alias.name}` === name);
    return found === undefined ? null : { model: found.model, effort: found.effort };
  }

  /** Lets a name lead elsewhere; `null` takes it back to the default, or away. `true`: it does now. */
  async change(name: Name, to: Target | null): Promise<boolean> {
    const before = this.set(name);
    if (same(before, to)) return true;
    if (!(await this.#save(name, to))) return false;
    this.last = { name, before };
    return true;
  }

  async undo(): Promise<void> {
    if (this.last === null) return;
    const { name, before } = this.last;
    if (await this.#save(name, before)) this.last = null;
  }

  async #save(name: Name, to: Target | null): Promise<boolean> {
    this.saving = name;
    this.refused = null;
    try {
      await send(name, to);
      const table = await api.routes();
      this.roles = table.roles;
      this.aliases = table.aliases;
      return true;
    } catch (error) {
      this.refused = { name, ...problemOf(error) };
      return false;
    } finally {
      this.saving = null;
    }
  }
}

function send(name: Name, to: Target | null): Promise<void> {
  const bare = name.slice(name.indexOf(':') + 1);
  if (name.startsWith('alias:')) return to === null ? api.removeAlias(bare) : api.setAlias(bare, to);
  const role = bare as RoleName;
  return to === null ? api.resetRole(role) : api.setRole(role, to);
}


/** Where a name would lead. Answers that come late for what is no longer asked are not shown. */
export class NameTrial {
  name = $state('');
  effort = $state<string | null>(null);
  found = $state.raw<Destination | null>(null);
  refused = $state.raw<Problem | null>(null);
  asking = $state(false);
  #asked = 0;

  async ask(): Promise<void> {
    const name = this.name.trim();
    if (name === '') return this.clear();
    const mine = ++this.#asked;
    this.asking = true;
    try {
      const found = await api.tryName(name, this.effort);
      if (mine !== this.#asked) return;
      this.found = found;
      this.refused = null;
    } catch (error) {
      if (mine !== this.#asked) return;
      this.found = null;
      this.refused = problemOf(error);
    }
    this.asking = false;
  }

  clear(): void {
    this.#asked += 1;
    this.found = null;
    this.refused = null;
    this.asking = false;
  }
}

export const routes = new Routes();
export const trial = new NameTrial();
