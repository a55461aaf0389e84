// How everything stands: what the event stream tells, on top of its snapshot.

import { exchanges, status as askStatus, whenLockedOut } from '../api/client';
import { Events, type Link } from '../api/events.svelte';
import type {
  Account,
  AccountList,
  AttemptBegun,
  ClientDrifted,
  Exchange,
  FirstToken,
  OpenExchange,
  Outcome,
  Quota,
  QuotaOf,
  SettingChange,
  SettingChanged,
  SettingsChanged,
  SignInTold,
  Snapshot,
  Status,
} from '../api/types';
import { RECENT, merged } from './recent';

/** So long the end of an exchange is seen, and of so many at once. */
const LINGERS = 2_500;
const LINGERS_AT_MOST = 20;

/** An exchange under way, and what has become of its attempts. */
export interface Crossing extends OpenExchange {
  /** Why the attempt before this one failed. */
  after: string | null;
}

/** What of the exchanges is new: one that is over, a change of those under way, or all that a snapshot brought. */
export type News = Exchange | 'open' | 'reset';

export class Live {
  status = $state.raw<Status | null>(null);
  accounts = $state.raw<Account[]>([]);
  settings = $state.raw<Record<string, SettingChange>>({});
  signIns = $state.raw<SignInTold[]>([]);
  /** Under way, the oldest first. */
  open = $state.raw<Crossing[]>([]);
  /** Over for a moment, so that one sees how they ended. */
  ended = $state.raw<{ exchange: Crossing; outcome: Outcome }[]>([]);
  /** Over, the newest first. `null`: not read yet. */
  recent = $state.raw<Exchange[] | null>(null);
  /** Why the log could not be read: nothing in `recent` does not mean that nothing was. */
  unread = $state.raw<unknown>(null);
  /** The browser is not let in, or not any more; the code says which. */
  lockedOut = $state<string | null>(null);
  readonly #events: Events;
  #followers: ((news: News) => void)[] = [];

  constructor() {
    this.#events = new Events({
      reset: (snapshot: Snapshot) => this.reset(snapshot),
      status: (status: Status) => (this.status = status),
      accounts: (list: AccountList) => (this.accounts = list.accounts),
      quota: (told: QuotaOf) => this.quota(told.id, told.quota),
      sign_in: (told: SignInTold) => this.signIn(told),
      settings: (told: SettingsChanged) => this.changed(told.changed),
      'exchange.started': (started: OpenExchange) => this.started(started),
      'exchange.attempt': (attempt: AttemptBegun) =>
        this.update(attempt.id, { account: attempt.account, attempts: attempt.attempt, after: attempt.after }),
      'exchange.first_token': (told: FirstToken) =>
        this.update(told.id, { first_byte_ms: told.first_byte_ms }),
      'exchange.done': (done: Exchange) => this.done(done),
    });
  }

  /** Places of clients that are not as they were set up. */
  get drifted(): ClientDrifted[] {
    return this.status?.drifted ?? [];
  }

  get link(): Link {
    return this.#events.link;
  }

  start(): void {
    whenLockedOut((error) => {
      this.lockedOut = error.code;
      this.#events.stop();
    });
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'visible') void this.#cameBack();
    });
    this.#events.start();
  }

  /** Tells of exchanges as it comes; the answer ends it. */
  follow(tell: (news: News) => void): () => void {
    this.#followers.push(tell);
    return () => (this.#followers = this.#followers.filter((other) => other !== tell));
  }

  #tell(news: News): void {
    for (const tell of this.#followers) tell(news);
  }

  /** Tries again after the way in was shown; `true` if it is open. */
  async retry(): Promise<boolean> {
    try {
      await askStatus();
    } catch {
      return false;
    }
    this.lockedOut = null;
    this.#events.start();
    return true;
  }

  async #cameBack(): Promise<void> {
    if (this.lockedOut !== null) await this.retry();
    else this.#events.hurry();
  }

  reset(snapshot: Snapshot): void {
    this.status = snapshot.status;
    this.accounts = snapshot.status.accounts;
    this.settings = snapshot.settings;
    this.signIns = snapshot.sign_ins;
    this.open = snapshot.open.map((exchange) => ({ ...exchange, after: null }));
    this.lockedOut = null;
    this.#tell('reset');
    void this.readRecent();
  }

  async readRecent(): Promise<void> {
    try {
      const { exchanges: rows } = await exchanges(RECENT);
      this.recent = merged(this.recent ?? [], rows);
      this.unread = null;
    } catch (error) {
      // What happens from now on is shown.
      this.recent ??= [];
      this.unread = error;
    }
  }

  started(exchange: OpenExchange): void {
    const others = this.open.filter((open) => open.id !== exchange.id);
    this.open = [...others, { ...exchange, after: null }];
    this.#tell('open');
  }

  update(id: string, news: Partial<Crossing>): void {
    this.open = this.open.map((open) => (open.id === id ? { ...open, ...news } : open));
    this.#tell('open');
  }

  done(exchange: Exchange): void {
    const open = this.open.find((open) => open.id === exchange.id);
    if (open !== undefined) {
      this.open = this.open.filter((other) => other !== open);
      this.ended = [...this.ended, { exchange: open, outcome: exchange.outcome }].slice(-LINGERS_AT_MOST);
      setTimeout(() => (this.ended = this.ended.filter((one) => one.exchange !== open)), LINGERS);
    }
    this.recent = merged(this.recent ?? [], [exchange]);
    this.#tell(exchange);
  }

  quota(id: string, quota: Quota | null): void {
    this.accounts = this.accounts.map((account) => (account.id === id ? { ...account, quota } : account));
  }

  signIn(told: SignInTold): void {
    this.signIns = [...this.signIns.filter((known) => known.id !== told.id), told];
  }

  changed(changes: SettingChanged[]): void {
    const settings = { ...this.settings };
    for (const { key, value } of changes) settings[key] = value;
    this.settings = settings;
  }
}

export const live = new Live();
