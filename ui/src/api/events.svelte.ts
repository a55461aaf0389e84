// The one stream of events. The browser resumes it by itself; where it gives up, this finds out why and tries again.
// What comes within one frame is told at once, so that a busy gateway does not draw the page anew for each word.

import { ApiError, UNREACHABLE, status } from './client';

export type Link = 'connecting' | 'live' | 'lost';

const TYPES = 'status,accounts,quota,exchange,sign_in,settings';
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 8_000;
/** A page that nobody sees has no frames. */
const UNSEEN = 500;

type Handlers = Record<string, (data: never) => void>;

/** How long to wait before the n-th try in a row. */
export function pauseBefore(tries: number): number {
  return Math.min(FIRST_PAUSE * 2 ** Math.max(0, tries - 1), LONGEST_PAUSE);
}

export class Events {
  link = $state<Link>('connecting');
  #source: EventSource | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #tries = 0;
  #told: (() => void)[] = [];
  readonly #handlers: Handlers;

  /** `handlers` are called by the name of the event, with what it tells. */
  constructor(handlers: Handlers) {
    this.#handlers = handlers;
  }

  start(): void {
    this.stop();
    const source = new EventSource(`/api/events?types=${TYPES}`);
    this.#source = source;
    for (const [name, handle] of Object.entries(this.#handlers)) {
      source.addEventListener(name, (event: MessageEvent<string>) => {
        this.#tell(() => handle(JSON.parse(event.data) as never));
      });
    }
    // One that was resumed begins with what was missed, and not with a reset.
    source.onopen = () => {
      this.#tries = 0;
      this.link = 'live';
    };
    source.onerror = () => {
      this.link = 'lost';
      // Closed: the answer was no stream, so the browser does not try again.
      if (source.readyState === EventSource.CLOSED) void this.#ask();
    };
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = null;
  }

  /** At once, for who cannot wait: the window came to the front. */
  hurry(): void {
    if (this.link === 'lost' && this.#source?.readyState !== EventSource.OPEN) this.start();
  }

  /** With the next frame, in the order in which it came. */
  #tell(what: () => void): void {
    this.#told.push(what);
    if (this.#told.length > 1) return;
    let frame = 0;
    const flush = () => {
      clearTimeout(timer);
      if (frame !== 0) cancelAnimationFrame(frame);
      for (const tell of this.#told.splice(0)) tell();
    };
    const timer = setTimeout(flush, UNSEEN);
    if (typeof requestAnimationFrame === 'function') frame = requestAnimationFrame(flush);
  }

  async #ask(): Promise<void> {
    try {
      await status();
    } catch (error) {
      // Whoever is locked out was told by the call itself; there is nothing to wait for.
      if (error instanceof ApiError && error.isLockedOut) return this.stop();
      if (!(error instanceof ApiError && error.code === UNREACHABLE)) console.warn(error);
    }
    this.#tries += 1;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.start(), pauseBefore(this.#tries));
  }
}
