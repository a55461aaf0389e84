/* eslint-disable svelte/prefer-svelte-reactivity -- what is drawn is told by #version; the collections themselves are not watched */
// The requests that are shown: what the log tells in pages and what events tell meanwhile, as one list without gaps or repeats.
//
// **Memory stays flat:** the newest thousand, as many that wait while somebody reads, and two thousand older ones are held.
// **Nothing jumps:** while somebody reads, what is there changes in its place only, and what is new waits.

import type { Filter } from '../../api/requests';
import type { Exchange } from '../../api/types';
import type { Crossing, News } from '../live.svelte';
import { EVERYTHING, matches, matchesOpen, written } from './filter';
import { type Entry, compare, cutAfter, merge, ofDone, ofOpen } from './head';
import { Older, type Piece } from './older';
import type { Page, Source } from './source';
import { Unsure } from './unsure';
import { Waiting } from './waiting.svelte';

export { WAITING } from './waiting.svelte';
export type { Source } from './source';

export const PAGE = 200;
/** A page at most, as the log gives them. */
const LONGEST_PAGE = 1_000;
export const HEAD = 1_000;
/** Older rows are read when one comes as near to their end. */
const NEAR = 100;
/** The log is asked as often for what events have told. It writes a moment later. */
const CONFIRM = 1_000;

export class RequestList {
  filter = $state.raw<Filter>(EVERYTHING);
  phase = $state<'loading' | 'ready' | 'failed'>('loading');
  problem = $state.raw<unknown>(null);
  /** Nothing new is shown until one goes on. */
  paused = $state(false);
  /** How many rows there are so far, held or not. */
  length = $state(0);
  /** There are older ones behind them. */
  more = $state(false);
  /** Reading older ones. */
  reading = $state(false);
  /** Whatever is read by `at` has changed. */
  #version = $state(0);

  #head: Entry[] = [];
  #older = new Older();
  #next: number | null = null;
  readonly #waiting = new Waiting();
  readonly #unsure = new Unsure();
  #ended: Exchange[] = [];
  #framed = false;
  #confirming = false;
  #atTop = true;
  #inView = 0;
  /** Answers to what is no longer asked are not heard. */
  #asked = 0;
  #leave: (() => void) | null = null;
  readonly #source: Source;

  constructor(source: Source) {
    this.#source = source;
  }

  /** How many new ones wait. Beyond the number that is kept, only that there are more is known. */
  get waiting(): number {
    return this.#waiting.count;
  }

  get overflowed(): boolean {
    return this.#waiting.overflowed;
  }

  get held(): boolean {
    return this.paused || !this.#atTop;
  }

  /** How many rows are in memory. */
  get inMemory(): number {
    return this.#head.length + this.waiting + this.#older.held;
  }

  /** From now on, until `stop`. */
  start(filter: Filter): void {
    this.#leave ??= this.#source.follow((news) => this.#hear(news));
    this.filter = filter;
    void this.reload();
  }

  stop(): void {
    this.#leave?.();
    this.#leave = null;
    this.#clear();
  }

