import { describe, expect, it } from 'vitest';
import type { Filter } from '../../api/requests';
import type { Exchange } from '../../api/types';
import type { Crossing, News } from '../live.svelte';
import { EVERYTHING, matches } from './filter';
import { HEAD, PAGE, RequestList, WAITING, type Source } from './list.svelte';

const BEGIN = Date.parse('2026-11-20T12:00:00Z');

/** A log, a stream of events, and a clock that moves when it is told to. */
class World implements Source {
  log: Exchange[] = [];
  under: Crossing[] = [];
  ended: Exchange[] = [];
  frames: (() => void)[] = [];
  timers: (() => void)[] = [];
  asked: { filter: Filter; before: number | null }[] = [];
  failing = false;
  time = BEGIN;
  #tell: (news: News) => void = () => {};

  constructor(rows: number) {
    for (let number = 1; number <= rows; number += 1) this.write(this.make(number));
  }
  make(number: number, over: Partial<Exchange> = {}): Exchange {
    const id = `req_${String(number).padStart(7, '0')}`;
    const at = new Date(BEGIN + number * 1000).toISOString();
    const text = { client: 'laptop', asked: 'opus', model: 'sol', account: 'a', account_name: null, conversation: null };
    return { id, at, ...text, status: 200, outcome: 'completed', error: null, message: null, ...over } as Exchange;
  }
  write(exchange: Exchange): void {
    this.log.push({ ...exchange, seq: this.log.length + 1, cost_usd: 0.5 });
  }
  async page(filter: Filter, before: number | null, limit: number) {
    this.asked.push({ filter, before });
    await Promise.resolve();
    if (this.failing) throw new Error('the log cannot be read');
    const key = (one: Exchange) => Date.parse(one.at) * 1e6 + (one.seq ?? 0);
    const from = before === null ? Infinity : key(this.log.find((one) => one.seq === before)!);
    const since = filter.since === '' ? -Infinity : Number(filter.since);
    const rows = this.log.filter((one) => key(one) < from && Date.parse(one.at) >= since && matches({ ...filter, since: '' }, one));
    rows.sort((a, b) => key(b) - key(a));
    const exchanges = rows.slice(0, limit);
    return { exchanges, next: rows.length > limit ? exchanges.at(-1)!.seq! : null };
  }
  open = () => this.under;
  recent = () => this.ended;
  follow = (tell: (news: News) => void) => {
    this.#tell = tell;
    return () => (this.#tell = () => {});
  };
  frame = (run: () => void) => void this.frames.push(run);
  after = (_: number, run: () => void) => void this.timers.push(run);
  now = () => this.time;

  begin(exchange: Exchange): void {
    this.under = [...this.under, exchange as unknown as Crossing];
    this.#tell('open');
  }
  end(exchange: Exchange, written = true): void {
    this.under = this.under.filter((open) => open.id !== exchange.id);
    if (written) this.write(exchange);
    this.#tell(exchange);
  }
  reset = () => this.#tell('reset');
  async turn(): Promise<void> {
    for (let times = 0; times < 4; times += 1) {
      this.frames.splice(0).forEach((run) => run());
      for (let ticks = 0; ticks < 40; ticks += 1) await Promise.resolve();
    }
  }
  async confirm(): Promise<void> {
    this.timers.splice(0).forEach((run) => run());
    await this.turn();
  }
}

/** A log that is too long to be made at once. */
class LongLog extends World {
  constructor(readonly rows: number) {
    super(0);
  }
  override async page(_: Filter, before: number | null, limit: number) {
    await Promise.resolve();
    const from = before === null ? this.rows : before - 1;
    const exchanges = Array.from({ length: Math.min(limit, from) }, (_, at) => ({ ...this.make(from - at), seq: from - at, cost_usd: 0.5 }));
    return { exchanges, next: from > limit ? from - limit + 1 : null };
  }
}

async function shown(rows: number): Promise<[World, RequestList]> {
  const world = new World(rows);
  const list = new RequestList(world);
  list.start(EVERYTHING);
  await world.turn();
  return [world, list];
}
const ids = (list: RequestList) => Array.from({ length: list.length }, (_, index) => list.at(index)?.id ?? null);
const newestFirst = (world: World) =>
  [...world.log].sort((a, b) => Date.parse(b.at) - Date.parse(a.at) || b.seq! - a.seq!).map((one) => one.id);
async function toTheEnd(world: World, list: RequestList): Promise<void> {
  for (let times = 0; list.more && times < 2_000; times += 1) {
    list.see(list.length - 30, list.length - 1, false);
    await world.turn();
  }
}

describe('the list of requests', () => {
  it('is the log, page by page, without gaps or repeats', async () => {
    const [world, list] = await shown(1_000);
    expect(list.length).toBe(PAGE);
    expect(list.more).toBe(true);
    await toTheEnd(world, list);
    expect(ids(list)).toEqual(newestFirst(world));
  });

  it('goes through a hundred thousand rows, and holds some thousands of them', async () => {
    const ROWS = 100_000;
    const world = new LongLog(ROWS);
    const list = new RequestList(world);
    list.start(EVERYTHING);
    await world.turn();
    let most = 0;
    while (list.more) {
      list.see(list.length - 30, list.length - 1, false);
      await world.turn();
      most = Math.max(most, list.inMemory);
    }
    expect([list.length, list.at(ROWS - 1)?.id]).toEqual([ROWS, world.make(1).id]);
    expect(most).toBeLessThanOrEqual(HEAD + WAITING + 2_000);
    // In the middle again, what was let go is read anew.
    for (let pieces = 0; pieces < 2; pieces += 1) {
      list.see(50_000, 50_030, false);
      await world.turn();
    }
    expect(list.at(50_000)?.id).toBe(world.make(ROWS - 50_000).id);
    expect(list.at(0)?.id).toBe(world.make(ROWS).id);
  });

  it('shows a request from its beginning to its end in one place', async () => {
    const [world, list] = await shown(3);
    const [long, short] = [world.make(10), world.make(11)];
    world.begin(long);
    world.begin(short);
    await world.turn();
    expect(ids(list).slice(0, 2)).toEqual([short.id, long.id]);
    expect(list.at(1)?.done).toBe(null);
    world.end(long);
    await world.turn();
    expect(ids(list).slice(0, 2)).toEqual([short.id, long.id]);
    expect(list.at(1)?.done?.outcome).toBe('completed');
    expect(list.at(1)?.done?.cost_usd, 'an event does not know the cost').toBe(undefined);
    await world.confirm();
    expect(list.at(1)?.done?.cost_usd).toBe(0.5);
    expect(new Set(ids(list)).size).toBe(list.length);
  });

  it('has what ended while the first page was read', async () => {
    const world = new World(5);
    const late = world.make(9);
    world.ended = [late];
    const list = new RequestList(world);
    list.start(EVERYTHING);
    await world.turn();
    expect(ids(list)[0]).toBe(late.id);
    world.write(late);
    await world.confirm();
    expect(ids(list)).toEqual(newestFirst(world));
  });

  it('merges what comes between two pictures into one', async () => {
    const [world, list] = await shown(3);
    for (let number = 10; number < 60; number += 1) world.end(world.make(number));
    expect(world.frames).toHaveLength(1);
    expect(list.length).toBe(3);
    await world.turn();
    expect(list.length).toBe(53);
  });

  it('does not move while somebody reads, and says how many wait', async () => {
    const [world, list] = await shown(400);
    const open = world.make(401);
    world.begin(open);
    await world.turn();
    list.see(40, 80, false);
    const before = ids(list);
    for (let number = 402; number < 412; number += 1) world.end(world.make(number));
    world.end(open);
    await world.turn();
    await world.confirm();
    expect(ids(list).slice(0, before.length)).toEqual(before);
    expect(list.at(0)?.done?.outcome, 'what is there goes on').toBe('completed');
    expect(list.waiting).toBe(10);
    list.see(0, 40, true);
    expect(list.waiting).toBe(0);
    expect(ids(list).slice(0, 12)).toEqual(newestFirst(world).slice(0, 12));
  });

  it('shows nothing new while it is paused', async () => {
    const [world, list] = await shown(3);
    list.pause();
    world.end(world.make(10));
    await world.turn();
    list.see(0, 2, true);
    expect([list.length, list.waiting]).toEqual([3, 1]);
    list.resume();
    expect([list.length, list.waiting]).toEqual([4, 0]);
  });

  it('begins anew when more waited than is kept', async () => {
    const [world, list] = await shown(3);
    list.pause();
    for (let number = 10; number < WAITING + 20; number += 1) world.end(world.make(number));
    await world.turn();
    expect(list.overflowed).toBe(true);
    list.resume();
    await world.turn();
    await toTheEnd(world, list);
    expect(ids(list)).toEqual(newestFirst(world));
  });

  it('holds no more than a few thousand rows, and reads again what it let go', async () => {
    const [world, list] = await shown(10_000);
    await toTheEnd(world, list);
    expect(list.length).toBe(10_000);
    expect(list.inMemory).toBeLessThanOrEqual(HEAD + 2_000);
    expect(list.at(300)).toBe(null);
    // One that ended long after it came in: its place is where it came in.
    world.write(world.make(9_690, { id: 'req_slow' }));
    list.see(300, 340, false);
    await world.turn();
    expect(list.at(300)?.id).toBe(newestFirst(world)[300]);
    expect(list.indexOf('req_slow')).toBe(newestFirst(world).indexOf('req_slow'));
    expect(list.length).toBe(10_001);
    expect(list.inMemory).toBeLessThanOrEqual(HEAD + 2_000);
  });

  it('cuts what only grows, and goes on from there', async () => {
    const [world, list] = await shown(10);
    for (let number = 11; number < 3_000; number += 1) {
      world.end(world.make(number));
      if (number % 100 === 0) await world.turn();
      if (number % 200 === 0) await world.confirm();
    }
    await world.turn();
    await world.confirm();
    expect(list.inMemory).toBeLessThanOrEqual(HEAD);
    await toTheEnd(world, list);
    expect(ids(list).filter((id) => id !== null).length).toBeGreaterThan(2_000);
    expect(new Set(ids(list).filter((id) => id !== null)).size).toBe(ids(list).filter((id) => id !== null).length);
    expect(list.length).toBe(2_999);
  });

  it('finds out after a break what became of it all', async () => {
    const [world, list] = await shown(5);
    const open = world.make(10);
    world.begin(open);
    await world.turn();
    world.under = [];
    world.write(open);
    world.write(world.make(11));
    world.reset();
    await world.turn();
    await world.confirm();
    expect(ids(list)).toEqual(newestFirst(world));
    expect(list.at(1)?.done?.outcome).toBe('completed');
  });

  it('asks for what the filter says, also of what is live', async () => {
    const [world, list] = await shown(10);
    list.ask({ ...EVERYTHING, client: 'desk', outcome: 'failed' });
    await world.turn();
    expect(list.length).toBe(0);
    world.begin(world.make(20, { client: 'desk' }));
    world.end(world.make(21, { client: 'desk', outcome: 'failed' }));
    world.end(world.make(22, { client: 'laptop', outcome: 'failed' }));
    world.end(world.make(23, { client: 'desk' }));
    await world.turn();
    await world.confirm();
    expect(ids(list)).toEqual([world.make(21).id]);
  });

  it('does not mix in what was asked before', async () => {
    const [world, list] = await shown(10);
    list.ask({ ...EVERYTHING, client: 'nobody' });
    list.ask({ ...EVERYTHING, client: 'laptop' });
    await world.turn();
    expect(list.length).toBe(10);
  });

  it('says what went wrong, and tries again', async () => {
    const world = new World(3);
    world.failing = true;
    const list = new RequestList(world);
    list.start(EVERYTHING);
    await world.turn();
    expect(list.phase).toBe('failed');
    world.failing = false;
    await list.reload();
    expect([list.phase, list.length]).toEqual(['ready', 3]);
  });

  it('keeps what it has when older ones cannot be read, and waits until it is told to try again', async () => {
    const [world, list] = await shown(400);
    world.failing = true;
    const asked = world.asked.length;
    for (let times = 0; times < 5; times += 1) {
      list.see(150, 199, false);
      await world.turn();
    }
    expect(world.asked.length).toBe(asked + 1);
    expect([list.phase, list.length, list.problem instanceof Error]).toEqual(['ready', PAGE, true]);
    world.failing = false;
    list.retry();
    await toTheEnd(world, list);
    expect(ids(list)).toEqual(newestFirst(world));
  });

  it('begins again by itself when the gateway is back', async () => {
    const world = new World(3);
    world.failing = true;
    const list = new RequestList(world);
    list.start(EVERYTHING);
    await world.turn();
    world.failing = false;
    world.reset();
    await world.turn();
    expect([list.phase, list.length]).toEqual(['ready', 3]);
  });
});
