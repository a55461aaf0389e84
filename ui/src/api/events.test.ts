import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { whenLockedOut } from './client';
import { Events, pauseBefore } from './events.svelte';

/** Stands in for the browser's. */
class Source {
  static last: Source;
  static CLOSED = 2;
  static OPEN = 1;
  readyState = 0;
  onopen: (() => void) | null = null;
  onerror: (() => void) | null = null;
  readonly listeners = new Map<string, (event: { data: string }) => void>();
  constructor(readonly url: string) {
    Source.last = this;
  }
  addEventListener(name: string, listener: (event: { data: string }) => void) {
    this.listeners.set(name, listener);
  }
  close() {
    this.readyState = Source.CLOSED;
  }
  open() {
    this.readyState = Source.OPEN;
    this.onopen?.();
  }
  send(name: string, data: unknown) {
    this.listeners.get(name)?.({ data: JSON.stringify(data) });
  }
  fail(state: number) {
    this.readyState = state;
    this.onerror?.();
  }
}

let frames: (() => void)[] = [];
const frame = () => frames.splice(0).forEach((draw) => draw());
const answer = (status: number, body: unknown) => vi.fn(async () => new Response(JSON.stringify(body), { status }));

beforeEach(() => {
  vi.useFakeTimers();
  frames = [];
  vi.stubGlobal('EventSource', Source);
  vi.stubGlobal('requestAnimationFrame', (draw: () => void) => frames.push(draw));
  vi.stubGlobal('cancelAnimationFrame', () => (frames = []));
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  whenLockedOut(() => {});
});

describe('the stream of events', () => {
  it('tells what came within a frame at once, in order', () => {
    const told: number[] = [];
    const events = new Events({ status: (told_: never) => told.push(told_) });
    events.start();
    Source.last.open();
    Source.last.send('status', 1);
    Source.last.send('status', 2);
    expect(told).toEqual([]);
    expect(frames).toHaveLength(1);
    frame();
    expect(told).toEqual([1, 2]);
    Source.last.send('status', 3);
    vi.advanceTimersByTime(500);
    expect(told, 'a page that nobody sees has no frames').toEqual([1, 2, 3]);
    frame();
    expect(told, 'and nothing comes twice').toEqual([1, 2, 3]);
  });

  it('is live again when it was resumed, without a reset', () => {
    const events = new Events({});
    events.start();
    Source.last.open();
    Source.last.fail(0);
    expect(events.link).toBe('lost');
    Source.last.open();
    expect(events.link).toBe('live');
  });

  it('tries again by itself where the browser gives up', async () => {
    vi.stubGlobal('fetch', vi.fn(async () => Promise.reject(new TypeError('no answer'))));
    const events = new Events({});
    events.start();
    const first = Source.last;
    first.fail(Source.CLOSED);
    await vi.advanceTimersByTimeAsync(pauseBefore(1));
    expect(Source.last).not.toBe(first);
    expect([1, 2, 3, 9].map(pauseBefore)).toEqual([500, 1000, 2000, 8000]);
  });

  it('does not try again when the session is over, and says so', async () => {
    vi.stubGlobal('fetch', answer(401, { code: 'session_ended', message: 'over' }));
    const told: string[] = [];
    whenLockedOut((error) => told.push(error.code));
    const events = new Events({});
    events.start();
    const first = Source.last;
    first.fail(Source.CLOSED);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(told).toEqual(['session_ended']);
    expect(Source.last).toBe(first);
  });
});