  /** What is asked for now. The same again changes nothing. */
  ask(filter: Filter): void {
    if (this.#leave === null || written(filter) === written(this.filter)) return;
    this.filter = filter;
    void this.reload();
  }

  /** The row at that place; `null`: it is being read. */
  at(index: number): Entry | null {
    void this.#version;
    if (index < this.#head.length) return this.#head[index] ?? null;
    return this.#older.at(index - this.#head.length) ?? null;
  }

  indexOf(id: string): number {
    void this.#version;
    const index = this.#head.findIndex((entry) => entry.id === id);
    if (index >= 0) return index;
    const older = this.#older.indexOf(id);
    return older < 0 ? -1 : this.#head.length + older;
  }

  /** What the newest of them name, each once. */
  seen(of: (exchange: Exchange | Crossing) => string[]): Set<string> {
    void this.#version;
    return new Set(this.#head.flatMap(({ done, open }) => (done === null ? (open === null ? [] : of(open)) : of(done))));
  }

  #clear(): void {
    this.#asked += 1;
    this.#head = [];
    this.#older = new Older();
    this.#next = null;
    this.#unsure.clear();
    this.#ended = [];
    this.#waiting.drop();
    this.reading = false;
    this.#changed();
  }

  async reload(): Promise<void> {
    this.#clear();
    this.#atTop = true;
    this.phase = 'loading';
    const asked = this.#asked;
    try {
      const page = await this.#source.page(this.filter, null, PAGE);
      if (asked !== this.#asked) return;
      this.#next = page.next;
      this.#head = merge(page.exchanges.map(ofDone), []);
      this.phase = 'ready';
      this.problem = null;
      const recent = this.#source.recent().filter((exchange) => matches(this.filter, exchange));
      this.#take([...recent.map((exchange) => this.#over(exchange)), ...this.#underWay()]);
      this.#confirmSoon();
    } catch (error) {
      if (asked !== this.#asked) return;
      this.phase = 'failed';
      this.problem = error;
    }
  }

  // === What events tell ===

  #hear(news: News): void {
    // The gateway is back: perhaps its log is, too.
    if (this.phase === 'failed' && news === 'reset') void this.reload();
    if (this.phase !== 'ready') return;
    if (news === 'reset') this.#missed();
    else if (news !== 'open') this.#ended.push(news);
    if (this.#framed) return;
    this.#framed = true;
    this.#source.frame(() => {
      this.#framed = false;
      const over = this.#ended.filter((exchange) => matches(this.filter, exchange)).map((exchange) => this.#over(exchange));
      this.#ended = [];
      this.#take([...this.#underWay(), ...over]);
      this.#confirmSoon();
    });
  }

  /** Events were missed: the log knows what became of those that were under way, and what came since. */
  #missed(): void {
    const now = this.#source.now();
    const newest = this.#head.find((entry) => entry.done !== null);
    if (newest !== undefined) this.#unsure.missed(newest.at, now);
    const open = new Set(this.#source.open().map((exchange) => exchange.id));
    for (const entry of this.#head) if (entry.done === null && !open.has(entry.id)) this.#unsure.add(entry.id, entry.at, now);
  }

  #underWay(): Entry[] {
    return this.#source.open().filter((exchange) => matchesOpen(this.filter, exchange)).map(ofOpen);
  }

  #over(exchange: Exchange): Entry {
    const entry = ofDone(exchange);
    if (exchange.seq === undefined) this.#unsure.add(entry.id, entry.at, this.#source.now());
    return entry;
  }

  /** What is known changes in its place; what is new is shown, or waits; what is older than the head is the log's affair. */
  #take(news: Entry[]): void {
    const known = new Set(this.#head.map((entry) => entry.id));
    const floor = this.#older.pieces.length > 0 || this.#next !== null ? this.#head.at(-1) : undefined;
    const fresh = news.filter((entry) => known.has(entry.id) || floor === undefined || compare(entry, floor) < 0);
    const shown = this.held ? fresh.filter((entry) => known.has(entry.id)) : fresh;
    if (this.held) this.#waiting.add(fresh.filter((entry) => !known.has(entry.id)));
    this.#head = merge(this.#head, shown);
    if (!this.held) this.#settle();
    this.#changed();
  }

  /** Nobody reads further down: what no longer belongs here goes, and the head is cut to its length. */
  #settle(): void {
    const open = new Set(this.#source.open().map((exchange) => exchange.id));
    this.#head = this.#head.filter((entry) =>
      entry.done === null ? open.has(entry.id) || this.#unsure.has(entry.id) : matches(this.filter, entry.done) || entry.done.seq !== undefined,
    );
    if (this.#head.length <= HEAD) return;
    const last = cutAfter(this.#head, HEAD / 2);
    // A log that writes nothing has nothing to go on with.
    const cut = last >= 0 && last < HEAD ? last + 1 : HEAD;
    this.#next = this.#head[cut - 1]?.done?.seq ?? null;
    this.#head = this.#head.slice(0, cut);
    this.#older = new Older();
  }

  // === What the log adds to it ===

  #confirmSoon(): void {
    if (this.#confirming || this.#unsure.size === 0) return;
    this.#confirming = true;
    const asked = this.#asked;
    this.#source.after(CONFIRM, () => {
      void this.#confirm(asked).finally(() => {
        this.#confirming = false;
        this.#confirmSoon();
      });
    });
  }

  async #confirm(asked: number): Promise<void> {
    if (asked !== this.#asked || this.#leave === null) return;
    try {
      const page = await this.#source.page({ ...this.filter, since: String(this.#unsure.oldest) }, null, LONGEST_PAGE);
      if (asked !== this.#asked) return;
      // More than a page was missed: there would be a gap.
      if (page.next !== null && this.#unsure.hasGap) return this.held ? this.#waiting.overflow() : await this.reload();
      this.#unsure.confirm(page.exchanges);
      this.#take(page.exchanges.map(ofDone));
    } catch {
      // It is asked again.
    }
    this.#unsure.settle(this.#source.now());
  }

  // === What is in view ===

  /** Places in view. Reads what they lack, and what comes next if they are near the end. */
  see(first: number, last: number, atTop: boolean): void {
    this.#inView = Math.max(0, Math.round((first + last) / 2) - this.#head.length);
    if (atTop !== this.#atTop) {
      this.#atTop = atTop;
      if (atTop && !this.paused) this.release();
    }
    void this.#read(first - this.#head.length, last - this.#head.length);
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    this.release();
  }

  /** Shows what waits. Where more came than was kept, the list begins anew. */
  release(): void {
    this.#atTop = true;
    if (this.overflowed) return void this.reload();
    this.#take(this.#waiting.drop());
  }

  /** After something went wrong. What could be read stays. */
  retry(): void {
    this.problem = null;
    if (this.phase === 'failed') void this.reload();
  }

  async #read(first: number, last: number): Promise<void> {
    // What went wrong is not tried again and again: a person says when.
    if (this.reading || this.phase !== 'ready' || this.problem !== null) return;
    const missing = this.#older.missing(first - NEAR / 2, last + NEAR / 2);
    if (missing === undefined && (this.#next === null || last + NEAR < this.#older.count)) return;
    this.reading = true;
    const asked = this.#asked;
    try {
      if (missing !== undefined) await this.#again(missing, asked);
      else await this.#onward(asked);
    } catch (error) {
      if (asked === this.#asked) this.problem = error;
    }
    if (asked !== this.#asked) return;
    this.reading = false;
    this.#older.letGo(this.#inView);
    this.#changed();
  }

  async #onward(asked: number): Promise<void> {
    const after = this.#next;
    if (after === null) return;
    const page = await this.#source.page(this.filter, after, PAGE);
    if (asked !== this.#asked || after !== this.#next) return;
    const known = new Set(this.#head.map((entry) => entry.id));
    const rows = page.exchanges.filter((exchange) => !known.has(exchange.id)).map(ofDone);
    this.#next = page.next;
    const last = rows.at(-1);
    if (last !== undefined) this.#older.pieces.push({ after, rows, count: rows.length, last, next: page.next });
  }

  /** A piece that was let go. What was written into its stretch since then belongs to it. */
  async #again(piece: Piece, asked: number): Promise<void> {
    const known = new Set(this.#head.map((entry) => entry.id));
    const rows: Entry[] = [];
    for (let before: number | null = piece.after; before !== null && before !== piece.next; ) {
      const page: Page = await this.#source.page(this.filter, before, PAGE);
      if (asked !== this.#asked) return;
      const read = page.exchanges.map(ofDone);
      const within = read.filter((entry) => compare(entry, piece.last) <= 0);
      rows.push(...within.filter((entry) => !known.has(entry.id)));
      before = within.length < read.length ? null : page.next;
    }
    piece.rows = rows;
    piece.count = rows.length;
  }

  #changed(): void {
    this.length = this.#head.length + this.#older.count;
    this.more = this.#next !== null;
    this.#version += 1;
  }
}
